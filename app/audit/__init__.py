"""The record of what was asked and shown: sealed, ordered, verifiable without us."""
