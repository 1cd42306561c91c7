"""The declared access of the console's pages and forms. An error is a page; who is not signed in is led to sign in."""

from typing import Any

from tests.api.matrix.library import READERS, SEERS
from tests.api.matrix.route_access import OWN_OR_ANY, PAGED, QUESTION, RULERS, Case, Route, on

PAGE: dict[str, Any] = {"shape": "page"}
# After a change one is led on.
ON: dict[str, Any] = {"shape": "page", "done": 303}
OWN = "one's own"

READING: dict[tuple[str, str], Route] = {
    ("GET", "/"): Route("key", (Case(**PAGE),)),
    ("POST", "/feedback"): Route(
        "ask",
        (Case("answer", OWN, form={"token": "<target>", "helpful": "yes"}, **PAGE),),
        values=(".helpful", ".reason"),
    ),
    ("GET", "/conversations"): Route("ask", (Case(**PAGE),), values=PAGED),
    ("GET", "/conversations/{conversation}"): Route(
        "ask", (on("conversation", OWN, "conversation", **PAGE),), values=PAGED
    ),
    ("POST", "/conversations/{conversation}/rename"): Route(
        "ask", (on("conversation", OWN, "conversation", form={"title": "Another title"}, **ON),), values=(".title",)
    ),
    ("POST", "/conversations/{conversation}/delete"): Route("ask", (on("conversation", OWN, "conversation", **ON),)),
    ("GET", "/search"): Route(
        "ask",
        (
            Case(query={"q": "quarterly figures"}, **PAGE),
            on("collection", SEERS, "?collection", query={"q": QUESTION}, **PAGE),
            on("folder", "anybody", "?folder", query={"q": QUESTION}, seen_by=RULERS, **PAGE),
        ),
        values=("?q",),
    ),
    ("GET", "/documents"): Route(
        "key",
        (
            Case(**PAGE),
            on("collection", "anybody", "?collection", seen_by="its readers and curators", **PAGE),
            on("document", "its readers and curators", "?after", **PAGE),
        ),
    ),
    ("GET", "/documents/{document}"): Route(
        "ask", (on("document", READERS, "document", **PAGE),), values=("?passage", "?part")
    ),
    ("GET", "/documents/{document}/original"): Route(
        "download", (on("document", READERS, "document", shape="download"),)
    ),
}
ACCOUNT: dict[tuple[str, str], Route] = {
    ("GET", "/me"): Route("key", (Case(**PAGE),), values=("?notice",)),
    ("POST", "/me/preferences"): Route(
        "key", (Case(form={"theme": "dark"}, **ON),), values=(".language", ".theme", ".shortcuts")
    ),
    ("POST", "/me/sessions/{session_id}/end"): Route("key", (on("session", OWN_OR_ANY, "session_id", **ON),)),
    ("POST", "/me/passkeys/{passkey}/remove"): Route("key", (on("passkey", OWN_OR_ANY, "passkey", **ON),)),
    ("POST", "/me/keys"): Route(
        "key",
        (Case(rule="by administrators, or in a session", form={"label": "mine", "days": "1"}, shape="page", done=201),),
        values=(".label", ".days", ".capabilities"),
    ),
    ("POST", "/me/keys/{key}/revoke"): Route("key", (on("key", OWN_OR_ANY, "key", **ON),)),
}
CONSOLE = READING | ACCOUNT
# What the matrix leaves to other tests: files that everybody may have; answers, which go on after the request that
# began them (test_answers); and the sample company (test_sample).
APART = {
    ("GET", "/static/{name}"),
    ("POST", "/csp-reports"),
    ("POST", "/ask"),
    ("GET", "/answers/{answer}"),
    ("GET", "/answers/{answer}/events"),
    ("POST", "/answers/{answer}/stop"),
    ("POST", "/sample/person"),
}
