"""One machine, no other services: embedded PostgreSQL, the small model server and the processes of Clearance."""
