"""Text to vectors, a function of the text alone."""
