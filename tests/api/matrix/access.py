"""Declared: explaining, granting and planning."""

from tests.api.matrix.route_access import (
    CREW,
    CREW_DOCUMENT,
    FOLDER_OF_CREW,
    GRANT,
    MOMENT,
    NEW_FOLDER,
    NONE,
    ON_CREW,
    OPEN_DOCUMENT,
    OWN_OR_ANY,
    PAGED,
    PERSON_ON_CREW,
    ROLE_ON_CREW,
    ROLE_OWNERS,
    RULE_BODY,
    RULERS,
    TARGET,
    THERE,
    Route,
    changing,
    on,
)

CURATORS = "its curators"
BY_GRANT = {"path": {"grant": GRANT}, **NONE}
FOR_BYSTANDER = {"body": {"user": "bystander"}, "done": 201}

ACCESS: dict[tuple[str, str], Route] = {
    ("GET", "/api/v1/access/explain"): Route(
        "key",
        (
            on("document", "its readers and curators", "?document"),
            on("document", "who may know of others", "?document", query={"user": "bystander"}),
            on("document", CURATORS, "?document", query={"at": MOMENT}),
            on("document", CURATORS, "?document", query={"at": MOMENT, "user": "bystander"}),
            on("user", "a person's access to the open document", "?user", query={"document": OPEN_DOCUMENT}),
        ),
    ),
    ("GET", "/api/v1/grants"): Route(
        "key",
        (
            on("folder", FOLDER_OF_CREW, "?folder", query=ON_CREW),
            on("collection", RULERS, "?collection"),
            on("document", CURATORS, "?document", needs="curate"),
        ),
        values=PAGED,
    ),
    ("POST", "/api/v1/grants"): Route(
        "key",
        (
            on("folder", FOLDER_OF_CREW, "?folder", query=ON_CREW, body={"role": "outside"}, done=201),
            on("collection", RULERS, "?collection", **FOR_BYSTANDER),
            on("role", ROLE_ON_CREW, ".role", query=ON_CREW, done=201),
            on("user", PERSON_ON_CREW, ".user", query=ON_CREW, done=201),
            on("document", CURATORS, "?document", needs="curate", **FOR_BYSTANDER),
        ),
    ),
    ("DELETE", "/api/v1/grants/{grant}"): Route(
        "key",
        (
            on("folder", FOLDER_OF_CREW, "?folder", query=ON_CREW, **BY_GRANT),
            on("collection", RULERS, "?collection", **BY_GRANT),
            on("document", CURATORS, "?document", needs="curate", **BY_GRANT),
            on("grant", "a grant of the crew's collection", "grant", query=ON_CREW, **NONE),
            on(
                "document grant", "a grant of the crew's document", "grant",
                query={"document": CREW_DOCUMENT}, needs="curate", **NONE,
            ),
        ),
    ),
    ("GET", "/api/v1/access/readers"): Route(
        "key", (on("document", "who may know of others", "?document"),), values=PAGED
    ),
    ("GET", "/api/v1/access/reach"): Route(
        "key",
        (
            on("user", "a person, by who rules a collection", "?user"),
            on("role", "a role, by who rules a collection", "?role"),
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
            changing("collection", RULERS, change="grant", collection=TARGET, grant={"user": "bystander"}),
            changing("role", ROLE_ON_CREW, change="grant", collection=CREW, grant={"role": TARGET}),
            changing("other user", PERSON_ON_CREW, change="revoke", collection=CREW, grant={"user": TARGET}),
            changing("collection", RULERS, change="rule", collection=TARGET, rule=RULE_BODY),
            changing("role", ROLE_ON_CREW, change="rule", collection=CREW, rule={"grants": [{"role": TARGET}]}),
            changing("other user", PERSON_ON_CREW, change="rule", collection=CREW, rule={"grants": [{"user": TARGET}]}),
            changing("folder", NEW_FOLDER, change="rule", collection=CREW, folder=TARGET, rule=RULE_BODY),
            changing("folder", FOLDER_OF_CREW, change="rule", collection=CREW, folder=TARGET, rule=None),
            changing("document", CURATORS, change="rule", document=TARGET, rule=RULE_BODY),
            changing("other user", THERE, needs=ROLE_OWNERS, change="join", user=TARGET, role="outside"),
            changing(
                "delegable role", "one's delegated role",
                needs=ROLE_OWNERS, change="join", user="bystander", role=TARGET,
            ),
            changing("free role", THERE, needs="administer", change="nest", role=TARGET, inside="tags"),
            changing("role", THERE, needs="administer", change="nest", role="spare", inside=TARGET),
            changing("other user", THERE, needs="administer", change="clearance", user=TARGET, clearance="public"),
        ),
    ),
}  # fmt: skip
