"""What ingest writes and search reads: search terms, postings and short codes of vectors. Pure."""
