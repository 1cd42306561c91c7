"""The description of the API, with an example for each body and the error codes of each route.

Examples are made from the schemas: a field's own example, its default, or a value of its type. Codes: what every route
answers by the middleware, what follows from its parameters, and what RAISES says; the route matrix holds answers to it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI

from app import errors
from app.errors import AppError
from app.web.http.route_table import PUBLIC

Schema = Mapping[str, Any]
Key = tuple[str, str]
METHODS = frozenset({"get", "put", "post", "delete", "patch"})
API = "/api/v1"
EXAMPLES: dict[str, Any] = {
    "uuid": "3f2b8c1e-5a5d-4c2f-9d37-0c8f6b1f2a44",
    "date-time": "2027-01-31T09:00:00Z",
    "date": "2027-01-31",
    "binary": "(the bytes of the file)",
    "string": "text",
    "integer": 1,
    "number": 0.5,
    "boolean": True,
}
# Where a value of the right type would still be refused, or say little.
LATER = "2027-12-31T17:00:00Z"
BY_NAME: dict[str, Any] = {
    **dict.fromkeys(("until", "ends_at", "expires_at", "valid_until"), LATER),
    "roles": ["engineering"],
    "inside": ["engineering"],
    **dict.fromkeys(("user", "author", "person"), "ada"),
    "collection": "handbook",
    "collections": ["handbook"],
    "deny": [],
    "path": "policies/leave.md",
    "source": "local",
    "service": "assistant",
}
EVERYWHERE: tuple[type[AppError], ...] = (
    errors.NotSignedIn,
    errors.BadRequest,
    errors.OnBehalfOfNeeded,
    errors.MissingCapability,
    errors.InvalidInput,
    errors.TooManyRequests,
    errors.DatabaseUnavailable,
)
_GRANTS = (errors.NotAllowed, errors.SelfGrant, errors.BeyondReach, errors.UnknownRole)
_MEMBERS = (errors.SelfGrant, errors.BeyondReach)
# What a route raises beyond EVERYWHERE, NotFound for what its path or query names, and TooLarge for a body.
RAISES: Mapping[Key, tuple[type[AppError], ...]] = {
    ("post", "/ask"): (
        errors.NotFound,
        errors.LabelTooHigh,
        errors.AnswerWithheld,
        errors.GuardrailFailed,
        errors.ModelUnavailable,
    ),
    ("get", "/feedback"): (errors.GuardrailFailed,),
    ("post", "/feedback"): (errors.NotFound, errors.GuardrailFailed),
    ("post", "/search"): (errors.UnreadableSearch, errors.NotFound, errors.GuardrailFailed),
    ("get", "/documents"): (errors.GuardrailFailed,),
    ("get", "/documents/{document}"): (errors.GuardrailFailed,),
    ("patch", "/documents/{document}"): (errors.GuardrailFailed,),
    ("patch", "/conversations/{conversation}"): (errors.GuardrailFailed,),
    ("post", "/collections"): (errors.Conflict, *_GRANTS),
    ("delete", "/collections/{name}"): (errors.SelfGrant, errors.Conflict),
    ("get", "/collections/{name}/folders"): (errors.NotAllowed,),
    ("get", "/collections/{name}/tree"): (errors.NotAllowed, errors.GuardrailFailed),
    ("get", "/collections/{name}/access"): (errors.NotAllowed,),
    ("put", "/collections/{name}/access"): _GRANTS,
    ("delete", "/collections/{name}/access"): _GRANTS,
    ("put", "/collections/{name}/curators/{user}"): (errors.SelfGrant,),
    ("delete", "/collections/{name}/curators/{user}"): (errors.SelfGrant,),
    ("post", "/collections/{name}/documents"): (errors.Untagged, errors.UnknownRole, errors.EmptyFile, *_GRANTS),
    ("post", "/collections/{name}/documents/preview"): (errors.Untagged, errors.UnknownRole, errors.GuardrailFailed),
    ("post", "/collections/{name}/sync"): (errors.GuardrailFailed,),
    ("post", "/jobs/{job}/retry"): (errors.Conflict,),
    ("delete", "/jobs/{job}"): (errors.Conflict,),
    ("put", "/documents/{document}/access"): _GRANTS,
    ("delete", "/documents/{document}"): (errors.SelfGrant,),
    ("post", "/users"): (errors.Conflict,),
    ("patch", "/users/{name}"): (errors.SelfGrant,),
    ("post", "/users/import"): (errors.Conflict, errors.PlanStale, errors.SelfGrant),
    ("get", "/roles"): (errors.BeyondReach,),
    ("get", "/roles/{name}"): (errors.BeyondReach,),
    ("get", "/roles/{name}/members"): (errors.BeyondReach,),
    ("post", "/roles"): (errors.Conflict, errors.NotFound, errors.SelfGrant),
    ("delete", "/roles/{name}"): (errors.Conflict, errors.SelfGrant),
    ("put", "/roles/{name}/members/{user}"): _MEMBERS,
    ("delete", "/roles/{name}/members/{user}"): _MEMBERS,
    ("put", "/roles/{name}/stewards/{user}"): (errors.SelfGrant,),
    ("delete", "/roles/{name}/stewards/{user}"): (errors.SelfGrant,),
    ("put", "/roles/{name}/inside/{outer}"): (errors.SelfGrant,),
    ("delete", "/roles/{name}/inside/{outer}"): (errors.SelfGrant,),
    ("get", "/grants"): (errors.NotAllowed,),
    ("post", "/grants"): _GRANTS,
    ("delete", "/grants/{grant}"): _GRANTS,
    ("post", "/keys"): (errors.SelfGrant, errors.NotFound),
    ("patch", "/keys/{key}"): (errors.Conflict,),
    ("post", "/passkeys"): (errors.Conflict,),
    ("post", "/passkeys/options"): (errors.SignInNotAllowed,),
    ("post", "/guardrail/check"): (errors.GuardrailFailed,),
    ("post", "/guardrail/policy/test"): (errors.GuardrailFailed,),
    ("post", "/audit/policy-dry-run"): (errors.GuardrailFailed,),
    ("post", "/leak-tests"): (errors.Conflict, errors.SelfGrant),
    ("post", "/audit/openings"): (errors.Conflict, errors.NotFound),
    ("post", "/erasures"): (errors.Conflict, errors.NotFound),
    ("post", "/erasures/{erasure}/decision"): (errors.Conflict,),
    ("post", "/retention"): (errors.Conflict,),
    ("post", "/retention/{rule}/decision"): (errors.Conflict,),
    ("post", "/holds"): (errors.Conflict, errors.NotFound),
    ("post", "/holds/{hold}/lift"): (errors.Conflict,),
    ("post", "/audit/openings/{opening}/decision"): (errors.Conflict,),
    ("get", "/audit/events"): (errors.Conflict, errors.GuardrailFailed),
    ("get", "/audit/events/{seq}"): (errors.Conflict, errors.GuardrailFailed),
    ("get", "/audit/export"): (errors.Conflict,),
    ("post", "/audit/exports"): (errors.Conflict, errors.NotFound),
    ("post", "/audit/exports/{export}/resume"): (errors.Conflict,),
    ("get", "/audit/exports/{export}/file"): (errors.Conflict,),
    ("get", "/audit/exports/{export}/manifest"): (errors.Conflict,),
    ("get", "/audit/consistency"): (errors.NotFound,),
    ("get", "/audit/receipts/{trail}"): (errors.Conflict,),
    ("post", "/audit/queries"): (errors.Conflict,),
    ("post", "/access/reviews"): (errors.NotFound, errors.NotAllowed),
    ("put", "/access/reviews/{review}/items/{item}"): (errors.Conflict, errors.SelfGrant),
    ("get", "/access/reviews/{review}/preview"): (errors.Conflict, errors.SelfGrant, errors.BeyondReach),
    ("post", "/access/reviews/{review}/close"): (errors.Conflict, errors.PlanStale, *_GRANTS),
    ("post", "/access/plans"): (errors.NotFound, *_GRANTS),
    ("post", "/access/plans/{plan}/apply"): (errors.Conflict, errors.PlanStale, *_GRANTS),
    ("delete", "/access/plans/{plan}"): (errors.Conflict,),
}
# Parameters that name nothing that could be missing.
PLAIN = frozenset({
    "limit", "after", "since", "until", "kind", "newest_first", "format", "state", "at", "text", "source",
    "active", "capability", "undecided",
})  # fmt: skip


class Service(FastAPI):
    """The application, whose description says more than the framework's."""

    # Gives the paths of the pages, which are no part of the API: for who tries all that is served.
    describe_pages: Callable[[], dict[str, Any]] | None = None

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        made = self.openapi_schema is None
        document: dict[str, Any] = super().openapi()
        if made:
            describe(document)
            if self.describe_pages is not None:
                document["x-pages"] = self.describe_pages()
        return document


def describe(document: dict[str, Any]) -> None:
    """Add examples and error codes to each operation."""
    for path, operations in document["paths"].items():
        for method in METHODS & set(operations):
            _describe(operations[method], method, path, document)


def codes_of(operation: Schema) -> set[str]:
    """The error codes that an operation of the described document lists."""
    contents = [answer.get("content", {}) for answer in operation["responses"].values()]
    return {code for content in contents for code in content.get("application/problem+json", {}).get("examples", ())}


def _describe(operation: dict[str, Any], method: str, path: str, document: Schema) -> None:
    good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    for body in (operation.get("requestBody"), *good.values()):
        for kind, content in (body or {}).get("content", {}).items():
            if kind in {"application/json", "multipart/form-data"} and "schema" in content:
                content["example"] = example(content["schema"], document)
    by_status: dict[int, list[type[AppError]]] = {}
    for error in sorted(_raised(operation, method, path), key=lambda e: e.__name__):
        by_status.setdefault(error.status, []).append(error)
    operation["responses"] = good | {str(status): _problems(found) for status, found in sorted(by_status.items())}


def _raised(operation: Schema, method: str, path: str) -> set[type[AppError]]:
    if path in PUBLIC:
        return {errors.InvalidInput, errors.DatabaseUnavailable}
    raised = {*EVERYWHERE, *RAISES.get((method, path.removeprefix(API)), ())}
    names = {p["name"] for p in operation.get("parameters", ()) if p["in"] in {"path", "query"}}
    if names - PLAIN:
        raised.add(errors.NotFound)
    if path == f"{API}/documents":
        raised.add(errors.NotFound)  # its `after` is a document
    if "requestBody" in operation:
        raised.add(errors.TooLarge)
    # Open to services are the routes in whose description the framework finds no check for a person in person; which
    # these are, says the matrix. All may refuse one.
    return raised | {errors.InPersonNeeded}


def _problems(found: list[type[AppError]]) -> dict[str, Any]:
    status = found[0].status
    examples = {
        error.__name__: {
            "summary": error.title,
            "value": {
                "type": f"urn:clearance:error:{error.__name__}",
                "title": error.title,
                "status": status,
                "code": error.__name__,
                "detail": "What to do.",
            },
        }
        for error in found
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    words = "; ".join(f"`{error.__name__}`: {error.title}" for error in found)
    return {"description": f"{words}.", "content": {"application/problem+json": content}}


def example(schema: Schema, document: Schema) -> Any:
    """A value of this schema, whole enough to be sent."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    for given in (schema.get("examples"), [schema["const"]] if "const" in schema else None, schema.get("enum")):
        if given:
            return given[0]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return example(choices[0], document)
    if schema.get("default") not in (None, [], {}):
        return schema["default"]
    return _of_type(schema, document)


def _of_type(schema: Schema, document: Schema) -> Any:
    match schema:
        case {"properties": fields}:
            return {name: BY_NAME[name] if name in BY_NAME else example(fields[name], document) for name in fields}
        case {"prefixItems": list(parts)}:
            return [example(part, document) for part in parts]
        case {"type": "array", "items": items}:
            return [example(items, document)]
        case {"type": "object", "additionalProperties": dict(inner)}:
            return {"name": example(inner, document)}
        case {"type": "object"}:
            return {}
    kind = "binary" if "contentMediaType" in schema else schema.get("format", schema.get("type", "string"))
    return EXAMPLES[kind]
