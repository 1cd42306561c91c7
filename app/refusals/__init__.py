"""Questions that are not answered: an administrator's categories, and models that are asked about a question."""
