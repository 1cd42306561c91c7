"""Signing in, staying signed in and out: by a provider, a link or a passkey."""
