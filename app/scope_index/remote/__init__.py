"""Scope lists in processes of their own: one copy for several API processes, or parts of it on several machines."""
