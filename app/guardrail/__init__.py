"""Redaction of what leaves, also while it streams."""
