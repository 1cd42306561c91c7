"""Where SCIM is, and the type of what it says."""

PREFIX = "/scim/v2"
SCIM_MEDIA_TYPE = "application/scim+json"
