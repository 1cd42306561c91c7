"""The API as a client uses it: calls, uploads of a folder with its rules, and errors for a person."""
