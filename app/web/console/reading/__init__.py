"""Pages for who reads: asking, searching, documents, conversations."""
