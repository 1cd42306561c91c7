"""Plans the requests from the service's own OpenAPI document, so that new routes are tried without being listed."""

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.client.api import path as encoded
from app.leak_test.cast import ProbeTarget

API = "/api/v1"
# The kind of target that a path parameter names, by the part before it, as in /documents/{…}.
_BEHIND = {
    "documents": "document", "collections": "collection", "jobs": "job", "conversations": "conversation",
    "plans": "plan", "users": "user", "roles": "role", "keys": "key", "delegations": "delegation", "grants": "grant",
    "members": "user", "curators": "user", "stewards": "user", "inside": "role",
    # Ids of nobody's session, link or passkey, and what auditors have: somebody else's key stands for each.
    "sessions": "key", "links": "key", "passkeys": "key", "events": "key", "queries": "key", "exports": "key",
    "openings": "key", "log": "key", "records": "key", "erasures": "key", "holds": "key", "deliveries": "key",
    "retention": "key",
    "answers": "turn", "receipts": "key", "trails": "key",
    "replays": "key", "people": "user", "leak-tests": "key", "reviews": "plan", "items": "key",
}  # fmt: skip
# The same for query parameters, by name, and where that is not enough by the route as well.
_QUERY = {
    "document": "document", "collection": "collection", "folder": "folder", "contains": "folder", "user": "user",
    "role": "role", "opening": "key",
}  # fmt: skip
_QUERY_AT = {
    ("/documents", "after"): "document",
    # The log has documents by their ids, and its auditors ask for any: what is in it is no secret from them.
    **{
        (path, "document"): "key"
        for path in ("/audit/shown", "/shown", "/audit/exposure", "/exposure", "/audit/access", "/audit/stale-answers")
    },
}
# Parameters that name nothing which could be hidden, with a value for each.
_WORDS = {
    "kind": "answer.opened", "after": "WyJhIl0", "head": "0:", "text": "e", "source": "local",
    # A query over the log; to a search, words like others.
    "q": "kind:answer",
    # Of pages, whose fields are empty where nothing is given.
    "to": "moved.md", "at": "", "folder": "pages",
    "passage": "none", "since": "2026-01-01", "until": "2099-01-01", "notice": "none",
    "earlier": "0", "later": "1",
}  # fmt: skip
# Where a folder narrows what the caller reads anyway: who reads a document knows its path.
FOLDERS_OF_READERS = frozenset(
    (path, "folder") for path in (f"{API}/documents", "/search", "/documents", "/collections/{name}")
)
# What each client sends by itself.
_CARRIED = frozenset({"Clearance-On-Behalf-Of", "last-event-id"})
# Says what a sync would do, and does nothing.
SYNC = "POST /collections/{name}/sync"
# Says what an upload would do, and does nothing.
PREVIEW = "POST /collections/{name}/documents/preview"
# Routes with a body that answer 200: `probe_run` asks these. Any other such route is reported as not tried.
QUESTIONS = frozenset({"POST /ask", "POST /search", SYNC, PREVIEW})
# Take a list of people, or a text, and show an administrator what it would change, or what is hidden in it; or tell who
# may reveal what a pseudonym stands for. Nobody of the kit's gets that far.
LISTS = frozenset({
    "POST /users/import", "POST /guardrail/check", "POST /guardrail/policy/test", "POST /audit/policy-dry-run",
    "POST /answers/{trail}/reveal",
})  # fmt: skip
# Routes that cannot be tried, with the reason; whatever else cannot be tried fails the run.
REASONS: Mapping[str, str] = {
    "POST /access/reviews/{review}/close": "its body says what its own preview said, and closing would withdraw grants",
}
# Served, and in no OpenAPI document.
UNLISTED = ("/metrics", f"{API}/docs", f"{API}/openapi.json")


@dataclass(frozen=True)
class RouteProbe:
    """One way to call a route: which of its parameters name targets, and which hold plain values."""

    surface: str
    method: str
    path: str
    named: Mapping[str, str] = field(default_factory=dict)  # parameter to kind of target, in path and query
    values: Mapping[str, str] = field(default_factory=dict)  # query parameter to value
    exhaustive: str | None = None  # this parameter takes all targets of its kind, the others two

    @property
    def changes(self) -> bool:
        """Whether it would change something if the service let it."""
        return self.method != "GET"

    def combinations(self, targets: Iterable[ProbeTarget]) -> Iterator[dict[str, ProbeTarget]]:
        """Every choice of targets for the parameters; none if a kind has no target."""
        kinds: dict[str, list[ProbeTarget]] = {}
        for target in targets:
            kinds.setdefault(target.kind, []).append(target)
        lists = [kinds.get(kind, [])[: None if name == self.exhaustive else 2] for name, kind in self.named.items()]
        for chosen in itertools.product(*lists):
            yield dict(zip(self.named, chosen, strict=True))

    def url(self, chosen: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The path and the query of the request that names these values."""
        path, query = self.path, dict(self.values)
        for name, value in chosen.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", encoded(value)[1:])
            else:
                query[name] = value
        return path, query


# Routes that no person is let into, whatever they name: for provisioning services alone. One look at each is enough.
FOR_DIRECTORIES = "/scim/v2/"


@dataclass(frozen=True)
class ProbePlan:
    """The probes, the routes that cannot be tried with the reason, and those that only change something: not sent."""

    probes: tuple[RouteProbe, ...]
    not_tried: Mapping[str, str]
    not_sent: tuple[str, ...]


def plan_probes(document: Mapping[str, Any], begun_at: dt.datetime) -> ProbePlan:
    """The probes for the routes of an OpenAPI document. `begun_at` bounds what the log is asked for."""
    probes: list[RouteProbe] = []
    not_tried: dict[str, str] = {}
    not_sent: list[str] = []
    for path, operations in document["paths"].items():
        if path.startswith(FOR_DIRECTORIES):
            probes += [RouteProbe(f"GET {path}", "GET", _named_nobody(path))] if "get" in operations else []
            not_sent += [f"{method.upper()} {path}" for method in operations if method != "get"]
            continue
        for method, operation in operations.items():
            surface = f"{method.upper()} {path.removeprefix(API)}"
            if "requestBody" in operation:
                if method == "post" and "200" in operation["responses"] and surface not in QUESTIONS | LISTS:
                    not_tried[surface] = "a question with a body that the kit does not know how to fill in"
                elif surface not in QUESTIONS:
                    not_sent.append(surface)
                continue
            try:
                found = list(_probes(surface, method.upper(), path, operation, document, begun_at))
            except _UnknownParameter as unknown:
                not_tried[surface] = str(unknown)
            else:
                probes.extend(found)
                if not any(probe.named for probe in found) and method != "get":
                    not_sent.append(surface)
    probes += _page_probes(document, begun_at, not_tried)
    probes += [RouteProbe(f"GET {path.removeprefix(API)}", "GET", path) for path in UNLISTED]
    return ProbePlan(tuple(probes), not_tried, tuple(not_sent))


def _page_probes(document: Mapping[str, Any], begun_at: dt.datetime, not_tried: dict[str, str]) -> list[RouteProbe]:
    """Those for the pages that the document names beside the API; what cannot be tried is added to `not_tried`."""
    probes: list[RouteProbe] = []
    for path, operations in document.get("x-pages", {}).items():
        surface = f"page {path}"
        try:
            probes += _probes(surface, "GET", path, operations["get"], document, begun_at)
        except _UnknownParameter as unknown:
            not_tried[surface] = str(unknown)
    return probes


def _named_nobody(path: str) -> str:
    """The path with ids that nobody has."""
    return re.sub(r"{\w+}", "0" * 8, path)


class _UnknownParameter(Exception):
    """A parameter for which no value is known; the message says which."""


def _probes(
    surface: str, method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any], begun: dt.datetime
) -> Iterator[RouteProbe]:
    """The plain request, and one more for each optional target and each optional value."""
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
        fixed, others = _values(name, schema, begun)
        values |= fixed
        variants += others
        if parameter.get("required") and not fixed:
            values |= others[0]
    first = next((n for n, kind in needed.items() if kind == "document"), None)
    yield RouteProbe(surface, method, path, needed, values, exhaustive=first if method == "GET" else None)
    for name, kind in optional.items():
        more = dict(needed)
        if name == "folder":
            more |= {n: k for n, k in optional.items() if k == "collection"}
        exhaustive = name if kind == "document" and method == "GET" else None
        yield RouteProbe(surface, method, path, {**more, name: kind}, values, exhaustive=exhaustive)
    if method == "GET":
        for variant in variants:
            yield RouteProbe(surface, method, path, needed, values | variant)


def _kind(path: str, parameter: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """The kind of target that the parameter names; None for a plain value. Raises _UnknownParameter."""
    name = parameter["name"]
    if parameter["in"] == "path":
        before = re.search(rf"/([^/{{}}]+)/\{{{re.escape(name)}\}}", path)
        kind = _BEHIND.get(before[1]) if before else None
        if kind is None:
            raise _UnknownParameter(f"the kit does not know what {{{name}}} names")
        return kind
    if (path, name) in FOLDERS_OF_READERS:
        return None
    kind = _QUERY_AT.get((path.removeprefix(API), name))
    if kind is None and schema.get("format") != "date-time" and schema.get("type") == "string":
        kind = _QUERY.get(name)
        if kind is None and name not in _WORDS and "enum" not in schema and "const" not in schema:
            raise _UnknownParameter(f"the kit does not know what ?{name} names")
    return kind


def _values(
    name: str, schema: Mapping[str, Any], begun: dt.datetime
) -> tuple[dict[str, str], Sequence[dict[str, str]]]:
    """The value that a plain parameter always gets, and the values that it gets in further requests."""
    match schema:
        case {"format": "date-time"} if name == "since":
            return {name: begun.isoformat()}, ()
        case {"type": "integer", "maximum": int(maximum)}:
            return {name: str(maximum)}, ()
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
            raise _UnknownParameter(f"the kit does not know what to write for ?{name}")
    return {}, [{name: other} for other in others]


def _plain(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with its reference resolved and without the null of an optional field."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    choices = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
    return _plain(choices[0], document) if choices else schema
