"""What people let services do: made, listed and ended by themselves, within limits, and all of it in the log."""

import datetime as dt
import re
from typing import Any

from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli.app import app
from app.identity.authenticate import identify
from app.settings import ApiSettings
from tests.api.problems import ABSENT, check_problem
from tests.api.services import Service, listed, make_service
from tests.support.company import Company
from tests.support.service import app_of, client_of, parts_of, serve


def test_nobody_lends_what_they_lack(client: TestClient, company: Company, bot: Service) -> None:
    """Neither the person nor a weak key of theirs; and no more than a service may have, nor longer than is set."""

    def make(person: str, **given: Any) -> Any:
        body = {"service": "bot", "expires_in": 60} | given
        return client.post("/api/v1/delegations", json=body, headers=company.headers(person))

    check_problem(make("ben", capabilities=["download"]), 403, "MissingCapability")
    check_problem(make("nora"), 403, "MissingCapability")
    weak = client.post("/api/v1/keys", json={"user": "ada"}, headers=company.headers("root")).json()
    company.keys["weak"] = weak["secret"]
    check_problem(make("weak", capabilities=["ask", "download"]), 403, "MissingCapability")
    wrongs: tuple[dict[str, Any], ...] = (
        {"capabilities": ["curate"]}, {"capabilities": []}, {"expires_in": 0}, {"expires_in": 86_401},
        {"service": "Bot"}, {"more": 1},
    )  # fmt: skip
    for wrong in wrongs:
        check_problem(make("max", **wrong), 422, "InvalidInput")
    assert make("max", expires_in=86_400).status_code == 201


def test_a_name_of_nobody_and_of_somebody_are_no_service_alike(client: TestClient, company: Company) -> None:
    """An employee learns no names of people so."""
    make_service(client, company, "off")
    client.patch("/api/v1/users/off", json={"active": False}, headers=company.headers("root"))
    texts = set()
    for name in ("mia", "nobody", "off", "elsewhere:mia"):
        body = {"service": name, "expires_in": 60}
        answer = client.post("/api/v1/delegations", json=body, headers=company.headers("ben"))
        check_problem(answer, 422, "InvalidInput")
        texts.add(answer.text.replace(name, "X"))
    assert len(texts) == 1


def test_delegations_are_listed_and_revoked_by_their_giver(client: TestClient, company: Company, bot: Service) -> None:
    mine = client.get("/api/v1/delegations", headers=company.headers("ada")).json()
    assert [(d["person"], d["service"], d["capabilities"]) for d in mine] == [("ada", "bot", ["ask"])]
    assert set(mine[0]) == {
        "id", "prefix", "person", "service", "capabilities", "created_at", "expires_at", "revoked_at"
    }  # fmt: skip
    check_problem(client.get("/api/v1/delegations?user=mia", headers=company.headers("ada")), 403, "MissingCapability")
    every = client.get("/api/v1/delegations", headers=company.headers("root")).json()
    assert {d["person"] for d in every} == {"ada", "ben", "mia", "max"}
    [of_mia] = client.get("/api/v1/delegations?user=mia", headers=company.headers("root")).json()
    hidden, absent = (
        client.delete(f"/api/v1/delegations/{which}", headers=company.headers("ada"))
        for which in (of_mia["id"], ABSENT)
    )
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content
    assert client.get("/api/v1/users/me", headers=bot.headers("mia")).json()["name"] == "mia"


def test_what_a_service_had_would_not_count(client: TestClient, company: Company, bot: Service) -> None:
    """Were it in a role in spite of the database's own refusal: ben reads no more through it, for neither filter."""
    before = listed(client, bot.headers("ben"))
    company.execute(
        "alter table membership disable trigger persons_alone;"
        " insert into membership select u.id, r.id from app_user u, role r where u.name = 'bot';"
        " update app_user set clearance = 3 where name = 'bot'"
    )
    assert listed(client, bot.headers("ben")) == before == listed(client, company.headers("ben"))
    hits = client.post("/api/v1/search", json={"query": "merger price"}, headers=bot.headers("ben")).json()["hits"]
    assert {hit["collection"] for hit in hits} <= {"handbook"}
    # Row-level security alone would have held that; the scope filter knows no role but his either.
    with app_of(client).state.parts.database.anonymous() as session:
        own = identify(session, company.keys["ben"])
        through = identify(session, bot.key["secret"], bot.tokens["ben"]["secret"])
    assert (through.user_id, through.roles, through.clearance) == (own.user_id, own.roles, own.clearance)
    assert through.curates == frozenset()
    assert through.via is not None


def test_a_service_has_no_access_to_explain(client: TestClient, company: Company, bot: Service) -> None:
    assert bot.name == "bot"
    client.put("/api/v1/collections/handbook/curators/max", headers=company.headers("root"))
    document = company.documents["handbook", "leave.md"]
    answer = client.get(f"/api/v1/access/explain?document={document}&user=bot", headers=company.headers("max"))
    check_problem(answer, 422, "InvalidInput")


def test_the_log_names_both(client: TestClient, company: Company, bot: Service) -> None:
    """Whose rights were used, and which service with which key and token used them."""
    assert client.post("/api/v1/search", json={"query": "leave"}, headers=bot.headers("ada")).status_code == 200
    assert client.post("/api/v1/ask", json={"question": "leave?"}, headers=bot.headers("ada")).status_code == 200
    [service] = company.rows("select id from app_user where name = 'bot'")
    [person] = company.rows("select id from app_user where name = 'ada'")
    expected = {
        "user": str(person["id"]),
        "name": "ada",
        "key": bot.key["prefix"],
        "via": {"service": str(service["id"]), "name": "bot", "delegation": bot.tokens["ada"]["prefix"]},
        "address": "testclient",
    }
    for kind in ("search.done", "answer.opened", "answer.closed"):
        assert company.records(kind)[-1]["actor"] == expected
    assert company.unsealed(company.records("search.done")[-1], "query") == "leave"
    made = next(r for r in company.records("delegation.made") if r["prefix"] == bot.tokens["ada"]["prefix"])
    assert (made["person"], made["service"]) == (str(person["id"]), str(service["id"]))
    assert made["actor"]["via"] is None
    client.delete(f"/api/v1/delegations/{bot.tokens['ada']['id']}", headers=company.headers("root"))
    [ended] = company.records("delegation.revoked")
    assert (ended["actor"]["name"], ended["prefix"]) == ("admin", bot.tokens["ada"]["prefix"])


def test_the_log_holds_no_secret(client: TestClient, company: Company, bot: Service) -> None:
    assert client.get("/api/v1/users/me", headers=bot.headers("ada")).status_code == 200
    bodies = "\n".join(row["body"] for row in company.rows("select body from audit_leaf"))
    assert bot.tokens["ada"]["secret"][13:] not in bodies
    assert bot.key["secret"][13:] not in bodies
    stored = str(company.rows("select * from delegation"))
    assert bot.tokens["ada"]["secret"][13:] not in stored


def test_the_rate_is_the_services(company: Company, client: TestClient, bot: Service) -> None:
    """All it asks for, it asks with one key; whom it asks for keeps their own."""
    few = ApiSettings(rate_per_minute=1, burst=3, concurrent=8)
    with client_of(parts_of(company.db, api=few)) as limited:
        for person in ("ada", "ben", "ada"):
            assert limited.get("/api/v1/users/me", headers=bot.headers(person)).status_code == 200
        refused = limited.get("/api/v1/users/me", headers=bot.headers("mia"))
        check_problem(refused, 429, "TooManyRequests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert limited.get("/api/v1/users/me", headers=company.headers("ada")).status_code == 200


def test_a_service_is_shown_as_one(client: TestClient, company: Company, bot: Service) -> None:
    users = {u["name"]: u for u in client.get("/api/v1/users", headers=company.headers("root")).json()}
    assert (users["bot"]["kind"], users["bot"]["roles"], users["bot"]["source"]) == ("service", [], "local")
    assert users["ada"]["kind"] == "person"
    until = dt.datetime.fromisoformat(bot.tokens["ada"]["expires_at"])
    assert dt.timedelta(minutes=30) < until - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=1)


def test_on_the_command_line(company: Company) -> None:
    """An administrator makes a service and its key, a person lets it act, it asks, she ends it."""
    with serve(parts_of(company.db)) as url:

        def run(key: str, *words: str, token: str = "") -> tuple[int, str, str]:
            environment = {"CLEARANCE_URL": url, "CLEARANCE_KEY": key, "CLEARANCE_ON_BEHALF_OF": token}
            done = CliRunner().invoke(app, words, env={**environment, "COLUMNS": "200"})
            return done.exit_code, done.stdout.strip(), f"{done.stderr}{done.exception}"

        root, ada = company.keys["root"], company.keys["ada"]
        assert run(root, "people", "add-service", "helpdesk")[0] == 0
        code, key, _ = run(root, "keys", "make", "helpdesk")
        assert (code, key[:4]) == (0, "clr_")
        code, token, said = run(ada, "delegations", "make", "helpdesk", "--hours", "2")
        assert (code, token[:4]) == (0, "cld_")
        assert "clearance delegations revoke" in said
        search = ("search", "salary band florins")
        code, _, said = run(key, *search)
        assert code == 1
        assert "Clearance-On-Behalf-Of" in said
        code, shown, _ = run(key, *search, token=token)
        assert code == 0
        assert "hr/salaries.md" in shown
        assert run(ada, *search, token=token)[0] == 1
        code, shown, _ = run(ada, "delegations", "list")
        assert "helpdesk" in shown
        made = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", shown)
        assert run(ada, "delegations", "revoke", made[0])[0] == 0
        code, _, said = run(key, *search, token=token)
        assert code == 1
        assert "Not signed in" in said
