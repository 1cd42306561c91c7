"""OpenID Connect as a client: what a provider publishes, and whether its tokens say what we may believe."""
