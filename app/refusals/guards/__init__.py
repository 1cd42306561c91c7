"""Models that are asked about a question, each in the form that it speaks over HTTP."""
