"""The REST API: one module a resource, and the schemas of what goes over the wire."""
