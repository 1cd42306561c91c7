"""The declared access of the console's pages and forms. An error is a page; who is not signed in is led to sign in."""

from typing import Any

from tests.api.matrix.library import CURATORS, OF_CREW, PATH_OF_CREW, READERS, SEERS
from tests.api.matrix.route_access import (
    CREW,
    CREW_DOCUMENT,
    CREW_REVIEW,
    FOLDER_OF_CREW,
    NEW_FOLDER,
    OF_RULED,
    ON_CREW_REVIEW,
    OPEN_DOCUMENT,
    OWN_OR_ANY,
    PAGED,
    QUESTION,
    REVIEW_ITEM,
    ROLE_OF_UPLOAD,
    ROLE_ON_CREW,
    ROLE_OWNERS,
    RULERS,
    SEARCHED,
    TARGET,
    THERE,
    Case,
    Route,
    on,
)

PAGE: dict[str, Any] = {"shape": "page"}
# After a change one is led on.
ON: dict[str, Any] = {"shape": "page", "done": 303}
OWN = "one's own"
PART_OF_CREW = "a part of the crew's collection, by who sees it"

READING: dict[tuple[str, str], Route] = {
    ("GET", "/"): Route("key", (Case(**PAGE),)),
    ("POST", "/feedback"): Route(
        "ask",
        (Case("answer", OWN, form={"token": "<target>", "helpful": "yes"}, acts=True, **PAGE),),
        values=(".helpful", ".reason", ".asked", ".share"),
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
            on("collection", "anybody", "?collection", seen_by=SEERS, **PAGE),
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
            on("folder", "a folder to look into", "?folder", path=OF_CREW, seen_by=RULERS, **PAGE),
            on("folder", PART_OF_CREW, "?contains", path=OF_CREW, seen_by=RULERS, **PAGE),
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
    ("GET", "/collections/{name}/feedback"): Route(
        "curate", (on("collection", "who curates the collection", "name", **PAGE),), values=PAGED
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
            on(
                "user",
                "a person there, by curators of the crew's document",
                "?user",
                path={"document": CREW_DOCUMENT},
                **PAGE,
            ),
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
# A role that is delegated to them is not theirs to see, and one that is not there neither.
THEIR_ROLE = "one's delegated role"
NEW = {"shape": "page", "done": 201}
COMPANY: dict[tuple[str, str], Route] = {
    ("GET", "/people"): Route(
        "administer",
        (Case(**PAGE), on("role", THERE, "?role", **PAGE)),
        values=(*PAGED, *SEARCHED, "?capability"),
    ),
    ("POST", "/people"): Route("administer", (Case(form={"name": "new-person"}, **ON),), values=(".name",)),
    ("GET", "/people/{name}"): Route("administer", (on("user", THERE, "name", **PAGE),), values=("?notice",)),
    ("GET", "/people/{name}/reading"): Route("administer", (on("other user", THERE, "name", **PAGE),)),
    ("POST", "/people/{name}/off"): Route("administer", (on("other user", THERE, "name", **ON),)),
    ("POST", "/people/{name}/on"): Route("administer", (on("user who is off", THERE, "name", **ON),)),
    ("POST", "/people/{name}/capabilities"): Route(
        "administer", (on("other user", THERE, "name", form={"capabilities": ["download"]}, **ON),)
    ),
    ("POST", "/people/{name}/clearance"): Route(
        "administer", (on("other user", THERE, "name", form={"clearance": "public"}, **ON),)
    ),
    ("POST", "/people/{name}/roles"): Route(
        "administer",
        (
            on("other user", THERE, "name", form={"role": "outside"}, **ON),
            Case("role", THERE, path={"name": "bystander"}, form={"role": TARGET}, **ON),
        ),
        values=(".act",),
    ),
    ("POST", "/people/{name}/link"): Route("administer", (on("other user", THERE, "name", **NEW),)),
    ("POST", "/people/{name}/sign-out"): Route(
        "administer", (on("user with a session", THERE, "name", **ON),)
    ),
    ("GET", "/roles"): Route("administer or curate or look after", (Case(**PAGE),), values=(*PAGED, "?text")),
    ("POST", "/roles"): Route("administer", (Case(form={"name": "new-role"}, **ON),), values=(".name",)),
    ("GET", "/roles/{name}"): Route(
        ROLE_OWNERS, (on("delegable role", THEIR_ROLE, "name", **PAGE),), values=(*PAGED, "?text", "?nested")
    ),
    ("POST", "/roles/{name}/delete"): Route("administer", (on("free role", THERE, "name", **ON),)),
    ("POST", "/roles/{name}/members"): Route(
        ROLE_OWNERS,
        (
            on("delegable role", THEIR_ROLE, "name", form={"user": "bystander"}, **ON),
            Case("other user", THERE, path={"name": "outside"}, form={"user": TARGET}, **ON),
        ),
        values=(".act",),
    ),
    ("POST", "/roles/{name}/nesting"): Route(
        "administer",
        (
            on("free role", THERE, "name", form={"outer": "tags"}, **ON),
            Case("role", THERE, path={"name": "spare"}, form={"outer": TARGET}, **ON),
        ),
        values=(".act",),
    ),
    ("POST", "/roles/{name}/group"): Route(
        "administer", (on("source role", THERE, "name", form={"group": "g-1"}, **ON),), values=(".group",)
    ),
    ("POST", "/roles/{name}/stewards"): Route(
        "administer",
        (
            on("role", THERE, "name", form={"user": "bystander"}, **ON),
            Case("user", "another person", path={"name": "tags"}, form={"user": TARGET}, **ON),
        ),
        values=(".act",),
    ),
    ("GET", "/sources"): Route("administer", (Case(**PAGE),)),
    ("GET", "/sources/groups"): Route("administer", (Case(**PAGE),), values=PAGED),
    ("GET", "/keys"): Route("administer", (Case(**PAGE),), values=(*PAGED, "?user")),
    ("POST", "/keys/{key}/revoke"): Route("administer", (on("key", THERE, "key", **ON),), values=(".user",)),
    ("GET", "/sessions"): Route("administer", (Case(**PAGE),), values=PAGED),
    ("POST", "/sessions/{session_id}/end"): Route(
        "administer", (on("session", THERE, "session_id", **ON),), values=(".user",)
    ),
    ("GET", "/access"): Route(
        "key",
        (
            Case(**PAGE),
            on("document", "who may know of others", "?document", query={"user": "bystander"}, **PAGE),
            on(
                "user", "a person, by who may know of others' access to the open document", "?user",
                query={"document": OPEN_DOCUMENT}, **PAGE,
            ),
        ),
    ),
    ("GET", "/health"): Route("administer", (Case(**PAGE),), values=("?look",)),
    ("GET", "/leak-tests"): Route("administer", (Case(**PAGE),), values=PAGED),
    ("POST", "/leak-tests"): Route("administer", (Case(acts=True, **ON),)),
    ("GET", "/leak-tests/{run}"): Route("administer", (on("leak test", THERE, "run", **PAGE),)),
    ("GET", "/reviews"): Route("key", (Case(**PAGE),), values=PAGED),
    ("POST", "/reviews"): Route(
        "key",
        (Case("collection", RULERS, form={"collection": TARGET, "title": "This year's"}, **ON),),
        values=(".title",),
    ),
    ("GET", "/reviews/{review}"): Route(
        "key", (on("review", OF_RULED, "review", **PAGE),), values=(*PAGED, "?undecided")
    ),
    ("GET", "/reviews/{review}/close"): Route("key", (on("review", OF_RULED, "review", **PAGE),)),
    ("POST", "/reviews/{review}/items/{item}"): Route(
        "key",
        (
            on("review", ON_CREW_REVIEW, "review", path={"item": REVIEW_ITEM}, form={"decision": "withdraw"}, **ON),
            on(
                "review item", ON_CREW_REVIEW, "item",
                path={"review": CREW_REVIEW}, form={"decision": "withdraw"}, **ON,
            ),
        ),
        values=(".decision",),
    ),
}  # fmt: skip
EVIDENCE: dict[tuple[str, str], Route] = {
    ("GET", "/log"): Route("audit", (Case(**PAGE),), values=PAGED),
    ("GET", "/log/{seq}"): Route("audit", (on("record", THERE, "seq", **PAGE),), values=("?head", "?opening")),
    ("GET", "/openings"): Route("audit", (Case(**PAGE),), values=PAGED),
    ("POST", "/openings"): Route(
        "open",
        (Case("sealed record", THERE, form={"record": "<target>", "reason": "A complaint."}, acts=True, **ON),),
        values=(".reason",),
    ),
    ("POST", "/openings/{opening}/decide"): Route(
        "open",
        (on("waiting opening", THERE, "opening", form={"approved": "yes"}, acts=True, **ON),),
        values=(".approved",),
    ),
    ("GET", "/erasures"): Route("erase or audit", (Case(**PAGE),), values=PAGED),
    ("POST", "/erasures"): Route(
        "erase",
        (Case("user who is off", THERE, form={"user": "<target>", "reason": "A request."}, acts=True, **ON),),
        values=(".reason", ".document"),
    ),
    ("POST", "/erasures/{erasure}/decide"): Route(
        "erase",
        (on("waiting erasure", THERE, "erasure", form={"approved": "no"}, acts=True, **ON),),
        values=(".approved",),
    ),
    ("GET", "/retention"): Route("erase or audit", (Case(**PAGE),), values=PAGED),
    ("POST", "/retention"): Route(
        "erase",
        (Case(form={"records": "search", "days": "90", "reason": "A policy of ours."}, acts=True, **ON),),
        values=(".records", ".days", ".reason"),
    ),
    ("POST", "/retention/{rule}/decide"): Route(
        "erase",
        (on("waiting rule", THERE, "rule", form={"approved": "no"}, acts=True, **ON),),
        values=(".approved",),
    ),
    ("GET", "/holds"): Route("hold or erase or audit", (Case(**PAGE),), values=PAGED),
    ("POST", "/holds"): Route(
        "hold",
        (Case("other user", THERE, form={"user": "<target>", "reason": "A case....."}, acts=True, **ON),),
        values=(".reason", ".document"),
    ),
    ("POST", "/holds/{hold}/lift"): Route("hold", (on("legal hold", THERE, "hold", acts=True, **ON),)),
    ("GET", "/log/records/{record}"): Route("audit", (on("recorded id", THERE, "record", **ON),)),
    ("POST", "/log/queries"): Route(
        "audit", (Case(form={"name": "Ada", "q": "kind:search"}, acts=True, **ON),), values=(".name",)
    ),
    ("POST", "/log/queries/{saved}/remove"): Route("audit", (on("saved query", OWN, "saved", acts=True, **ON),)),
    ("GET", "/heads"): Route("audit", (Case(**PAGE),), values=PAGED),
    ("GET", "/shown"): Route(
        "audit",
        (Case(**PAGE), Case(query={"document": CREW_DOCUMENT}, **PAGE), on("user", THERE, "?user", **PAGE)),
        values=(*PAGED, "?document", "?since", "?until"),
    ),
    ("GET", "/exposure"): Route(
        "audit",
        (Case(**PAGE), Case(query={"document": CREW_DOCUMENT, "since": "2026-01-01"}, **PAGE)),
        values=(*PAGED, "?document", "?since", "?until"),
    ),
    ("GET", "/unusual"): Route(
        "audit", (Case(**PAGE), on("user", THERE, "?user", **PAGE)), values=(*PAGED, "?since", "?until")
    ),
    ("GET", "/replays/{trail}"): Route("audit", (on("trail", THERE, "trail", **PAGE),)),
    ("GET", "/receipts/{trail}"): Route("audit", (on("trail", THERE, "trail", shape="download"),)),
    ("GET", "/exports"): Route("audit", (Case(**PAGE),), values=PAGED),
    ("POST", "/exports"): Route(
        "export", (Case(form={"format": "csv"}, acts=True, **ON),), values=(".opening", ".reason")
    ),
    ("GET", "/exports/{export}"): Route("audit", (on("log export", OWN, "export", **PAGE),)),
    ("GET", "/exports/{export}/file"): Route("export", (on("log export", OWN, "export", shape="download"),)),
    ("GET", "/exports/{export}/manifest"): Route("audit", (on("log export", OWN, "export", shape="download"),)),
    ("POST", "/exports/{export}/resume"): Route("export", (on("interrupted export", OWN, "export", acts=True, **ON),)),
    ("POST", "/exports/{export}/remove"): Route("audit", (on("log export", OWN, "export", acts=True, **ON),)),
}
CONSOLE = READING | ACCOUNT | CURATING | COMPANY | EVIDENCE
# What the matrix leaves to other tests: a review's close, whose form names what was seen before, and the manifest of a
# closed one (test_company); files that everybody may have; answers, which go on after the request that
# began them (test_answers); and the sample company (test_sample).
APART = {
    ("GET", "/static/{name}"),
    ("POST", "/csp-reports"),
    ("POST", "/ask"),
    ("GET", "/answers/{answer}"),
    ("GET", "/answers/{answer}/events"),
    ("POST", "/answers/{answer}/stop"),
    ("POST", "/sample/person"),
    ("POST", "/reviews/{review}/close"),
    ("GET", "/reviews/{review}/manifest"),
}
