"""Where the pages of people and roles are, by their names as people write them."""

from urllib.parse import quote


def person_address(name: str) -> str:
    """The page of this person or service."""
    return f"/people/{quote(name, safe=':')}"


def role_address(name: str) -> str:
    """The page of this role."""
    return f"/roles/{quote(name, safe=':')}"
