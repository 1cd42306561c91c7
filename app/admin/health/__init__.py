"""Whether each part of an installation works: for `clearance doctor`, and for administrators of a running service."""
