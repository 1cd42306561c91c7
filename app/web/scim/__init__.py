"""SCIM 2.0: a directory sends its people and groups."""
