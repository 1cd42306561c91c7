"""How fresh what directories say is: shown to administrators, with what went wrong."""

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli.app import app
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.service import parts_of, serve

ROWS = (
    "insert into directory_state (source, kind, synced_at, fresh_until, people, groups, last_error, error_at) values"
    " ('corp', 'ldap', now(), now() + interval '1 day', 12, 3, null, null),"
    " ('old', 'ldap', now() - interval '2 days', now() - interval '1 day', 5, 1, 'no answer from ldap', now()),"
    " ('new', 'ldap', null, null, 0, 0, 'no answer from ldap', now())"
)


def test_what_each_directory_said_last(client: TestClient, company: Company) -> None:
    company.execute(ROWS)
    found = client.get("/api/v1/directories", headers=company.headers("root")).json()
    assert [(d["source"], d["people"], d["groups"], d["stale"], d["last_error"]) for d in found] == [
        ("corp", 12, 3, False, None),
        ("new", 0, 0, True, "no answer from ldap"),
        ("old", 5, 1, True, "no answer from ldap"),
    ]
    check_problem(client.get("/api/v1/directories", headers=company.headers("ada")), 403, "MissingCapability")


def test_the_command_says_what_is_over(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.execute(ROWS)
    with serve(parts_of(company.db)) as url:
        monkeypatch.setenv("CLEARANCE_URL", url)
        monkeypatch.setenv("CLEARANCE_KEY", company.keys["root"])
        said = CliRunner().invoke(app, ["people", "directories"]).output.splitlines()
    assert ["over" in line for line in said] == [False, True, True]
    assert "never read" in said[1]
