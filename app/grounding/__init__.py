"""Checks an answer sentence by sentence against the passages it was made from."""
