"""Proof of the audit log: hashing, and verification of an export.

It needs the standard library alone, so that an auditor can be given this folder and nothing else; msgspec, where it is
installed, makes it faster.
"""
