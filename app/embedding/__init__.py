"""Text to vectors, and question and passage to a score: functions of the text alone."""
