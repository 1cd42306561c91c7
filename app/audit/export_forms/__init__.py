"""The forms in which the log is exported: how entries become a file, and how entries are read from one again.

Nothing here touches a database, so that verification of a file uses it too.
"""
