"""The declared access of sessions, sign-in links and passkeys, and the pages that the matrix leaves to other tests."""

from tests.api.matrix.route_access import NONE, OWN_NAME, OWN_OR_ANY, PAGED, THERE, Case, Route, on

# Stands in a body for a passkey that the session of the matrix was asked to make.
REGISTRATION = "<registration>"
IN_SESSION = "in a browser's session"

SIGN_IN: dict[tuple[str, str], Route] = {
    ("GET", "/api/v1/sessions"): Route("key", (Case(), on("user", OWN_NAME, "?user")), values=PAGED),
    ("DELETE", "/api/v1/sessions/{session_id}"): Route("key", (on("session", OWN_OR_ANY, "session_id", **NONE),)),
    ("DELETE", "/api/v1/users/{name}/sessions"): Route(
        "key", (on("user", "oneself, or anybody by an administrator", "name"),)
    ),
    ("POST", "/api/v1/users/{name}/links"): Route(
        "administer", (on("user", THERE, "name", body={}, done=201),), values=(".loopback",)
    ),
    ("DELETE", "/api/v1/links/{link}"): Route("administer", (on("link", THERE, "link", **NONE),)),
    ("GET", "/api/v1/passkeys"): Route("key", (Case(), on("user", OWN_NAME, "?user")), values=PAGED),
    ("POST", "/api/v1/passkeys/options"): Route("key", (Case(rule=IN_SESSION, acts=True),)),
    ("POST", "/api/v1/passkeys"): Route(
        "key", (Case(rule=IN_SESSION, body={"credential": REGISTRATION}, done=201),), values=(".credential",)
    ),
    ("DELETE", "/api/v1/passkeys/{passkey}"): Route("key", (on("passkey", OWN_OR_ANY, "passkey", **NONE),)),
}
# Where nobody is known yet: pages, redirects, and what scripts and providers send. None takes a key, and what they let
# in is looked at in test_sessions, test_sign_in_links, test_passkeys and the tests of providers.
PAGES = {
    ("GET", "/sign-in"),
    ("GET", "/sign-in/link"),
    ("POST", "/sign-in/link"),
    ("POST", "/sign-in/passkey/options"),
    ("POST", "/sign-in/passkey"),
    ("GET", "/sign-in/{source}"),
    ("GET", "/sign-in/{source}/callback"),
    ("POST", "/sign-in/{source}/back-channel-logout"),
    ("POST", "/sign-out"),
    ("GET", "/.well-known/oauth-protected-resource"),
}
