"""Names of people: those of a list (`directory`), and those that a model finds (`recognition`). Off by default."""
