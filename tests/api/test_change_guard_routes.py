"""Nobody changes access to their own profit, on any route: what the guard of a transaction holds for all of them.

The routes are read off the application, and the attacks are crossed with the ways of making them, so a new route or a
new kind of rule is tried or named.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.acl import change_guard
from app.web.http.dependencies import Caller, Changing, Writing, changing, provisioning
from tests.api.access_plans import API, everything
from tests.api.problems import check_problem
from tests.support.company import Company, upload
from tests.support.service import app_of
from tests.support.worker import work_queued

Key = tuple[str, str]
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# What changes nothing that anybody may read or do, and why it can be left out of the guard's sight.
CHANGES_NOTHING: dict[Key, str] = {
    ("POST", "/ask"): "reads; writes an answer's trail",
    ("POST", "/search"): "reads; writes a record",
    ("POST", "/guardrail/check"): "says what would be hidden in a text; writes a record",
    ("POST", "/guardrail/policy/test"): "says what another policy would do; nothing of it is kept",
    ("POST", "/audit/policy-dry-run"): "says what another policy would have done; writes a record",
    ("POST", "/answers/{trail}/reveal"): "tells what a pseudonym stands for; writes a record",
    ("POST", "/feedback"): "writes what one says of one's own answer",
    ("POST", "/conversations"): "one's own conversation, which nobody else sees",
    ("PATCH", "/conversations/{conversation}"): "one's own conversation, which nobody else sees",
    ("DELETE", "/conversations/{conversation}"): "one's own conversation, which nobody else sees",
    (
        "POST",
        "/collections/{name}/documents",
    ): "its uploader has the text; a scope for it is made under the guard",
    (
        "POST",
        "/collections/{name}/documents/preview",
    ): "says what an upload would do, in a transaction that is rolled back",
    (
        "POST",
        "/collections/{name}/upload/preview",
    ): "says what an upload would do, in a transaction that is rolled back",
    ("POST", "/plans"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/plans/{plan}/again"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/plans/{plan}/apply"): "makes transactions of its own; the use case passes through the guard",
    ("POST", "/plans/{plan}/withdraw"): "ends a plan of which nothing was made",
    ("POST", "/jobs/{job}/remove"): "takes one's own upload that has ended off a list",
    ("POST", "/jobs/{job}/retry"): "one's own upload once more, under the rule that it was sent with",
    ("DELETE", "/jobs/{job}"): "takes one's own upload that has ended off a list",
    ("POST", "/access/plans"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/access/reviews"): "notes the grants that there are",
    ("PUT", "/access/reviews/{review}/items/{item}"): "says of a grant what its close will do",
    ("POST", "/leak-tests"): "makes a key of one's own; the use case passes through the guard",
    ("POST", "/audit/queries"): "keeps a query of one's own",
    ("DELETE", "/audit/queries/{saved}"): "removes a query of one's own",
    ("POST", "/audit/openings"): "asks to be shown words of the log",
    ("POST", "/audit/openings/{opening}/decision"): "lets somebody be shown words of the log",
    ("POST", "/erasures"): "asks for what somebody else decides",
    ("POST", "/retention"): "asks for what somebody else decides",
    ("POST", "/holds"): "keeps things from going, and opens nothing",
    ("POST", "/holds/{hold}/lift"): "lets things go again, and opens nothing",
    ("POST", "/audit/deliveries/{target}/retry"): "sends records to where they go anyway",
    ("POST", "/audit/exports"): "reads the log for its auditor",
    ("POST", "/audit/exports/{export}/resume"): "reads the log for its auditor",
    ("DELETE", "/audit/exports/{export}"): "removes what was made for oneself",
    ("DELETE", "/access/plans/{plan}"): "ends a plan of which nothing was made",
    ("POST", "/delegations"): "lends what one has to a service, for oneself alone",
    ("DELETE", "/delegations/{delegation}"): "ends that",
    ("POST", "/scim/v2/.search"): "reads, with the question in the body",
    ("POST", "/scim/v2/Users/.search"): "reads, with the question in the body",
    ("POST", "/scim/v2/Groups/.search"): "reads, with the question in the body",
    ("DELETE", "/sessions/{session_id}"): "ends a browser's session, and begins none",
    ("POST", "/passkeys/options"): "a challenge for oneself",
    ("POST", "/passkeys"): "a way to sign in as oneself; the use case passes through the guard",
    ("DELETE", "/passkeys/{passkey}"): "ends that",
    ("POST", "/answers/{answer}/stop"): "ends one's own answer",
    ("POST", "/conversations/{conversation}/delete"): "one's own conversation, which nobody else sees",
    ("POST", "/conversations/{conversation}/rename"): "one's own conversation, which nobody else sees",
    ("POST", "/log/queries"): "keeps a query of one's own",
    ("POST", "/log/queries/{saved}/remove"): "removes a query of one's own",
    ("POST", "/openings"): "asks to be shown words of the log",
    ("POST", "/openings/{opening}/decide"): "lets somebody be shown words of the log",
    ("POST", "/exports"): "reads the log for its auditor",
    ("POST", "/exports/{export}/resume"): "reads the log for its auditor",
    ("POST", "/exports/{export}/remove"): "removes what was made for oneself",
    ("POST", "/csp-reports"): "counts",
    ("POST", "/me/passkeys/{passkey}/remove"): "ends a way to sign in as oneself",
    ("POST", "/me/preferences"): "changes a cookie of one's own",
    ("POST", "/me/sessions/{session_id}/end"): "ends a browser's session, and begins none",
    ("POST", "/sessions/{session_id}/end"): "ends a browser's session, and begins none",
    ("POST", "/people/{name}/clearance"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/people/{name}/roles"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/roles/{name}/group"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/roles/{name}/members"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/roles/{name}/nesting"): "keeps what a judged transaction would do, which is rolled back",
    ("POST", "/reviews"): "notes the grants that there are",
    ("POST", "/reviews/{review}/items/{item}"): "says of a grant what its close will do",
    ("POST", "/sample/person"): "begins a session as somebody whose key is at hand",
    ("POST", "/sign-in/link"): "begins a session, in which one may do what one may anyhow",
    ("POST", "/sign-in/passkey/options"): "a challenge",
    ("POST", "/sign-in/passkey"): "begins a session",
    ("POST", "/sign-in/{source}/back-channel-logout"): "ends sessions",
    ("POST", "/sign-out"): "ends one's own session",
}


def changing_routes(app: FastAPI) -> Iterator[tuple[Key, APIRoute]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            for method in CHANGING & set(context.methods or ()):
                yield (method, str(context.path).removeprefix(API)), route


def unjudged(app: FastAPI) -> set[Key]:
    return {key for key, route in changing_routes(app) if not _passes(route.dependant)}


def _passes(dependant: Dependant) -> bool:
    return dependant.call in {changing, provisioning} or any(_passes(inner) for inner in dependant.dependencies)


def test_every_changing_route_passes_through_the_judge(client: TestClient) -> None:
    """Or stands in the table with its reason; what is in the table and is guarded, or is gone, goes out of it."""
    assert unjudged(app_of(client)) == set(CHANGES_NOTHING)
    assert len(dict(changing_routes(app_of(client)))) > 25


# Routes that somebody could write tomorrow: each changes access by itself and asks nobody.
BY_ITSELF = {
    "clearance": "update app_user set clearance = 3 where id = :me",
    "capabilities": "update app_user set capabilities = '{ask,download,curate,administer,audit}' where id = :me",
    "member": "insert into membership (user_id, role_id) select :me, id from role where name = 'hr'",
    "nesting": "insert into role_inside (role_id, inside_id) select a.id, b.id from role a, role b"
    " where a.name = 'managers' and b.name = 'hr'",
    "role gone": "delete from role where name = 'engineering'",
    "folder": "insert into folder (collection_id, path, own_rule) select id, 'x', own_rule"
    " from collection where name = 'hr'",
    "collection": "update collection set own_rule = own_rule where name = 'hr'",
    "curator": "insert into curator (user_id, collection_id) select :me, id from collection where name = 'hr'",
    "steward": "insert into steward (user_id, role_id) select :me, id from role where name = 'hr'",
    "key": "insert into api_key (prefix, hash, user_id, label, capabilities) "
    "values ('clr_x', '\\x00', :me, '', '{audit}')",
    "scope": "update scope set rule_id = rule_id",
}
# Those that are to nobody's profit are committed where the route passes through the guard.
HARMLESS = {"nesting", "role gone", "folder", "collection", "scope"}


def route_of(statement: str, session_type: Any) -> APIRouter:
    router = APIRouter()

    def write(subject: Caller, session: session_type) -> None:
        session.execute(text(statement), {"me": subject.user_id} if ":me" in statement else {})

    router.add_api_route("/mutated", write, methods=["POST"], status_code=204)
    return router


@pytest.mark.parametrize("what", BY_ITSELF)
def test_a_route_that_writes_by_itself_is_named_and_judged(client: TestClient, company: Company, what: str) -> None:
    """It is found by the test above, and where that is not run, its transaction is not committed. One that passes
    through the guard may write as it likes: what is to the author's profit is refused all the same.
    """
    app, root = app_of(client), company.headers("root")
    app.include_router(route_of(BY_ITSELF[what], Writing))
    assert ("POST", "/mutated") in unjudged(app)
    before = everything(company)
    check_problem(client.post("/mutated", headers=root), 500, "InternalError")
    assert everything(company) == before
    app.include_router(route_of(BY_ITSELF[what], Changing), prefix="/judged")
    assert ("POST", "/judged/mutated") not in unjudged(app)
    answer = client.post("/judged/mutated", headers=root)
    if what in HARMLESS:
        assert answer.status_code == 204
    else:
        check_problem(answer, 403, "SelfGrant")
        assert everything(company) == before


def test_a_commit_of_ones_own_is_no_way_around(client: TestClient, company: Company) -> None:
    router = APIRouter()

    def write(session: Writing) -> None:
        session.execute(text("update app_user set clearance = 3"))
        session.commit()

    router.add_api_route("/mutated", write, methods=["POST"], status_code=204)
    app_of(client).include_router(router)
    before = everything(company)
    check_problem(client.post("/mutated", headers=company.headers("root")), 500, "InternalError")
    assert everything(company) == before


def test_documents_that_move_are_seen(client: TestClient, company: Company) -> None:
    """By SQL too: a curator puts a document under the scope of another rule, with no change of any rule."""
    move = (
        "update document d set scope_id = s.id from scope s join collection c on c.id = s.collection_id"
        ' where d.collection_id = c.id and c.name = \'hr\' and s.own_rule <> \'{"grants": [], "inherits": true,'
        ' "label": null}\' and s.id <> d.scope_id'
    )
    upload(
        client, company, "cleo", collection="hr", path="other.md", content=b"# Other\n\nText.", roles=["engineering"]
    )
    work_queued(company.db)
    for name, status in (("hank", 204), ("ben", 204)):
        # Both documents swap scopes: hank (hr) gains one; ben curates nothing and moves nothing.
        app_of(client).include_router(route_of(move, Changing))
        answer = client.post("/mutated", headers=company.headers(name))
        if name == "hank":
            check_problem(answer, 403, "SelfGrant")
        else:
            assert answer.status_code == status


def test_a_scope_that_is_pointed_to_another_rule_is_judged(client: TestClient, company: Company) -> None:
    """By whatever statement: no rule of a collection or folder changes, and no document moves."""
    pointed = (
        "update scope set rule_id = (select s.rule_id from scope s join collection c on c.id = s.collection_id"
        " where c.name = 'handbook' limit 1) where collection_id = (select id from collection where name = 'hr')"
    )
    app_of(client).include_router(route_of(pointed, Changing))
    check_problem(client.post("/mutated", headers=company.headers("root")), 403, "SelfGrant")


def test_a_guard_for_somebody_else_is_refused(client: TestClient, company: Company) -> None:
    """A transaction is judged by what its own user gains."""
    router = APIRouter()

    def write(subject: Caller, session: Writing) -> None:
        change_guard.guard_change(session, type(subject)(**{**vars(subject), "user_id": uuid.uuid4()}))

    router.add_api_route("/mutated", write, methods=["POST"], status_code=204)
    app_of(client).include_router(router)
    check_problem(client.post("/mutated", headers=company.headers("root")), 500, "InternalError")
