"""Delivers the log to elsewhere: in batches, in order, at least once (ADR 0039)."""
