"""Directories that are read: LDAP, and lists in files."""
