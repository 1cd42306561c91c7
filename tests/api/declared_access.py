"""Declared: explaining, granting and planning."""

from tests.api.declaring import (
    CREW,
    CREW_DOCUMENT,
    FOLDER_OF_CREW,
    GRANT,
    MOMENT,
    NEW_FOLDER,
    NONE,
    OPEN_DOCUMENT,
    OWN_OR_ANY,
    PAGED,
    PERSON_ON_CREW,
    ROLE_ON_CREW,
    RULE_BODY,
    STEWARDS,
    TARGET,
    Case,
    Route,
    changing,
    on,
)

ACCESS: dict[tuple[str, str], Route] = {
    ("GET", "/api/v1/access/explain"): Route(
        "key",
        (
            Case("document", "its readers and curators", query={"document": TARGET}),
            Case("document", "who may know of others", query={"document": TARGET, "user": "bystander"}),
            Case("document", "its curators", query={"document": TARGET, "at": MOMENT}),
            Case("document", "its curators", query={"document": TARGET, "at": MOMENT, "user": "bystander"}),
            Case("user", "a person's access to the open document", query={"document": OPEN_DOCUMENT, "user": TARGET}),
        ),
    ),
    ("GET", "/api/v1/grants"): Route(
        "key",
        (
            Case("folder", FOLDER_OF_CREW, query={"collection": CREW, "folder": TARGET}),
            Case("shelf", "who rules the shelf", query={"collection": TARGET}),
            Case("document", "its curators", query={"document": TARGET}, needs="curate"),
        ),
        values=PAGED,
    ),
    ("POST", "/api/v1/grants"): Route(
        "key",
        (
            Case(
                "folder",
                FOLDER_OF_CREW,
                query={"collection": CREW, "folder": TARGET},
                body={"role": "outside"},
                done=201,
            ),
            Case("shelf", "who rules the shelf", query={"collection": TARGET}, body={"user": "bystander"}, done=201),
            Case("role", ROLE_ON_CREW, query={"collection": CREW}, body={"role": TARGET}, done=201),
            Case("user", PERSON_ON_CREW, query={"collection": CREW}, body={"user": TARGET}, done=201),
            Case(
                "document",
                "its curators",
                query={"document": TARGET},
                body={"user": "bystander"},
                needs="curate",
                done=201,
            ),
        ),
    ),
    ("DELETE", "/api/v1/grants/{grant}"): Route(
        "key",
        (
            Case("folder", FOLDER_OF_CREW, path={"grant": GRANT}, query={"collection": CREW, "folder": TARGET}, **NONE),
            Case("shelf", "who rules the shelf", path={"grant": GRANT}, query={"collection": TARGET}, **NONE),
            Case(
                "document",
                "its curators",
                path={"grant": GRANT},
                query={"document": TARGET},
                needs="curate",
                **NONE,
            ),
            on("grant", "a grant of the crew's shelf", "grant", query={"collection": CREW}, **NONE),
            on(
                "document grant",
                "a grant of the crew's document",
                "grant",
                query={"document": CREW_DOCUMENT},
                needs="curate",
                **NONE,
            ),
        ),
    ),
    ("GET", "/api/v1/access/readers"): Route(
        "key", (Case("document", "who may know of others", query={"document": TARGET}),), values=PAGED
    ),
    ("GET", "/api/v1/access/reach"): Route(
        "key",
        (
            Case("user", "a person, by who rules a shelf", query={"user": TARGET}),
            Case("role", "a role, by who rules a shelf", query={"role": TARGET}),
        ),
        values=PAGED,
    ),
    ("GET", "/api/v1/access/plans"): Route("key", values=PAGED),
    ("GET", "/api/v1/access/plans/{plan}"): Route("key", (on("plan", OWN_OR_ANY, "plan"),)),
    ("DELETE", "/api/v1/access/plans/{plan}"): Route("key", (on("plan", OWN_OR_ANY, "plan", **NONE),)),
    ("POST", "/api/v1/access/plans/{plan}/apply"): Route("key", (on("plan", OWN_OR_ANY, "plan", acts=True),)),
    ("POST", "/api/v1/access/plans"): Route(
        "key",
        (
            changing("shelf", "who rules the shelf", change="grant", collection=TARGET, grant={"user": "bystander"}),
            changing("role", ROLE_ON_CREW, change="grant", collection=CREW, grant={"role": TARGET}),
            changing("other user", PERSON_ON_CREW, change="revoke", collection=CREW, grant={"user": TARGET}),
            changing("shelf", "who rules the shelf", change="rule", collection=TARGET, rule=RULE_BODY),
            changing("role", ROLE_ON_CREW, change="rule", collection=CREW, rule={"grants": [{"role": TARGET}]}),
            changing("other user", PERSON_ON_CREW, change="rule", collection=CREW, rule={"grants": [{"user": TARGET}]}),
            changing("folder", NEW_FOLDER, change="rule", collection=CREW, folder=TARGET, rule=RULE_BODY),
            changing("folder", FOLDER_OF_CREW, change="rule", collection=CREW, folder=TARGET, rule=None),
            changing("document", "its curators", change="rule", document=TARGET, rule=RULE_BODY),
            changing("other user", "what is there", needs=STEWARDS, change="join", user=TARGET, role="outside"),
            changing(
                "delegable role", "one's delegated role", needs=STEWARDS, change="join", user="bystander", role=TARGET
            ),
            changing("free role", "what is there", needs="administer", change="nest", role=TARGET, inside="tags"),
            changing("role", "what is there", needs="administer", change="nest", role="spare", inside=TARGET),
            changing(
                "other user", "what is there", needs="administer", change="clearance", user=TARGET, clearance="public"
            ),
        ),
    ),
}
