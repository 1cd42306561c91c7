"""Search among what the caller may read, and nothing else."""
