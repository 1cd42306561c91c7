"""What uses the API from outside: the HTTP client, and uploads of a folder with its access rules."""
