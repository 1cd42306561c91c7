"""Runs everything on one machine: embedded PostgreSQL, a small model server and the processes of Clearance."""
