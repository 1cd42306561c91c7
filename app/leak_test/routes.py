"""Which requests there are to make, read off the service's own OpenAPI document: a new route is tried by itself."""

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.client.api import path as encoded
from app.leak_test.cast import Thing

API = "/api/v1"
# What a parameter of the path names: told by the part before it, as in /documents/{…}.
_BEHIND = {
    "documents": "document", "collections": "shelf", "jobs": "job", "conversations": "conversation", "plans": "plan",
    "users": "user", "roles": "role", "keys": "key", "delegations": "delegation", "grants": "grant",
    "members": "user", "curators": "user", "stewards": "user", "inside": "role",
}  # fmt: skip
# What a parameter of the query names: told by its name, and where that is not enough by the route's path as well.
_QUERY = {"document": "document", "collection": "shelf", "folder": "folder", "user": "user", "role": "role"}
_QUERY_AT = {
    ("/documents", "after"): "document",
}
# Free words that name nothing which could be hidden, and a value for each.
_WORDS = {"kind": "answer.opened", "after": "WyJhIl0"}
# What each asker sends by itself.
_CARRIED = frozenset({"Clearance-On-Behalf-Of"})
# Answers what a sync would do, and does nothing of it.
SYNC = "POST /collections/{name}/sync"
# Questions: they have a body and answer 200, and `surfaces` asks them. Any other such route is reported as not tried.
QUESTIONS = frozenset({"POST /ask", "POST /search", SYNC})
# Routes that cannot be tried, with the reason; whatever else cannot be tried fails the run.
REASONS: Mapping[str, str] = {}
# Served, and in no OpenAPI document.
UNLISTED = ("/metrics", f"{API}/docs", f"{API}/openapi.json")


@dataclass(frozen=True)
class Ask:
    """One way to ask a route: which of its parameters name things, and which hold plain values."""

    surface: str
    method: str
    path: str
    named: Mapping[str, str] = field(default_factory=dict)  # parameter to kind of thing, in path and query
    values: Mapping[str, str] = field(default_factory=dict)  # query parameter to value
    through: str | None = None  # this parameter goes through all things of its kind; the others through two

    @property
    def changes(self) -> bool:
        """Whether it would change something if the service let it."""
        return self.method != "GET"

    def fillings(self, things: Iterable[Thing]) -> Iterator[dict[str, Thing]]:
        """Every choice of things for the parameters. None if there is no such thing."""
        kinds: dict[str, list[Thing]] = {}
        for thing in things:
            kinds.setdefault(thing.kind, []).append(thing)
        lists = [kinds.get(kind, [])[: None if name == self.through else 2] for name, kind in self.named.items()]
        for chosen in itertools.product(*lists):
            yield dict(zip(self.named, chosen, strict=True))

    def filled(self, chosen: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The path and the query of the request that names these values."""
        path, query = self.path, dict(self.values)
        for name, value in chosen.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", encoded(value)[1:])
            else:
                query[name] = value
        return path, query


@dataclass(frozen=True)
class Routes:
    """What is asked, what cannot be tried and why, and the routes that only change things, which are not sent."""

    asks: tuple[Ask, ...]
    not_tried: Mapping[str, str]
    not_sent: tuple[str, ...]


def read_routes(document: Mapping[str, Any], begun_at: dt.datetime) -> Routes:
    """All requests for the routes of an OpenAPI document. `begun_at` bounds what the log is asked for."""
    asks: list[Ask] = []
    not_tried: dict[str, str] = {}
    not_sent: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            surface = f"{method.upper()} {path.removeprefix(API)}"
            if "requestBody" in operation:
                if method == "post" and "200" in operation["responses"] and surface not in QUESTIONS:
                    not_tried[surface] = "a question with a body that the kit does not know how to fill in"
                elif surface not in QUESTIONS:
                    not_sent.append(surface)
                continue
            try:
                found = list(_asks(surface, method.upper(), path, operation, document, begun_at))
            except _Unknown as unknown:
                not_tried[surface] = str(unknown)
            else:
                asks.extend(found)
                if not any(ask.named for ask in found) and method != "get":
                    not_sent.append(surface)
    asks += [Ask(f"GET {path.removeprefix(API)}", "GET", path) for path in UNLISTED]
    return Routes(tuple(asks), not_tried, tuple(not_sent))


class _Unknown(Exception):
    """A parameter that the kit does not know how to fill in."""


def _asks(
    surface: str, method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any], begun: dt.datetime
) -> Iterator[Ask]:
    """The plain request, and one more for each optional thing and each optional value."""
    parameters = [p for p in operation.get("parameters", ()) if p["name"] not in _CARRIED]
    needed: dict[str, str] = {}
    optional: dict[str, str] = {}
    values: dict[str, str] = {}
    variants: list[dict[str, str]] = []
    for parameter in parameters:
        name, schema = parameter["name"], _plain(parameter["schema"], document)
        kind = _kind(path, parameter, schema)
        if kind is not None:
            (needed if parameter.get("required") else optional)[name] = kind
            continue
        given, others = _values(name, schema, begun)
        values |= given
        variants += others
        if parameter.get("required") and not given:
            values |= others[0]
    first = next((n for n, kind in needed.items() if kind == "document"), None)
    yield Ask(surface, method, path, needed, values, through=first if method == "GET" else None)
    for name, kind in optional.items():
        more = dict(needed)
        if name == "folder":
            more |= {n: k for n, k in optional.items() if k == "shelf"}
        through = name if kind == "document" and method == "GET" else None
        yield Ask(surface, method, path, {**more, name: kind}, values, through=through)
    if method == "GET":
        for variant in variants:
            yield Ask(surface, method, path, needed, values | variant)


def _kind(path: str, parameter: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """What kind of thing the parameter names; None for a plain value. Raises _Unknown."""
    name = parameter["name"]
    if parameter["in"] == "path":
        before = re.search(rf"/([^/{{}}]+)/\{{{re.escape(name)}\}}", path)
        kind = _BEHIND.get(before[1]) if before else None
        if kind is None:
            raise _Unknown(f"the kit does not know what {{{name}}} names")
        return kind
    kind = _QUERY_AT.get((path.removeprefix(API), name))
    if kind is None and schema.get("format") != "date-time" and schema.get("type") == "string":
        kind = _QUERY.get(name)
        if kind is None and name not in _WORDS and "enum" not in schema and "const" not in schema:
            raise _Unknown(f"the kit does not know what ?{name} names")
    return kind


def _values(
    name: str, schema: Mapping[str, Any], begun: dt.datetime
) -> tuple[dict[str, str], Sequence[dict[str, str]]]:
    """What a plain parameter always gets, and what it gets in requests of its own."""
    match schema:
        case {"format": "date-time"} if name == "since":
            return {name: begun.isoformat()}, ()
        case {"type": "integer", "maximum": int(most)}:
            return {name: str(most)}, ()
        case {"format": "date-time"}:
            others = [dt.datetime.now(dt.UTC).isoformat()]
        case {"type": "integer" | "number"}:
            others = ["0"]
        case {"type": "boolean"}:
            others = ["true", "false"]
        case {"enum": list(choices)}:
            others = [str(choice) for choice in choices]
        case _ if name in _WORDS:
            others = [_WORDS[name]]
        case _:
            raise _Unknown(f"the kit does not know what to write for ?{name}")
    return {}, [{name: other} for other in others]


def _plain(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without references and without the null of what may be left out."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    choices = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
    return _plain(choices[0], document) if choices else schema
