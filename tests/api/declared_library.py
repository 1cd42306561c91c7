"""Declared: asking, documents, uploads, collections and conversations."""

from tests.api.declaring import (
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
    ROLE_ON_CREW,
    ROLE_ON_DOCUMENT,
    RULE_BODY,
    TARGET,
    Case,
    Route,
    named_in_rule,
    on,
    uploading,
)

LIBRARY: dict[tuple[str, str], Route] = {
    ("POST", "/api/v1/ask"): Route(
        "ask",
        (
            Case(body={"question": QUESTION}),
            Case(body={"question": QUESTION, "mode": "quote"}),
            Case(body={"question": QUESTION, "stream": True}, shape="stream"),
            Case(
                "conversation",
                "one's own",
                body={"question": QUESTION, "conversation": TARGET},
                acts=True,
                in_person=True,
            ),
        ),
        lent=True,
    ),
    ("POST", "/api/v1/search"): Route(
        "ask",
        (
            Case(body={"query": QUESTION, "limit": 50}),
            Case("shelf", "who sees the shelf", body={"query": QUESTION, "collections": [TARGET]}),
            Case("folder", "anybody", body={"query": QUESTION, "folder": TARGET}, seen_by="who rules the shelf"),
        ),
        values=(".neighbours", ".explain"),
        lent=True,
    ),
    ("GET", "/api/v1/documents"): Route(
        "key",
        (
            Case(),
            Case("shelf", "anybody", query={"collection": TARGET}, seen_by="its readers and curators"),
            Case("document", "its readers and curators", query={"after": TARGET}),
        ),
        lent=True,
    ),
    ("GET", "/api/v1/documents/{document}"): Route("ask", (on("document", "its readers", "document"),), lent=True),
    ("GET", "/api/v1/documents/{document}/original"): Route(
        "download", (on("document", "its readers", "document", shape="file"),), lent=True
    ),
    ("GET", "/api/v1/documents/{document}/access"): Route("curate", (on("document", "its curators", "document"),)),
    ("PUT", "/api/v1/documents/{document}/access"): Route(
        "curate",
        (
            on("document", "its curators", "document", body=RULE_BODY),
            *named_in_rule(ROLE_ON_DOCUMENT, PERSON_ON_DOCUMENT, path={"document": CREW_DOCUMENT}),
        ),
    ),
    ("DELETE", "/api/v1/documents/{document}"): Route("curate", (on("document", "its curators", "document", **NONE),)),
    ("POST", "/api/v1/collections/{name}/documents"): Route(
        "curate",
        (
            uploading("shelf", "who curates the shelf", TARGET),
            uploading("role", "a role, by who curates the crew's shelf", CREW, roles=[TARGET]),
            uploading("role", "a role, by who curates the crew's shelf", CREW, deny=[TARGET]),
            uploading("path", "a path, by who curates the crew's shelf", CREW, path=TARGET, seen_by="its readers"),
        ),
    ),
    ("PATCH", "/api/v1/documents/{document}"): Route(
        "curate", (on("document", "its curators", "document", body={"path": "moved.md"}),), values=(".path",)
    ),
    ("POST", "/api/v1/collections/{name}/sync"): Route(
        "curate",
        (Case("shelf", "who curates the shelf", path={"name": TARGET}, form={"file": b""}),),
        values=(".fingerprint", ".allow_large_removal"),
    ),
    ("GET", "/api/v1/jobs"): Route("curate", values=PAGED),
    ("GET", "/api/v1/jobs/{job}"): Route("curate", (on("job", "one's own", "job"),)),
    ("GET", "/api/v1/collections"): Route("key", values=PAGED, lent=True),
    ("POST", "/api/v1/collections"): Route(
        "administer",
        (
            Case(body={"name": "new-shelf", "grants": [ANYBODY]}, done=201),
            Case("role", "a role", body={"name": "new-shelf", "grants": [{"role": TARGET}]}, done=201),
            Case("user", "a person", body={"name": "new-shelf", "grants": [{"user": TARGET}]}, done=201),
        ),
        values=(".name",),
    ),
    ("GET", "/api/v1/collections/{name}"): Route("key", (on("shelf", "who sees the shelf", "name"),), lent=True),
    ("DELETE", "/api/v1/collections/{name}"): Route("administer", (on("shelf", "who sees the shelf", "name", **NONE),)),
    ("GET", "/api/v1/collections/{name}/access"): Route(
        "key",
        (
            on("shelf", "who rules the shelf", "name"),
            Case("folder", FOLDER_OF_CREW, path={"name": CREW}, query={"folder": TARGET}),
        ),
    ),
    ("PUT", "/api/v1/collections/{name}/access"): Route(
        "key",
        (
            on("shelf", "who rules the shelf", "name", body=RULE_BODY),
            Case(
                "folder",
                NEW_FOLDER,
                path={"name": CREW},
                query={"folder": TARGET},
                body=RULE_BODY,
                seen_by=FOLDER_OF_CREW,
            ),
            *named_in_rule(ROLE_ON_CREW, PERSON_ON_CREW, path={"name": CREW}),
        ),
    ),
    ("PUT", "/api/v1/collections/{name}/curators/{user}"): Route(
        "administer",
        (
            on("shelf", "who sees the shelf", "name", path={"user": "bystander"}, **NONE),
            on("user", "another person", "user", path={"name": CREW}, **NONE),
        ),
    ),
    ("DELETE", "/api/v1/collections/{name}/curators/{user}"): Route(
        "administer",
        (
            on("shelf", "who sees the shelf", "name", path={"user": "keeper"}, **NONE),
            on("curator", "what is there", "user", path={"name": CREW}, **NONE),
        ),
    ),
    ("POST", "/api/v1/conversations"): Route("ask", (Case(done=201),)),
    ("GET", "/api/v1/conversations"): Route("ask", values=PAGED),
    ("GET", "/api/v1/conversations/{conversation}"): Route(
        "ask",
        (on("conversation", "one's own", "conversation"),),
        values=PAGED,
    ),
    ("DELETE", "/api/v1/conversations/{conversation}"): Route(
        "ask", (on("conversation", "one's own", "conversation", **NONE),)
    ),
    ("GET", "/api/v1/collections/{name}/folders"): Route(
        "key", (on("shelf", "who rules the shelf", "name"),), values=PAGED
    ),
    ("DELETE", "/api/v1/collections/{name}/access"): Route(
        "key",
        (
            Case("folder", FOLDER_OF_CREW, path={"name": CREW}, query={"folder": TARGET}, **NONE),
            on("shelf with a folder", "who rules the shelf", "name", query={"folder": CREW_FOLDER}, **NONE),
        ),
    ),
}
