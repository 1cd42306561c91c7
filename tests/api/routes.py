"""The routes of the application, and paths made from their templates."""

import re
import uuid

from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from tests.support.service import app_of

ABSENT = uuid.UUID("11111111-2222-4333-8444-555555555555")


def served(client: TestClient) -> set[tuple[str, str]]:
    """What the application really routes, by method and path."""
    found = set()
    for context in iter_route_contexts(app_of(client).routes):
        for method in (context.methods or set()) - {"HEAD"}:
            found.add((method, str(context.path)))
    return found


def path_for(template: str, **names: object) -> str:
    """The template with each name filled in; an absent document, key or job, an absent name otherwise."""
    return re.sub(r"\{(\w+)\}", lambda m: str(names.get(m[1], ABSENT)), template)
