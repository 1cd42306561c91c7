"""From files to searchable passages: extract, split, assign, vectorize, write."""
