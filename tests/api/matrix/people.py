"""Declared: people, roles, keys, delegations, the log, and the service itself."""

from tests.api.matrix.route_access import (
    NONE,
    OWN_NAME,
    OWN_OR_ANY,
    PAGED,
    ROLE_OWNERS,
    THERE,
    Case,
    Route,
    on,
    pair,
)

MEMBER = ("name", "delegable role", "outside")
BY_OWNERS = ("one's delegated role", "another person")

PEOPLE: dict[tuple[str, str], Route] = {
    ("GET", "/healthz"): Route("public"),
    ("GET", "/readyz"): Route("public"),
    ("GET", "/api/v1/docs"): Route("public", (Case(shape="html"),)),
    ("GET", "/api/v1/openapi.json"): Route("public"),
    ("GET", "/metrics"): Route("metrics key", (Case(shape="text"),)),
    ("GET", "/api/v1/users/me"): Route("key", lent=True),
    ("GET", "/api/v1/users"): Route("administer", values=PAGED),
    ("POST", "/api/v1/users"): Route(
        "administer", (Case(body={"name": "new-person"}, done=201),), values=(".name", ".source")
    ),
    ("PATCH", "/api/v1/users/{name}"): Route(
        "administer", (on("user", THERE, "name", body={"display_name": "Another"}),)
    ),
    ("GET", "/api/v1/roles"): Route("administer or curate or look after", values=PAGED),
    ("POST", "/api/v1/roles"): Route(
        "administer",
        (
            Case(body={"name": "new-role"}, done=201),
            Case("role", "an outer role", body={"name": "new-role", "inside": ["<target>"]}, done=201),
        ),
        values=(".name", ".source"),
    ),
    ("DELETE", "/api/v1/roles/{name}"): Route("administer", (on("free role", THERE, "name", **NONE),)),
    ("PUT", "/api/v1/roles/{name}/members/{user}"): Route(
        ROLE_OWNERS, pair(MEMBER, ("user", "user", "bystander"), *BY_OWNERS)
    ),
    ("DELETE", "/api/v1/roles/{name}/members/{user}"): Route(
        ROLE_OWNERS, pair(MEMBER, ("user", "member", "outsider"), *BY_OWNERS)
    ),
    ("PUT", "/api/v1/roles/{name}/inside/{outer}"): Route(
        "administer", pair(("name", "free role", "spare"), ("outer", "role", "tags"))
    ),
    ("DELETE", "/api/v1/roles/{name}/inside/{outer}"): Route(
        "administer", pair(("name", "inner role", "guests"), ("outer", "outer role", "crew"))
    ),
    ("GET", "/api/v1/keys"): Route("key", (Case(), on("user", OWN_NAME, "?user")), values=PAGED),
    ("POST", "/api/v1/keys"): Route(
        "administer", (on("user", "what is there and may be named", ".user", body={"capabilities": []}, done=201),)
    ),
    ("PATCH", "/api/v1/keys/{key}"): Route(
        "key", (on("key", OWN_OR_ANY, "key", body={"expires_at": "2090-01-01T00:00:00Z"}),), values=(".label",)
    ),
    ("DELETE", "/api/v1/keys/{key}"): Route("key", (on("key", OWN_OR_ANY, "key", **NONE),)),
    ("GET", "/api/v1/audit/events"): Route("audit", (Case(), on("user", THERE, "?user")), values=PAGED),
    ("GET", "/api/v1/audit/head"): Route("audit"),
    ("GET", "/api/v1/audit/export"): Route(
        "audit",
        (
            Case(shape="lines"),
            Case(query={"format": "csv"}, shape="csv"),
            on("user", THERE, "?user", shape="lines"),
        ),
    ),
    ("PUT", "/api/v1/roles/{name}/stewards/{user}"): Route(
        "administer", pair(("name", "role", "tags"), ("user", "user", "bystander"), other="another person")
    ),
    ("DELETE", "/api/v1/roles/{name}/stewards/{user}"): Route(
        "administer", pair(("name", "role with a member", "outside"), ("user", "steward", "steward"))
    ),
    ("GET", "/api/v1/delegations"): Route("key", (Case(), on("user", OWN_NAME, "?user")), values=PAGED),
    ("POST", "/api/v1/delegations"): Route(
        "key", (on("service", "a service, by who may ask", ".service", body={"expires_in": 60}, done=201),)
    ),
    ("DELETE", "/api/v1/delegations/{delegation}"): Route("key", (on("delegation", OWN_OR_ANY, "delegation", **NONE),)),
}
