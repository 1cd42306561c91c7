"""Who may read what: the rules, the same rules as SQL, and the verified caller."""
