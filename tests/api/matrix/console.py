"""The declared access of the console's pages and forms. An error is a page; who is not signed in is led to sign in."""

from typing import Any

from tests.api.matrix.library import CURATORS, OF_CREW, PATH_OF_CREW, READERS, SEERS
from tests.api.matrix.route_access import (
    CREW,
    CREW_DOCUMENT,
    FOLDER_OF_CREW,
    NEW_FOLDER,
    OWN_OR_ANY,
    PAGED,
    PERSON_ON_DOCUMENT,
    QUESTION,
    ROLE_OF_UPLOAD,
    ROLE_ON_CREW,
    RULERS,
    Case,
    Route,
    on,
)

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
SHEET = {"file": b"100  new.md\n", "roles": ["everyone"]}
GRANTED = {"change": "grant", "kind": "user", "name": "bystander"}
CURATING: dict[tuple[str, str], Route] = {
    ("GET", "/collections"): Route("key", (Case(**PAGE),), values=PAGED),
    ("GET", "/collections/{name}"): Route(
        "key",
        (
            on("collection", SEERS, "name", **PAGE),
            on("folder", FOLDER_OF_CREW, "?folder", path=OF_CREW, **PAGE),
            on("folder", PATH_OF_CREW, "?contains", path=OF_CREW, needs="curate", seen_by=RULERS, **PAGE),
        ),
        values=(*PAGED, "?order"),
    ),
    ("GET", "/collections/{name}/access"): Route(
        "key",
        (
            on("collection", RULERS, "name", **PAGE),
            on("folder", NEW_FOLDER, "?folder", path=OF_CREW, seen_by=FOLDER_OF_CREW, **PAGE),
        ),
        values=PAGED,
    ),
    ("GET", "/collections/{name}/upload"): Route(
        "curate",
        (
            on("collection", "who curates the collection", "name", **PAGE),
            on("folder", PATH_OF_CREW, "?folder", path=OF_CREW, seen_by=RULERS, **PAGE),
        ),
    ),
    ("POST", "/collections/{name}/upload/preview"): Route(
        "curate",
        (
            on("collection", "who curates the collection", "name", form=SHEET, **PAGE),
            Case("role", ROLE_OF_UPLOAD, path=OF_CREW, form={**SHEET, "roles": ["<target>"]}, **PAGE),
            Case("role", ROLE_OF_UPLOAD, path=OF_CREW, form={**SHEET, "deny": ["<target>"]}, **PAGE),
        ),
        values=(".starts", ".ends"),
    ),
    ("GET", "/documents/{document}/access"): Route(
        "curate",
        (
            on("document", CURATORS, "document", **PAGE),
            on("user", PERSON_ON_DOCUMENT, "?user", path={"document": CREW_DOCUMENT}, **PAGE),
        ),
        values=PAGED,
    ),
    ("GET", "/documents/{document}/move"): Route(
        "curate", (on("document", CURATORS, "document", **PAGE),), values=("?to",)
    ),
    ("POST", "/documents/{document}/move"): Route(
        "curate", (on("document", CURATORS, "document", form={"to": "moved.md"}, **ON),), values=(".to",)
    ),
    ("GET", "/documents/{document}/delete"): Route("curate", (on("document", CURATORS, "document", **PAGE),)),
    ("POST", "/documents/{document}/delete"): Route("curate", (on("document", CURATORS, "document", **ON),)),
    ("GET", "/jobs"): Route("curate", (Case(**PAGE),), values=PAGED),
    ("POST", "/jobs/{job}/retry"): Route("curate", (on("failed job", OWN, "job", **ON),)),
    ("POST", "/jobs/{job}/remove"): Route("curate", (on("failed job", OWN, "job", **ON),)),
    ("GET", "/plans"): Route("key", (Case(**PAGE),), values=PAGED),
    ("POST", "/plans"): Route(
        "key",
        (
            Case("collection", RULERS, form={"collection": "<target>", **GRANTED}, **ON),
            Case("folder", NEW_FOLDER, form={"collection": CREW, "folder": "<target>", **GRANTED}, **ON),
            Case("document", CURATORS, form={"document": "<target>", **GRANTED}, needs="curate", **ON),
            Case("role", ROLE_ON_CREW, form={"collection": CREW, "change": "grant", "name": "<target>"}, **ON),
            Case(
                "grant",
                "a grant of the crew's collection",
                form={"collection": CREW, "change": "revoke", "grant": "<target>"},
                **ON,
            ),
        ),
        values=(".change", ".kind", ".starts", ".ends"),
    ),
    ("GET", "/plans/{plan}"): Route("key", (on("plan", OWN_OR_ANY, "plan", **PAGE),)),
    ("POST", "/plans/{plan}/apply"): Route("key", (on("plan", OWN_OR_ANY, "plan", **ON),)),
    ("POST", "/plans/{plan}/again"): Route("key", (on("plan", OWN_OR_ANY, "plan", **ON),)),
    ("POST", "/plans/{plan}/withdraw"): Route("key", (on("plan", OWN_OR_ANY, "plan", **ON),)),
    ("GET", "/grants"): Route("key", (Case(**PAGE),), values=PAGED),
    ("GET", "/reach"): Route(
        "key",
        (
            on("user", "a person, by who rules a collection", "?user", **PAGE),
            on("role", "a role, by who rules a collection", "?role", **PAGE),
        ),
        values=PAGED,
    ),
}
CONSOLE = READING | ACCOUNT | CURATING
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
