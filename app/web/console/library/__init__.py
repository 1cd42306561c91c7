"""Pages for who curates: collections, uploads, access, plans."""
