"""Pages for who administers: people, roles, sources, health, reviews."""
