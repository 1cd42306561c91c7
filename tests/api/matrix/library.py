"""Declared: asking, documents, uploads, collections and conversations."""

from tests.api.matrix.route_access import (
    ANYBODY,
    CREW,
    CREW_DOCUMENT,
    CREW_FOLDER,
    FOLDER_OF_CREW,
    NEW_FOLDER,
    NONE,
    PAGED,
    PERSON_ON_CREW,
    PERSON_ON_DOCUMENT,
    QUESTION,
    ROLE_OF_UPLOAD,
    ROLE_ON_CREW,
    ROLE_ON_DOCUMENT,
    RULE_BODY,
    RULERS,
    TARGET,
    THERE,
    Case,
    Route,
    in_conversation,
    named_in_rule,
    on,
    uploading,
)

CURATORS, SEERS, READERS = "its curators", "who sees the collection", "its readers"
OF_CREW = {"name": CREW}
PLANNED = {"file": b"100  new.md\n", "roles": ["everyone"]}
PATH_OF_CREW = "a path, by who curates the crew's collection"

LIBRARY: dict[tuple[str, str], Route] = {
    ("POST", "/api/v1/ask"): Route(
        "ask",
        (
            Case(body={"question": QUESTION}),
            Case(body={"question": QUESTION, "mode": "quote"}),
            Case(body={"question": QUESTION, "stream": True}, shape="stream"),
            Case("collection", SEERS, body={"question": QUESTION, "collections": [TARGET]}),
            in_conversation(),
            in_conversation(body={"question": QUESTION, "mode": "quote"}),
            in_conversation(body={"question": QUESTION, "stream": True}, shape="stream"),
        ),
        lent=True,
    ),
    ("POST", "/api/v1/feedback"): Route(
        "ask",
        (on("answer", "one's own", ".token", body={"helpful": True}, done=201),),
        values=(".helpful", ".reason"),
        lent=True,
    ),
    ("GET", "/api/v1/feedback"): Route(
        "curate",
        (on("collection", "who curates the collection", "?collection"),),
        values=PAGED,
    ),
    ("POST", "/api/v1/search"): Route(
        "ask",
        (
            Case(body={"query": QUESTION, "limit": 50}),
            Case("collection", SEERS, body={"query": QUESTION, "collections": [TARGET]}),
            on("folder", "anybody", ".folder", body={"query": QUESTION}, seen_by=RULERS),
        ),
        values=(".neighbours", ".explain"),
        lent=True,
    ),
    ("GET", "/api/v1/documents"): Route(
        "key",
        (
            Case(),
            on("collection", "anybody", "?collection", seen_by="its readers and curators"),
            on("document", "its readers and curators", "?after"),
            on("folder", "anybody", "?folder", seen_by=RULERS),
            on("folder", "anybody", "?contains", seen_by=RULERS),
        ),
        lent=True,
    ),
    ("GET", "/api/v1/documents/{document}"): Route("ask", (on("document", READERS, "document"),), lent=True),
    ("GET", "/api/v1/documents/{document}/original"): Route(
        "download", (on("document", READERS, "document", shape="file"),), lent=True
    ),
    ("GET", "/api/v1/documents/{document}/access"): Route("curate", (on("document", CURATORS, "document"),)),
    ("PUT", "/api/v1/documents/{document}/access"): Route(
        "curate",
        (
            on("document", CURATORS, "document", body=RULE_BODY),
            *named_in_rule(ROLE_ON_DOCUMENT, PERSON_ON_DOCUMENT, path={"document": CREW_DOCUMENT}),
        ),
    ),
    ("DELETE", "/api/v1/documents/{document}"): Route("curate", (on("document", CURATORS, "document", **NONE),)),
    ("POST", "/api/v1/collections/{name}/documents"): Route(
        "curate",
        (
            uploading("collection", "who curates the collection", TARGET),
            uploading("role", ROLE_OF_UPLOAD, CREW, roles=[TARGET]),
            uploading("role", ROLE_OF_UPLOAD, CREW, deny=[TARGET]),
            uploading("path", PATH_OF_CREW, CREW, path=TARGET, seen_by=READERS),
        ),
    ),
    ("POST", "/api/v1/collections/{name}/documents/preview"): Route(
        "curate",
        (
            on("collection", "who curates the collection", "name", form=PLANNED),
            Case("role", ROLE_OF_UPLOAD, path=OF_CREW, form={**PLANNED, "roles": [TARGET]}),
            Case("role", ROLE_OF_UPLOAD, path=OF_CREW, form={**PLANNED, "deny": [TARGET]}),
        ),
    ),
    ("PATCH", "/api/v1/documents/{document}"): Route(
        "curate", (on("document", CURATORS, "document", body={"path": "moved.md"}),), values=(".path",)
    ),
    ("POST", "/api/v1/collections/{name}/sync"): Route(
        "curate",
        (on("collection", "who curates the collection", "name", form={"file": b""}),),
        values=(".fingerprint", ".allow_large_removal"),
    ),
    ("GET", "/api/v1/jobs"): Route("curate", values=PAGED),
    ("GET", "/api/v1/jobs/{job}"): Route("curate", (on("job", "one's own", "job"),)),
    ("POST", "/api/v1/jobs/{job}/retry"): Route("curate", (on("failed job", "one's own", "job", done=202),)),
    ("DELETE", "/api/v1/jobs/{job}"): Route("curate", (on("failed job", "one's own", "job", **NONE),)),
    ("GET", "/api/v1/collections"): Route("key", values=PAGED, lent=True),
    ("POST", "/api/v1/collections"): Route(
        "administer",
        (
            Case(body={"name": "new-collection", "grants": [ANYBODY]}, done=201),
            Case("role", "a role", body={"name": "new-collection", "grants": [{"role": TARGET}]}, done=201),
            Case("user", "a person", body={"name": "new-collection", "grants": [{"user": TARGET}]}, done=201),
        ),
        values=(".name",),
    ),
    ("GET", "/api/v1/collections/{name}"): Route("key", (on("collection", SEERS, "name"),), lent=True),
    ("DELETE", "/api/v1/collections/{name}"): Route("administer", (on("collection", SEERS, "name", **NONE),)),
    ("GET", "/api/v1/collections/{name}/access"): Route(
        "key", (on("collection", RULERS, "name"), on("folder", FOLDER_OF_CREW, "?folder", path=OF_CREW))
    ),
    ("PUT", "/api/v1/collections/{name}/access"): Route(
        "key",
        (
            on("collection", RULERS, "name", body=RULE_BODY),
            on("folder", NEW_FOLDER, "?folder", path=OF_CREW, body=RULE_BODY, seen_by=FOLDER_OF_CREW),
            *named_in_rule(ROLE_ON_CREW, PERSON_ON_CREW, path=OF_CREW),
        ),
    ),
    ("PUT", "/api/v1/collections/{name}/curators/{user}"): Route(
        "administer",
        (
            on("collection", SEERS, "name", path={"user": "bystander"}, **NONE),
            on("user", "another person", "user", path=OF_CREW, **NONE),
        ),
    ),
    ("DELETE", "/api/v1/collections/{name}/curators/{user}"): Route(
        "administer",
        (
            on("collection", SEERS, "name", path={"user": "keeper"}, **NONE),
            on("curator", THERE, "user", path=OF_CREW, **NONE),
        ),
    ),
    ("POST", "/api/v1/conversations"): Route("ask", (Case(done=201),)),
    ("GET", "/api/v1/conversations"): Route("ask", values=PAGED),
    ("GET", "/api/v1/conversations/{conversation}"): Route(
        "ask", (on("conversation", "one's own", "conversation"),), values=PAGED
    ),
    ("PATCH", "/api/v1/conversations/{conversation}"): Route(
        "ask", (on("conversation", "one's own", "conversation", body={"title": "Another"}),), values=(".title",)
    ),
    ("DELETE", "/api/v1/conversations/{conversation}"): Route(
        "ask", (on("conversation", "one's own", "conversation", **NONE),)
    ),
    ("GET", "/api/v1/collections/{name}/tree"): Route(
        "key",
        (on("collection", RULERS, "name"), on("folder", FOLDER_OF_CREW, "?folder", path=OF_CREW)),
        values=PAGED,
    ),
    ("GET", "/api/v1/collections/{name}/documents"): Route(
        "curate",
        (
            on("collection", "who curates the collection", "name"),
            on("folder", PATH_OF_CREW, "?folder", path=OF_CREW, seen_by=RULERS),
            on("folder", PATH_OF_CREW, "?contains", path=OF_CREW, seen_by=RULERS),
        ),
        values=PAGED,
    ),
    ("GET", "/api/v1/collections/{name}/folders"): Route("key", (on("collection", RULERS, "name"),), values=PAGED),
    ("DELETE", "/api/v1/collections/{name}/access"): Route(
        "key",
        (
            on("folder", FOLDER_OF_CREW, "?folder", path=OF_CREW, **NONE),
            on("collection with a folder", RULERS, "name", query={"folder": CREW_FOLDER}, **NONE),
        ),
    ),
}
