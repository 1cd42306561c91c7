"""Which service and whose key; what `init` makes of the environment; tables and grants."""

import os
import re
from pathlib import Path

import pytest
import typer

from app.cli.connection import ConnectionOptions, NotConnected, find_key, find_url, parse_time, split_list
from app.cli.database_setup import ADMIN_URL, CannotInit, Plan
from app.cli.demo_output import all_text
from app.cli.doctor import checks
from app.cli.grant_options import GrantUnclear, grant_body
from app.cli.grants import format_principal, rule_path
from app.local.environment import APP_URL, AUDIT_KEY, IDENTITY_KEY
from app.local.instance import Instance, process_start
from app.local.secrets import write_private

PEOPLE = '{"maya": {"display_name": "Maya", "title": "t", "roles": [], "key": "maya-key"}}'
ADMIN = "postgresql://postgres:root-pw@db.example:5433/ours"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of an instance that runs: this process stands for it."""
    pid = os.getpid()
    Instance(pid=pid, born=process_start(pid) or 0, api_url="http://127.0.0.1:8700", model_url="").save(tmp_path)
    write_private(tmp_path / "people.json", PEOPLE)
    return tmp_path


def options(
    home: Path, *, person: str | None = None, key_file: Path | None = None, url: str | None = None
) -> ConnectionOptions:
    return ConnectionOptions(person, key_file, url, home)


def test_the_address_is_the_option_then_the_environment_then_the_instance(home: Path, tmp_path: Path) -> None:
    environ = {"CLEARANCE_URL": "https://env.example/"}
    assert find_url(options(home, url="https://option.example/api/v1/"), environ) == "https://option.example"
    assert find_url(options(home), environ) == "https://env.example"
    assert find_url(options(home), {}) == "http://127.0.0.1:8700"
    with pytest.raises(NotConnected, match="'clearance run' starts it"):
        find_url(options(tmp_path / "nothing"), {})
    with pytest.raises(NotConnected, match="begins with http"):
        find_url(options(home, url="clearance.example"), {})


def test_a_key_is_never_one_that_nobody_asked_for(home: Path) -> None:
    file = home / "key"
    file.write_text("file-key\n")
    environ = {"CLEARANCE_KEY": "env-key"}
    assert find_key(options(home, key_file=file), environ) == "file-key"
    assert find_key(options(home, person="maya"), environ) == "maya-key"
    assert find_key(options(home), environ) == "env-key"
    with pytest.raises(NotConnected, match="--as is one of maya"):
        find_key(options(home), {})
    with pytest.raises(NotConnected, match="either --as or --key-file"):
        find_key(options(home, person="maya", key_file=file), {})
    with pytest.raises(NotConnected, match="cannot read the key"):
        find_key(options(home, key_file=home / "none"), {})


@pytest.mark.parametrize("environ", [{}, {"CLEARANCE_URL": "https://elsewhere.example"}])
def test_the_key_of_a_sample_person_goes_to_this_instance_alone(home: Path, environ: dict[str, str]) -> None:
    elsewhere = None if environ else "https://elsewhere.example"
    with pytest.raises(NotConnected, match="--as is for the sample company"):
        find_key(options(home, person="maya", url=elsewhere), environ)


def test_times_have_a_zone_and_lists_no_spaces() -> None:
    assert parse_time("2027-01-01").isoformat() == "2027-01-01T00:00:00+00:00"
    assert parse_time("2027-01-01T09:00:00+02:00").isoformat() == "2027-01-01T09:00:00+02:00"
    with pytest.raises(typer.BadParameter):
        parse_time("next year")
    assert split_list(" a, b,,") == ["a", "b"]
    assert split_list(None) == []


def test_init_draws_what_is_not_given_and_shows_only_that() -> None:
    plan = Plan.of({ADMIN_URL: ADMIN})
    assert plan.database == "ours"
    assert len({*plan.passwords.values()}) == 7
    app_url = f"postgresql+psycopg://clearance_app:{plan.passwords['clearance_app']}@db.example:5433/ours"
    assert plan.generated[APP_URL] == app_url
    assert plan.generated[IDENTITY_KEY] == plan.identity_key
    assert len(plan.generated) == 9, "the two passwords of roles that no service uses too"
    assert "root-pw" not in repr(plan)
    assert plan.identity_key not in repr(plan)
    given = {
        ADMIN_URL: ADMIN,
        APP_URL: "postgresql://clearance_app:p%40ss@other/ours",
        IDENTITY_KEY: "ab" * 32,
        AUDIT_KEY: "cd" * 32,
    }
    plan = Plan.of(given)
    assert plan.passwords["clearance_app"] == "p@ss"
    urls = {f"CLEARANCE_DATABASE__{name}_URL" for name in ("INGEST", "SEQUENCER", "SEARCH", "DELIVERY")}
    assert set(plan.generated) == urls | {"CLEARANCE_INIT_OWNER_PASSWORD", "CLEARANCE_INIT_BACKUP_PASSWORD"}
    assert Plan.of({ADMIN_URL: "postgresql://u:p@h/postgres"}).database == "clearance"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "set CLEARANCE_DATABASE__ADMIN_URL="),
        ({ADMIN_URL: "no url"}, "is no URL"),
        ({ADMIN_URL: ADMIN, APP_URL: "postgresql://somebody:pw@h/ours"}, "must name the user clearance_app"),
        ({ADMIN_URL: ADMIN, APP_URL: "postgresql://clearance_app@h/ours"}, "with a password"),
        ({ADMIN_URL: ADMIN, APP_URL: "postgresql://clearance_app:pw@h/other"}, "the database ours"),
        ({ADMIN_URL: ADMIN, IDENTITY_KEY: "abc"}, "CLEARANCE_IDENTITY__KEY must be 32 bytes in hex"),
        ({ADMIN_URL: ADMIN, AUDIT_KEY: "zz" * 32}, "CLEARANCE_AUDIT__KEY must be 32 bytes in hex"),
    ],
)
def test_init_says_what_is_wrong_with_the_environment(environ: dict[str, str], message: str) -> None:
    with pytest.raises(CannotInit, match=re.escape(message)) as refused:
        Plan.of(environ)
    assert "root-pw" not in str(refused.value)
    assert ":pw" not in str(refused.value)


def test_grants_name_exactly_one() -> None:
    body = {"role": "hr", "user": None, "everyone": False, "effect": "deny", "starts_at": None, "ends_at": None}
    assert grant_body("hr", None, everyone=False, deny=True) == body
    for role, user, everyone in ((None, None, False), ("hr", "maya", False), ("hr", None, True)):
        with pytest.raises(GrantUnclear):
            grant_body(role, user, everyone=everyone, deny=False)
    assert format_principal({"role": None, "user": "maya", "everyone": False}) == "user maya"
    assert rule_path("handbook") == "/collections/handbook/access"
    document = "ea3bbabf-880e-495a-aaf8-0a7b0900d844"
    assert rule_path(document) == f"/documents/{document}/access"


def test_everything_that_an_answer_shows_is_looked_through() -> None:
    source = {"collection": "finance", "path": "a.md", "quote": "the quote", "heading": ["the heading"], "page": None}
    shown = all_text({"answer": "the text", "sources": [source], "redactions": {"card": 1}})
    for part in ("the text", "finance/a.md", "the quote", "the heading"):
        assert part in shown


def test_the_doctor_looks_at_file_modes(tmp_path: Path) -> None:
    assert list(checks.check_file_modes(tmp_path / "none")) == []
    tmp_path.chmod(0o700)
    write_private(tmp_path / "people.json", PEOPLE)
    assert [f.state for f in checks.check_file_modes(tmp_path)] == ["ok"]
    (tmp_path / "people.json").chmod(0o604)
    [finding] = checks.check_file_modes(tmp_path)
    assert finding.state == "fail"
    assert "people.json (-rw----r--)" in finding.says
