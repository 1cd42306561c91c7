"""Clearance: the service that answers from the documents its caller may read."""
