"""One file per family of formats; `ingest.extract` chooses among them."""
