"""Declared: people, roles, keys, delegations, the log, and the service itself."""

from tests.api.declaring import NONE, OWN_NAME, OWN_OR_ANY, PAGED, STEWARDS, TARGET, Case, Route, on, pair

_EVENTS = (Case(), Case("user", "what is there", query={"user": TARGET}))
_EXPORTS = (
    Case(shape="lines"),
    Case(query={"format": "csv"}, shape="csv"),
    Case("user", "what is there", query={"user": TARGET}, shape="lines"),
)

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
        "administer", (on("user", "what is there", "name", body={"display_name": "Another"}),)
    ),
    ("GET", "/api/v1/roles"): Route("administer or curate or look after", values=PAGED),
    ("POST", "/api/v1/roles"): Route(
        "administer",
        (
            Case(body={"name": "new-role"}, done=201),
            Case("role", "an outer role", body={"name": "new-role", "inside": [TARGET]}, done=201),
        ),
        values=(".name", ".source"),
    ),
    ("DELETE", "/api/v1/roles/{name}"): Route("administer", (on("free role", "what is there", "name", **NONE),)),
    ("PUT", "/api/v1/roles/{name}/members/{user}"): Route(
        STEWARDS,
        pair(
            ("name", "delegable role", "outside"),
            ("user", "user", "bystander"),
            "one's delegated role",
            "another person",
        ),
    ),
    ("DELETE", "/api/v1/roles/{name}/members/{user}"): Route(
        STEWARDS,
        pair(
            ("name", "delegable role", "outside"),
            ("user", "member", "outsider"),
            "one's delegated role",
            "another person",
        ),
    ),
    ("PUT", "/api/v1/roles/{name}/inside/{outer}"): Route(
        "administer", pair(("name", "free role", "spare"), ("outer", "role", "tags"))
    ),
    ("DELETE", "/api/v1/roles/{name}/inside/{outer}"): Route(
        "administer", pair(("name", "inner role", "guests"), ("outer", "outer role", "crew"))
    ),
    ("GET", "/api/v1/keys"): Route(
        "key",
        (Case(), Case("user", "one's own name, or any by an administrator", query={"user": TARGET})),
        values=PAGED,
    ),
    ("POST", "/api/v1/keys"): Route(
        "administer",
        (Case("user", "what is there and may be named", body={"user": TARGET, "capabilities": []}, done=201),),
    ),
    ("PATCH", "/api/v1/keys/{key}"): Route(
        "key",
        (
            on(
                "key",
                "one's own, or any by an administrator",
                "key",
                body={"expires_at": "2090-01-01T00:00:00Z"},
            ),
        ),
        values=(".label",),
    ),
    ("DELETE", "/api/v1/keys/{key}"): Route(
        "key", (on("key", "one's own, or any by an administrator", "key", **NONE),)
    ),
    ("GET", "/api/v1/audit/events"): Route("audit", _EVENTS, values=PAGED),
    ("GET", "/api/v1/audit/head"): Route("audit"),
    ("GET", "/api/v1/audit/export"): Route("audit", _EXPORTS),
    ("PUT", "/api/v1/roles/{name}/stewards/{user}"): Route(
        "administer", pair(("name", "role", "tags"), ("user", "user", "bystander"), other="another person")
    ),
    ("DELETE", "/api/v1/roles/{name}/stewards/{user}"): Route(
        "administer", pair(("name", "role with a member", "outside"), ("user", "steward", "steward"))
    ),
    ("GET", "/api/v1/delegations"): Route(
        "key", (Case(), Case("user", OWN_NAME, query={"user": TARGET})), values=PAGED
    ),
    ("POST", "/api/v1/delegations"): Route(
        "key", (Case("service", "a service, by who may ask", body={"service": TARGET, "expires_in": 60}, done=201),)
    ),
    ("DELETE", "/api/v1/delegations/{delegation}"): Route("key", (on("delegation", OWN_OR_ANY, "delegation", **NONE),)),
}
