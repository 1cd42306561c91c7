"""Scope lists: the vector index, with one inverted list for each access scope. A query touches visible scopes alone."""
