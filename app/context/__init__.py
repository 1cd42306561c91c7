"""From passages to a prompt."""
