"""Renders docs/reference.md from the code: `python -m tests.contracts.reference > docs/reference.md`."""

import inspect
import sys
from collections.abc import Iterator
from typing import get_args, get_origin

from fastapi import FastAPI
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from app import errors, main
from app.audit.events import KINDS
from app.audit.export_forms.event_classes import EventClass, event_class
from app.directories.settings import DirectorySettings
from app.settings import Settings, WorkerSettings

HEAD = """# Reference

Made from the code by `python -m tests.contracts.reference`, and under test: what stands here is what the code does.
"""

HABITS = """Every route but `/healthz`, `/readyz`, `/metrics` and the pages of this description needs a key, which is
verified before a body is read. A query parameter that a route does not know, or that is given twice, is refused by name
(422). The OpenAPI document at `/api/v1/openapi.json` has an example for each body and the error codes of each route.

**Lists come in pages**, all in one way: `limit` (100 unless given, at most 500; 1,000 records of the log) and `after`.
Where there is more, the answer's header `Link: <?…>; rel="next"` (RFC 8288) is the query of the next page; without it
the page is the last. `after` is opaque: take it from the link. Rows that come or go meanwhile are neither repeated nor
skipped.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD, *settings(), "", *wire_errors(), "", *routes(main.create_routes()), "", *records()]
    return "\n".join(parts) + "\n"


def settings() -> Iterator[str]:
    """Every setting of the API, the worker and the process of directories, as an environment variable."""
    yield "## Settings\n\nAll from the environment. Secrets have no default outside `make run`, which makes its own.\n"
    yield "| variable | default | meaning |\n|---|---|---|"
    seen: set[str] = set()
    for of in (Settings, WorkerSettings, DirectorySettings):
        for section, field in of.model_fields.items():
            # Of providers there is one group for each source.
            many = get_origin(field.annotation) is dict
            group = get_args(field.annotation)[1] if many else field.annotation
            if section in seen or not (inspect.isclass(group) and issubclass(group, BaseModel)):
                continue
            seen.add(section)
            for name, option in group.model_fields.items():
                variable = f"CLEARANCE_{section.upper()}__{'<SOURCE>__' if many else ''}{name.upper()}"
                yield f"| `{variable}` | {_default(option.default)} | {option.description} |"


def wire_errors() -> Iterator[str]:
    """Every error code."""
    yield "## Errors\n\nAll errors are `application/problem+json` with type, title, status, code and detail.\n"
    yield "| code | status | title |\n|---|---|---|"
    found = [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, errors.AppError)]
    for error in sorted(found, key=lambda e: (e.status, e.__name__)):
        if error not in {errors.AppError}:
            yield f"| `{error.__name__}` | {error.status} | {error.title} |"


def routes(app: FastAPI) -> Iterator[str]:
    """Every route that the OpenAPI document shows."""
    yield "## Routes\n\n" + HABITS
    yield "| method | path | what it does |\n|---|---|---|"
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            told = operation.get("description", operation["summary"]).split("\n")[0]
            yield f"| {method.upper()} | `{path}` | {told} |"


def records() -> Iterator[str]:
    """Every kind of audit record, and the event of OCSF that it is in an export of that format."""
    yield "## Audit records\n\n| kind | meaning | OCSF: class, activity, severity |\n|---|---|---|"
    for kind, event in KINDS.items():
        yield f"| `{kind}` | {(event.__doc__ or '').strip().splitlines()[0]} | {_ocsf(event_class(kind))} |"


def _ocsf(of: EventClass) -> str:
    return f"{of.ocsf.uid}, {of.ocsf.activities[of.activity]}, {of.severity}{', failure' if of.failure else ''}"


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or (isinstance(value, SecretStr) and not value.get_secret_value()):
        return "unset"
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    return f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


if __name__ == "__main__":
    sys.stdout.write(render())
