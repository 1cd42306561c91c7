"""Text to search terms, by language. Pure: a function of the text alone, the same for questions and passages."""
