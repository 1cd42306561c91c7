"""A service acts for a person who lets it, as that person, within what both may do; by itself it is nobody."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.api.services import HEADER, Service, listed, make_service
from tests.support.company import Company
from tests.support.service import client_of, parts_of, prompts, saying

WRONG = "cld_abcdefgh_" + "x" * 43
EVERY = ["ask", "download", "curate", "administer", "audit", "open"]


def refusal(client: TestClient) -> bytes:
    """What a wrong key gets."""
    answer = client.get("/api/v1/users/me", headers={"Authorization": "Bearer clr_abcdefgh_" + "x" * 43})
    check_problem(answer, 401, "NotSignedIn")
    return answer.content


@pytest.mark.changes_nothing
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


HER_KEY = "select d.key_id from delegation d join app_user u on u.id = d.person_id where u.name = 'ada'"
# What ends what a service may do for ada, from the commit on: a request and its sender, or a row whose end has passed.
ENDS: dict[str, tuple[str, str, Any, str] | tuple[str, str]] = {
    "the delegation is revoked by her": ("DELETE", "/delegations/{token}", None, "ada"),
    "the delegation is revoked by an administrator": ("DELETE", "/delegations/{token}", None, "root"),
    "the delegation ends": ("delegation", "{token}"),
    "the service's key is revoked": ("DELETE", "/keys/{key}", None, "root"),
    "the service's key ends": ("api_key", "{key}"),
    "the service is switched off": ("PATCH", "/users/bot", {"active": False}, "root"),
    "she is switched off": ("PATCH", "/users/ada", {"active": False}, "root"),
    "her key that made it is revoked": ("DELETE", "/keys/{hers}", None, "root"),
    "her key that made it ends": ("api_key", "{hers}"),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_from_the_commit_on(client: TestClient, company: Company, bot: Service, end: str) -> None:
    """The next request gets what a wrong key gets, byte for byte; others' tokens work on unless it was the service."""
    assert client.get("/api/v1/users/me", headers=bot.headers("ada")).status_code == 200
    ids = {"token": bot.tokens["ada"]["id"], "key": bot.key["id"], "hers": company.rows(HER_KEY)[0]["key_id"]}
    match ENDS[end]:
        case table, row:
            past = "expires_at = now() - interval '1 second'"
            company.execute(f"update {table} set {past} where id = '{row.format(**ids)}'")
        case method, path, body, who:
            place = f"/api/v1{path.format(**ids)}"
            assert client.request(method, place, json=body, headers=company.headers(who)).is_success
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


@pytest.mark.changes_nothing
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


# The only routes that a service may use; every other one, also one that comes later, takes the person.
