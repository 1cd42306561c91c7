"""The path of a question, one stage a line."""
