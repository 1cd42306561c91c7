"""What the middleware has to know of each route before the framework reads anything of the request."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import Mount, compile_path
from starlette.types import Scope

from app.errors import InvalidInput

# Where the middleware leaves the template of the route, for the log and the metrics.
ROUTE = "clearance.route"
# Where the authentication middleware leaves the verified caller for everything behind it.
SUBJECT = "clearance.subject"
# Set by a route by which somebody has just signed in.
SIGNED_IN = "clearance.signed_in"
# Set where a person in front of a browser is answered: with pages, errors too.
PAGE = "clearance.page"
# The tag of the console's routes: pages, and forms that carry the CSRF token in a field.
CONSOLE = "console"
# The tag of routes by which a directory sends its people and groups.
PROVISIONING = "provisioning"
# The tags of routes that have the rate of bulk work.
BULK = "curation"
# At which rate a route may be called: a person who turns pages is quicker than who calls the API by hand.
Pace: TypeAlias = Literal["ordinary", "bulk", "page"]
# The well-known address, and all routes that need no key, by name. Whatever is not here needs one, also what no route
# answers.
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
# Where people sign in: nobody is known there yet, though a session may be. And out: a form of ours has its token in a
# field, which the route checks by itself, and whose session is over is sent on.
SIGN_IN = frozenset(
    {
        "/sign-in",
        "/sign-in/link",
        "/sign-in/passkey",
        "/sign-in/passkey/options",
        "/sign-in/{source}",
        "/sign-in/{source}/callback",
        "/sign-in/{source}/back-channel-logout",
        # Its form carries the CSRF token, which the route itself checks.
        "/sign-out",
        RESOURCE_METADATA,
    }
)
PUBLIC = SIGN_IN | frozenset(
    {
        *("/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs/static"),
        # Style sheet, script and icons of the console, and what browsers report of its policy.
        *("/static/{name}", "/csp-reports"),
    }
)
# Where a provider adds to the query what it likes.
ANY_QUERY = frozenset({"/sign-in/{source}/callback"})
BULK_TAGS = frozenset({BULK, PROVISIONING})
# Largest body of a request that is no upload: enough for any JSON of ours, and for groups of some thousand members.
MAX_JSON_BYTES = 64 * 1024
MAX_PROVISIONING_BYTES = 1024 * 1024
# Those of them that stay open to an address that has used up its requests: probes must not fail because of others, and
# they cost next to nothing.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
# What pages load, and how much of a request each of those is for an address: it comes out of memory and a browser keeps
# it, but an office that opens its browsers in the morning loads it as often as it has people.
STATIC = frozenset({"/static/{name}"})
STATIC_COST = 0.1
# What a sign-in takes of an address, which gets it back: the page that it is begun on, and the request that ends it.
SIGN_IN_REQUESTS = 2
MAX_NAMED = 5
MAX_NAME = 60


@dataclass(frozen=True)
class ServedRoute:
    """A route as the middleware sees it. `query` are the parameters that it declares, `max_bytes` bounds a body that
    is no upload, `page` says that a person in front of a browser is answered.
    """

    template: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    query: frozenset[str]
    pace: Pace
    upload: bool
    max_bytes: int = MAX_JSON_BYTES

    @property
    def page(self) -> bool:
        return self.pace == "page"

    @property
    def public(self) -> bool:
        return self.template in PUBLIC

    @property
    def cost(self) -> float:
        """How much of a request it is for the address of somebody who is not known."""
        return 0.0 if self.template in PROBES else STATIC_COST if self.template in STATIC else 1.0

    def check_query(self, scope: Scope) -> None:
        """Raise InvalidInput for a parameter that the route does not know, or that is given twice: one that is ignored
        misleads who relies on it.
        """
        given = Counter(name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        unknown = sorted(set(given) - self.query)
        if unknown:
            known = ", ".join(sorted(self.query)) or "none"
            raise InvalidInput(f"There is no query parameter {_named(unknown)}; this route has: {known}.")
        if twice := sorted(name for name, number in given.items() if number > 1):
            raise InvalidInput(f"Give the query parameter {_named(twice)} once.")


UNKNOWN = ServedRoute("unknown", frozenset(), re.compile(r"(?!)"), frozenset(), pace="ordinary", upload=False)


class RouteTable:
    """All routes of an application, found by method and path as the framework finds them: the first that fits."""

    def __init__(self, app: FastAPI) -> None:
        self.routes: Sequence[ServedRoute] = [_served(context) for context in iter_route_contexts(app.routes)]

    def find(self, scope: Scope) -> ServedRoute:
        """The route of this request; for a path that has none, or not with this method, one that is open to nobody."""
        path, method = _route_path(scope), scope["method"]
        for route in self.routes:
            if (not route.methods or method in route.methods) and route.pattern.match(path):
                return route
        return UNKNOWN


def _route_path(scope: Scope) -> str:
    """The path below the root that a proxy may have given the service, as the framework cuts it."""
    path: str = scope["path"]
    root = scope.get("root_path", "")
    return path.removeprefix(root) if path == root or path.startswith(f"{root}/") else path


def _served(context: RouteContext) -> ServedRoute:
    template = str(context.path)
    is_mount = isinstance(context.original_route, Mount)
    pattern, _, _ = compile_path(template + "/{path:path}" if is_mount else template)
    is_api = isinstance(context.original_route, APIRoute)
    body = context.body_field if is_api else None
    tags = context.tags or () if is_api else ()
    return ServedRoute(
        template=template,
        methods=frozenset({"GET", "HEAD"} if is_mount else context.methods or ()),
        pattern=pattern,
        query=frozenset(_query_names(context.dependant)) if is_api and context.dependant else frozenset(),
        pace="bulk" if BULK_TAGS.intersection(tags) else "page" if CONSOLE in tags else "ordinary",
        upload=body is not None and getattr(body.field_info, "media_type", "") == "multipart/form-data",
        max_bytes=MAX_PROVISIONING_BYTES if PROVISIONING in tags else MAX_JSON_BYTES,
    )


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


def _named(names: Sequence[str]) -> str:
    """Names as a caller wrote them, cut and without what a terminal would obey."""
    shown = ["".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in n[:MAX_NAME]) for n in names]
    more = f" and {len(shown) - MAX_NAMED} more" if len(shown) > MAX_NAMED else ""
    return ", ".join(f"'{name}'" for name in shown[:MAX_NAMED]) + more
