"""The declared access of every route. A route that is not here fails the tests.

The same holds for its identifiers: each is the target of some case, or stands in VALUES as naming nothing. Here:
people, roles, keys, the log and the service; explaining, granting and planning. The rest is `library`.
"""

from tests.api.matrix.console import APART, CONSOLE
from tests.api.matrix.library import CURATORS, LIBRARY
from tests.api.matrix.provisioning import PROVISIONING
from tests.api.matrix.route_access import (
    CREW,
    CREW_DOCUMENT,
    CREW_REVIEW,
    FOLDER_OF_CREW,
    GRANT,
    LOG_SIZE,
    MOMENT,
    NEW_FOLDER,
    NONE,
    OF_RULED,
    ON_CREW,
    ON_CREW_REVIEW,
    OPEN_DOCUMENT,
    OWN_NAME,
    OWN_OR_ANY,
    PAGED,
    PERSON_ON_CREW,
    REVIEW_ITEM,
    ROLE_ON_CREW,
    ROLE_OWNERS,
    RULE_BODY,
    RULERS,
    SEARCHED,
    TARGET,
    THERE,
    Case,
    Route,
    changing,
    on,
    pair,
)
from tests.api.matrix.sign_in import PAGES, SIGN_IN

MEMBER = ("name", "delegable role", "outside")
BY_OWNERS = ("one's delegated role", "another person")

PEOPLE: dict[tuple[str, str], Route] = {
    ("GET", "/healthz"): Route("public"),
    ("GET", "/readyz"): Route("public"),
    ("GET", "/api/v1/docs"): Route("public", (Case(shape="html"),)),
    ("GET", "/api/v1/openapi.json"): Route("public"),
    ("GET", "/metrics"): Route("metrics key", (Case(shape="text"),)),
    ("GET", "/api/v1/users/me"): Route("key", lent=True),
    ("GET", "/api/v1/users"): Route(
        "administer", (Case(), on("role", THERE, "?role")), values=(*PAGED, *SEARCHED, "?capability")
    ),
    ("GET", "/api/v1/users/{name}"): Route("administer", (on("user", THERE, "name"),)),
    ("POST", "/api/v1/users"): Route(
        "administer",
        (Case(body={"name": "new-person"}, done=201),),
        values=(".name", ".source", ".external_id", ".provisions"),
    ),
    ("PATCH", "/api/v1/users/{name}"): Route(
        "administer", (on("user", THERE, "name", body={"display_name": "Another"}),)
    ),
    ("POST", "/api/v1/users/import"): Route(
        "administer",
        (Case(form={"file": b"name\nnew-person\n"}),),
        values=(".fingerprint", ".complete", ".allow_large_removal"),
    ),
    ("GET", "/api/v1/directories"): Route("administer", values=PAGED),
    ("GET", "/api/v1/health"): Route("administer"),
    ("POST", "/api/v1/guardrail/check"): Route(
        "administer", (Case(body={"text": "A text."}),), values=(".text", ".roles[]", ".label")
    ),
    ("GET", "/api/v1/guardrail/policy"): Route("administer"),
    ("POST", "/api/v1/guardrail/policy/test"): Route(
        "administer",
        (Case(body={"policy": "version: 1", "cases": "- {text: a, shown: a}"}),),
        values=(".policy", ".cases"),
    ),
    ("POST", "/api/v1/audit/policy-dry-run"): Route(
        "audit", (Case(body={"policy": "version: 1"}),), values=(".policy", ".answers")
    ),
    ("POST", "/api/v1/answers/{trail}/reveal"): Route(
        "reveal",
        # Of an answer by its trail: one whose value stands in the collection's document alone.
        (on("pseudonym", "its readers", "trail", body={"kind": "phone", "number": 1, "reason": "A complaint."}),),
        values=(".number", ".reason"),
    ),
    ("GET", "/api/v1/leak-tests"): Route("administer", values=PAGED),
    ("POST", "/api/v1/leak-tests"): Route("administer", (Case(done=201),)),
    ("GET", "/api/v1/leak-tests/{run}"): Route("administer", (on("leak test", THERE, "run"),)),
    ("GET", "/api/v1/roles"): Route("administer or curate or look after", values=(*PAGED, *SEARCHED)),
    ("POST", "/api/v1/roles"): Route(
        "administer",
        (
            Case(body={"name": "new-role"}, done=201),
            Case("role", "an outer role", body={"name": "new-role", "inside": ["<target>"]}, done=201),
        ),
        values=(".name", ".source", ".external_id"),
    ),
    ("GET", "/api/v1/roles/{name}"): Route(ROLE_OWNERS, (on("delegable role", "one's delegated role", "name"),)),
    ("GET", "/api/v1/roles/{name}/members"): Route(
        ROLE_OWNERS, (on("delegable role", "one's delegated role", "name"),), values=(*PAGED, *SEARCHED, "?nested")
    ),
    ("DELETE", "/api/v1/roles/{name}"): Route("administer", (on("free role", THERE, "name", **NONE),)),
    ("GET", "/api/v1/roles/claimed-groups"): Route("administer", values=PAGED),
    ("PUT", "/api/v1/roles/{name}/group"): Route(
        "administer", (on("source role", THERE, "name", body={"group": "g-1"}, **NONE),), values=(".group",)
    ),
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
        "key", (on("user", "a user, by an administrator", ".user", body={"capabilities": []}, done=201),)
    ),
    ("PATCH", "/api/v1/keys/{key}"): Route(
        "key", (on("key", OWN_OR_ANY, "key", body={"expires_at": "2090-01-01T00:00:00Z"}),), values=(".label",)
    ),
    ("DELETE", "/api/v1/keys/{key}"): Route("key", (on("key", OWN_OR_ANY, "key", **NONE),)),
    ("GET", "/api/v1/audit/events"): Route(
        # By an opening of one's own alone: tests/api/test_openings.py.
        "audit",
        (Case(), on("user", THERE, "?user")),
        values=(*PAGED, "?opening"),
    ),
    ("GET", "/api/v1/audit/events/{seq}"): Route("audit", (on("record", THERE, "seq"),), values=("?head", "?opening")),
    ("GET", "/api/v1/audit/deliveries"): Route("audit", values=PAGED),
    ("GET", "/api/v1/audit/deliveries/{target}/dead-letters"): Route(
        "audit", (on("delivery", THERE, "target"),), values=PAGED
    ),
    ("POST", "/api/v1/audit/deliveries/{target}/retry"): Route(
        "audit", (on("delivery", THERE, "target", acts=True, **NONE),)
    ),
    ("GET", "/api/v1/audit/openings"): Route("audit", values=PAGED),
    ("POST", "/api/v1/audit/openings"): Route(
        "open",
        (on("sealed record", THERE, ".record", body={"reason": "A complaint."}, done=201),),
        values=(".reason", ".q"),
    ),
    ("GET", "/api/v1/audit/openings/{opening}"): Route("audit", (on("opening", THERE, "opening"),)),
    ("POST", "/api/v1/audit/openings/{opening}/decision"): Route(
        "open",
        (on("waiting opening", THERE, "opening", body={"approved": True}, acts=True, **NONE),),
        values=(".approved",),
    ),
    ("GET", "/api/v1/users/me/openings"): Route("key", values=PAGED),
    ("GET", "/api/v1/erasures"): Route("erase or audit", values=PAGED),
    ("POST", "/api/v1/erasures"): Route(
        "erase",
        (on("user who is off", THERE, ".user", body={"reason": "A request."}, done=201),),
        # Of any id: whether there is such a document is not said.
        values=(".reason", ".document"),
    ),
    ("GET", "/api/v1/erasures/{erasure}"): Route("erase or audit", (on("erasure", THERE, "erasure"),)),
    ("POST", "/api/v1/erasures/{erasure}/decision"): Route(
        "erase",
        (on("waiting erasure", THERE, "erasure", body={"approved": False}, acts=True, **NONE),),
        values=(".approved",),
    ),
    ("GET", "/api/v1/retention"): Route("erase or audit", values=PAGED),
    ("POST", "/api/v1/retention"): Route(
        "erase",
        (Case(body={"kind": "search", "days": 90, "reason": "A policy of ours."}, done=201, acts=True),),
        values=(".kind", ".label", ".days", ".reason"),
    ),
    ("POST", "/api/v1/retention/{rule}/decision"): Route(
        "erase",
        (on("waiting rule", THERE, "rule", body={"approved": False}, acts=True, **NONE),),
        values=(".approved",),
    ),
    ("GET", "/api/v1/holds"): Route("hold or erase or audit", values=PAGED),
    ("POST", "/api/v1/holds"): Route(
        "hold",
        # Of any id: whether there is such a document is not said.
        (
            on("other user", THERE, ".user", body={"reason": "A case....."}, done=201),
            Case(body={"document": CREW_DOCUMENT, "reason": "A case....."}, done=201),
        ),
        values=(".reason", ".document"),
    ),
    ("POST", "/api/v1/holds/{hold}/lift"): Route("hold", (on("legal hold", THERE, "hold", acts=True, **NONE),)),
    ("GET", "/api/v1/audit/head"): Route("audit"),
    ("GET", "/api/v1/audit/heads"): Route("audit", values=PAGED),
    ("GET", "/api/v1/audit/shown"): Route(
        "audit",
        # The log has documents by id, also those that are gone: one that is not in it is no other than a hidden one.
        (Case(query={"document": OPEN_DOCUMENT}), Case(query={"document": CREW_DOCUMENT}), on("user", THERE, "?user")),
        values=(*PAGED, "?document"),
    ),
    ("GET", "/api/v1/audit/exposure"): Route(
        "audit",
        (
            Case(query={"document": OPEN_DOCUMENT, "since": MOMENT}),
            Case(query={"document": CREW_DOCUMENT, "since": MOMENT}),
        ),
        values=(*PAGED, "?document", "?since"),
    ),
    ("GET", "/api/v1/audit/access"): Route(
        "audit",
        (on("user", THERE, "?user", query={"document": CREW_DOCUMENT, "at": MOMENT}),),
        values=("?document", "?at"),
    ),
    ("GET", "/api/v1/audit/stale-answers"): Route(
        "audit",
        (
            Case(query={"document": OPEN_DOCUMENT}),
            Case(query={"document": CREW_DOCUMENT}),
            Case(query={"since": MOMENT}),
        ),
        values=(*PAGED, "?document"),
    ),
    ("GET", "/api/v1/audit/unusual"): Route("audit", (Case(), on("user", THERE, "?user")), values=(*PAGED, "?since")),
    ("GET", "/api/v1/audit/trails/{trail}/replay"): Route("audit", (on("trail", THERE, "trail"),)),
    ("GET", "/api/v1/audit/checkpoints"): Route("audit", values=PAGED),
    ("GET", "/api/v1/audit/consistency"): Route(
        "audit", (Case(query={"earlier": "0", "later": LOG_SIZE}),), values=("?earlier", "?later")
    ),
    ("GET", "/api/v1/audit/receipts/{trail}"): Route(
        "audit", (on("trail", THERE, "trail", shape="file"),), values=("?opening",)
    ),
    ("GET", "/api/v1/audit/export"): Route(
        "export",
        (
            Case(shape="lines"),
            Case(query={"format": "csv"}, shape="csv"),
            on("user", THERE, "?user", shape="lines"),
        ),
        values=("?opening",),
    ),
    ("GET", "/api/v1/audit/queries"): Route("audit", values=PAGED),
    ("POST", "/api/v1/audit/queries"): Route(
        "audit", (Case(body={"name": "Ada", "q": "kind:search"}, done=201),), values=(".name",)
    ),
    ("DELETE", "/api/v1/audit/queries/{saved}"): Route("audit", (on("saved query", "one's own", "saved", **NONE),)),
    ("GET", "/api/v1/audit/exports"): Route("audit", values=PAGED),
    ("POST", "/api/v1/audit/exports"): Route("export", (Case(body={}, done=201),), values=(".opening",)),
    ("GET", "/api/v1/audit/exports/{export}"): Route("audit", (on("log export", "one's own", "export"),)),
    ("GET", "/api/v1/audit/exports/{export}/file"): Route(
        "export", (on("log export", "one's own", "export", shape="file"),)
    ),
    ("GET", "/api/v1/audit/exports/{export}/manifest"): Route(
        "audit", (on("log export", "one's own", "export", shape="file"),)
    ),
    ("POST", "/api/v1/audit/exports/{export}/resume"): Route(
        "export", (on("interrupted export", "one's own", "export", acts=True, **NONE),)
    ),
    ("DELETE", "/api/v1/audit/exports/{export}"): Route("audit", (on("log export", "one's own", "export", **NONE),)),
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
    ("GET", "/api/v1/access/decision"): Route(
        "key",
        (
            on("document", "who may know of others", "?document", query={"user": "bystander"}),
            on("document", CURATORS, "?document", query={"at": MOMENT, "user": "bystander"}),
            on(
                "user", "a person, by who may know of others' access to the open document", "?user",
                query={"document": OPEN_DOCUMENT},
            ),
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
    ("GET", "/api/v1/access/reviews"): Route("key", values=PAGED),
    ("POST", "/api/v1/access/reviews"): Route(
        "key", (on("collection", RULERS, ".collection", body={"title": "This year's"}, done=201),), values=(".title",)
    ),
    ("GET", "/api/v1/access/reviews/{review}"): Route("key", (on("review", OF_RULED, "review"),)),
    ("GET", "/api/v1/access/reviews/{review}/items"): Route(
        "key", (on("review", OF_RULED, "review"),), values=(*PAGED, "?undecided")
    ),
    ("GET", "/api/v1/access/reviews/{review}/preview"): Route("key", (on("review", OF_RULED, "review"),)),
    ("PUT", "/api/v1/access/reviews/{review}/items/{item}"): Route(
        "key",
        (
            on("review", ON_CREW_REVIEW, "review", path={"item": REVIEW_ITEM}, body={"decision": "withdraw"}),
            on("review item", ON_CREW_REVIEW, "item", path={"review": CREW_REVIEW}, body={"decision": "withdraw"}),
        ),
        values=(".decision",),
    ),
    ("POST", "/api/v1/access/reviews/{review}/close"): Route(
        "key", (on("review", OF_RULED, "review", body={}, acts=True),), values=(".fingerprint",)
    ),
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
            changing("source role", THERE, needs="administer", change="group", role=TARGET, group=None),
        ),
        values=(".changes[].group",),
    ),
}  # fmt: skip
DECLARED: dict[tuple[str, str], Route] = LIBRARY | ACCESS | PEOPLE | PROVISIONING | SIGN_IN | CONSOLE
# Swagger UI's files, out of its package, which is not a route of ours; and the pages around signing in.
MOUNTS = {("ANY", "/api/v1/docs/static"), *PAGES, *APART}
# Fields that hold a value wherever they stand and never name a thing. Whatever is not here is an identifier.
VALUES = frozenset({
    "limit", "question", "query", "mode", "stream", "label", "description", "display_name", "clearance", "capabilities",
    "active", "effect", "everyone", "starts_at", "ends_at", "expires_at", "expires_in", "inherits", "format", "kind",
    "since", "until", "newest_first", "opened", "state", "file", "at", "change", "order", "csrf", "q",
})  # fmt: skip
# What every route takes and the callers of the matrix vary.
CARRIED = frozenset({"@Clearance-On-Behalf-Of"})
