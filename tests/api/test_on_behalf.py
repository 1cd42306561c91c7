"""A service acts for a person who lets it, as that person, within what both may do; by itself it is nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.api.routes import path_for, served
from tests.api.services import HEADER, Service, listed, make_service
from tests.support.company import Company
from tests.support.service import client_of, parts_of, prompts, saying

WRONG = "cld_abcdefgh_" + "x" * 43
OPEN = {"/healthz", "/readyz", "/metrics", "/api/v1/docs", "/api/v1/openapi.json"}
EVERY = ["ask", "download", "curate", "administer", "audit"]


def refusal(client: TestClient) -> bytes:
    """What a wrong key gets."""
    answer = client.get("/api/v1/users/me", headers={"Authorization": "Bearer clr_abcdefgh_" + "x" * 43})
    check_problem(answer, 401, "NotSignedIn")
    return answer.content


def test_its_key_alone_does_nothing(client: TestClient, company: Company, bot: Service) -> None:
    """On every route, whether the thing is there or not: the same 403."""
    document = company.documents["handbook", "leave.md"]
    bodies = set()
    for method, template in sorted(served(client)):
        if template in OPEN or "static" in template:
            continue
        for names in ({}, {"document": document, "name": "handbook"}):
            answer = client.request(method, path_for(template, **names), headers=bot.headers())
            check_problem(answer, 403, "OnBehalfOfNeeded")
            bodies.add(answer.content)
    assert len(bodies) == 1
    assert HEADER in next(iter(bodies)).decode()


@pytest.mark.parametrize("person", ["ada", "ben", "mia"])
def test_it_reads_what_the_person_reads(client: TestClient, company: Company, bot: Service, person: str) -> None:
    own, through = company.headers(person), bot.headers(person)
    assert listed(client, own) == listed(client, through)
    for query in ("salary band florins", "merger price", "parental leave"):
        body = {"query": query}
        answers = [client.post("/api/v1/search", json=body, headers=h).json() for h in (own, through)]
        assert answers[0] == answers[1]
    for document in company.documents.values():
        seen = [client.get(f"/api/v1/documents/{document}", headers=h) for h in (own, through)]
        assert seen[0].status_code == seen[1].status_code
        assert seen[0].content == seen[1].content


def test_the_prompt_is_the_persons(company: Company, client: TestClient, bot: Service) -> None:
    """Byte for byte: whether she asks or it asks for her."""
    for person in ("ada", "ben"):
        seen = []
        for headers in (company.headers(person), bot.headers(person)):
            chat = saying("So it is [1].")
            with client_of(parts_of(company.db, chat=chat)) as talking:
                body = {"question": "What is the salary band of level five?"}
                assert talking.post("/api/v1/ask", json=body, headers=headers).status_code == 200
            seen.append(prompts(chat))
        assert seen[0] == seen[1]


def _past(company: Company, table: str, row: str) -> None:
    company.execute(f"update {table} set expires_at = now() - interval '1 second' where id = '{row}'")


def _own_key(company: Company) -> str:
    return str(company.rows("select key_id from delegation where prefix like 'cld%%' and person_id = "
                            "(select id from app_user where name = 'ada')")[0]["key_id"])  # fmt: skip


# What ends what a service may do for ada, from the commit on.
ENDS: dict[str, Callable[[TestClient, Company, Service], Any]] = {
    "the delegation is revoked by her": lambda client, company, bot: client.delete(
        f"/api/v1/delegations/{bot.tokens['ada']['id']}", headers=company.headers("ada")
    ),
    "the delegation is revoked by an administrator": lambda client, company, bot: client.delete(
        f"/api/v1/delegations/{bot.tokens['ada']['id']}", headers=company.headers("root")
    ),
    "the delegation ends": lambda _client, company, bot: _past(company, "delegation", bot.tokens["ada"]["id"]),
    "the service's key is revoked": lambda client, company, bot: client.delete(
        f"/api/v1/keys/{bot.key['id']}", headers=company.headers("root")
    ),
    "the service's key ends": lambda _client, company, bot: _past(company, "api_key", bot.key["id"]),
    "the service is switched off": lambda client, company, _bot: client.patch(
        "/api/v1/users/bot", json={"active": False}, headers=company.headers("root")
    ),
    "she is switched off": lambda client, company, _bot: client.patch(
        "/api/v1/users/ada", json={"active": False}, headers=company.headers("root")
    ),
    "her key that made it is revoked": lambda client, company, _bot: client.delete(
        f"/api/v1/keys/{_own_key(company)}", headers=company.headers("root")
    ),
    "her key that made it ends": lambda _client, company, _bot: _past(company, "api_key", _own_key(company)),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_from_the_commit_on(client: TestClient, company: Company, bot: Service, end: str) -> None:
    """The next request gets what a wrong key gets, byte for byte; others' tokens work on unless it was the service."""
    assert client.get("/api/v1/users/me", headers=bot.headers("ada")).status_code == 200
    done = ENDS[end](client, company, bot)
    assert done is None or done.is_success, done.text
    answer = client.get("/api/v1/users/me", headers=bot.headers("ada"))
    check_problem(answer, 401, "NotSignedIn")
    assert answer.content == refusal(client)
    expected = 401 if "service" in end else 200
    assert client.get("/api/v1/users/me", headers=bot.headers("ben")).status_code == expected


def test_a_token_is_nothing_without_its_service(client: TestClient, company: Company, bot: Service) -> None:
    """Stolen alone, sent by another service, sent twice, misspelt, or in the wrong place."""
    other = make_service(client, company, "other")
    token, key = bot.tokens["ada"]["secret"], f"Bearer {bot.key['secret']}"
    tries: list[list[tuple[str, str]]] = [
        [("Authorization", f"Bearer {token}")],
        [(HEADER, token)],
        [("Authorization", f"Bearer {other.key['secret']}"), (HEADER, token)],
        [("Authorization", f"Bearer {token}"), (HEADER, token)],
        [("Authorization", key), (HEADER, WRONG)],
        [("Authorization", key), (HEADER, "")],
        [("Authorization", key), (HEADER, token[:-1])],
        [("Authorization", key), (HEADER, company.keys["ada"])],
        [("Authorization", key), (HEADER, bot.key["secret"])],
        [("Authorization", key), (HEADER, token), (HEADER, token)],
        [("Authorization", key), (HEADER, token), (HEADER, bot.tokens["ben"]["secret"])],
    ]
    for headers in tries:
        answer = client.get("/api/v1/documents", headers=headers)
        check_problem(answer, 401, "NotSignedIn")
        assert answer.content == refusal(client)


@pytest.mark.parametrize("token", ["hers", "somebody's", WRONG, ""])
def test_beside_a_persons_own_key_it_is_refused_and_never_ignored(
    client: TestClient, company: Company, bot: Service, token: str
) -> None:
    given = {"hers": bot.tokens["ada"]["secret"], "somebody's": bot.tokens["mia"]["secret"]}.get(token, token)
    answer = client.get("/api/v1/documents", headers=company.headers("ada") | {HEADER: given})
    check_problem(answer, 400, "BadRequest")


# What the person, the service, its key and the token may do, and what comes of it.
ALLOWED = [
    (["ask", "download"], ["ask", "download"], EVERY, ["ask", "download"], {"ask", "download"}),
    (["ask"], ["ask", "download"], EVERY, ["ask"], {"ask"}),
    (["ask", "download"], ["download"], EVERY, ["ask", "download"], {"download"}),
    (["ask", "download"], ["ask", "download"], ["ask"], ["ask", "download"], {"ask"}),
    (["ask", "download"], ["ask", "download"], EVERY, ["download"], {"download"}),
    (EVERY, ["ask", "download"], EVERY, ["ask", "download"], {"ask", "download"}),
    (["ask", "download"], ["ask"], EVERY, ["download"], set()),
    (["ask", "download"], ["ask", "download"], ["curate", "administer"], ["ask", "download"], set()),
    (["ask", "download"], [], EVERY, ["ask"], set()),
]


@pytest.mark.parametrize(("person", "service", "key", "token", "result"), ALLOWED)
def test_it_may_do_what_all_of_them_may(
    client: TestClient, company: Company, person: list[str], service: list[str], key: list[str], token: list[str],
    result: set[str],
) -> None:  # fmt: skip
    root = company.headers("root")
    client.post("/api/v1/users", json={"name": "eve", "capabilities": person}, headers=root)
    made = client.post("/api/v1/keys", json={"user": "eve", "capabilities": EVERY}, headers=root)
    company.keys["eve"] = made.json()["secret"]
    bot = make_service(client, company, "helper", *service)
    client.patch("/api/v1/users/helper", json={"capabilities": service}, headers=root)
    bot.key = client.post("/api/v1/keys", json={"user": "helper", "capabilities": key}, headers=root).json()
    bot.let("eve", *token)
    document = company.documents["handbook", "leave.md"]
    got = set()
    for name, path in (("ask", ""), ("download", "/original")):
        answer = client.get(f"/api/v1/documents/{document}{path}", headers=bot.headers("eve"))
        if answer.is_success:
            got.add(name)
        else:
            check_problem(answer, 403, "MissingCapability")
    assert got == result
    if not result:
        check_problem(client.get("/api/v1/documents", headers=bot.headers("eve")), 403, "MissingCapability")


def test_nobody_curates_administers_or_audits_through_it(client: TestClient, company: Company, bot: Service) -> None:
    """Not even who may do all of it in person, with a key of the service that says everything."""
    hidden = {"document": company.documents["handbook", "leave.md"], "name": "handbook", "user": "ben"}
    root = company.headers("root")
    assert client.put("/api/v1/collections/handbook/curators/max", headers=root).status_code == 204
    tried: list[tuple[str, str, Any]] = [
        ("GET", "/audit/events", None), ("GET", "/audit/export", None), ("GET", "/users", None),
        ("POST", "/users", {"name": "mole"}), ("PATCH", "/users/ben", {"clearance": "restricted"}),
        ("POST", "/roles", {"name": "moles"}), ("PUT", "/roles/hr/members/ben", None),
        ("POST", "/keys", {"user": "mia"}), ("POST", "/collections", {"name": "den"}),
        ("PUT", "/collections/{name}/curators/{user}", None), ("DELETE", "/documents/{document}", None),
        ("PUT", "/documents/{document}/access", {"grants": []}), ("GET", "/jobs", None), ("GET", "/roles", None),
        ("GET", "/collections/handbook/access", None), ("GET", "/grants?collection=handbook", None),
    ]  # fmt: skip
    for method, template, body in tried:
        path = "/api/v1" + path_for(template, **hidden)
        check_problem(client.request(method, path, json=body, headers=bot.headers("max")), 403, "InPersonNeeded")
    assert ("board", "merger.md") not in listed(client, bot.headers("max"))


# The only routes that a service may use; every other one, also one that comes later, takes the person.
LENT = {
    ("POST", "/api/v1/ask"),
    ("POST", "/api/v1/search"),
    ("GET", "/api/v1/documents"),
    ("GET", "/api/v1/documents/{document}"),
    ("GET", "/api/v1/documents/{document}/original"),
    ("GET", "/api/v1/collections"),
    ("GET", "/api/v1/collections/{name}"),
    ("GET", "/api/v1/users/me"),
}


def test_all_but_reading_and_asking_takes_the_person(client: TestClient, company: Company, bot: Service) -> None:
    """On every other route, whether the thing is there or not: the same 403, before anything else is looked at."""
    bodies, closed = set(), 0
    for method, template in sorted(served(client) - LENT):
        if template in OPEN or "static" in template:
            continue
        for names in ({}, {"document": company.documents["handbook", "leave.md"], "name": "handbook"}):
            answer = client.request(method, path_for(template, **names), headers=bot.headers("max"))
            check_problem(answer, 403, "InPersonNeeded")
            bodies.add(answer.content)
        closed += 1
    assert len(bodies) == 1
    assert closed > 35


def test_no_delegation_or_key_comes_of_one(client: TestClient, company: Company, bot: Service) -> None:
    before = company.rows("select (select count(*) from delegation) as d, (select count(*) from api_key) as k")
    tries = {"/delegations": {"service": "bot", "expires_in": 60}, "/keys": {"user": "max"}}
    for path, body in tries.items():
        answer = client.post(f"/api/v1{path}", json=body, headers=bot.headers("max"))
        check_problem(answer, 403, "InPersonNeeded")
    assert company.rows("select (select count(*) from delegation) as d, (select count(*) from api_key) as k") == before


def test_conversations_stay_with_the_person(client: TestClient, company: Company, bot: Service) -> None:
    """A service asks; it neither reads back what she asked elsewhere nor writes into it."""
    own = company.headers("ada")
    made = client.post("/api/v1/conversations", headers=own).json()["id"]
    body = {"question": "How long is parental leave?", "conversation": made}
    assert client.post("/api/v1/ask", json=body, headers=own).status_code == 200
    check_problem(client.post("/api/v1/ask", json=body, headers=bot.headers("ada")), 403, "InPersonNeeded")
    for method, path in (("GET", ""), ("POST", ""), ("GET", f"/{made}"), ("DELETE", f"/{made}")):
        answer = client.request(method, f"/api/v1/conversations{path}", headers=bot.headers("ada"))
        check_problem(answer, 403, "InPersonNeeded")
    assert len(client.get(f"/api/v1/conversations/{made}", headers=own).json()["turns"]) == 1
