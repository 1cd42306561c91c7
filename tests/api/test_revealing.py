"""What a pseudonym stands for is told to who may reveal and reads a passage now in which it stands, and nobody else."""

import dataclasses
import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.answer.components import Components
from app.cli.app import app
from app.guardrail.policy.pseudonyms import MAX_VALUE, Pseudonym
from app.settings import GuardrailSettings
from tests.api.problems import ABSENT, check_problem
from tests.api.services import Service
from tests.support.company import Company, administering, upload
from tests.support.postgres_programs import program
from tests.support.pseudonyms import answered, chunks_of
from tests.support.service import client_of, parts_of, serve
from tests.support.worker import work_queued

VALUE, OTHER = "+44 20 7946 0958", "+44 20 7946 0321"
WHY = "The caller lost the number of the pay desk."
PAGE = f"# Pay desk\n\nThe pay desk is reached at {VALUE} on weekdays.\n\nIts head is reached at {OTHER}."
MANAGERS = f"# Desks\n\nThe pay desk is reached at {VALUE}; managers may call at any hour."
FAIL_RECORD = """
    create function fail() returns trigger language plpgsql as $$ begin raise exception 'refused here'; end $$;
    create constraint trigger fail after insert on audit_leaf deferrable initially deferred
      for each row when (new.kind like 'pseudonym.%') execute function fail()
"""
REFUSE_RECORD = "revoke insert on audit_leaf from clearance_audit"


@dataclass
class Desk:
    """Ada's answer, with two pseudonyms of hr's page. Rhea and Rolf may reveal; of them, hr is Rhea alone."""

    company: Company
    client: TestClient
    parts: Components
    trail: uuid.UUID

    def ask(self, who: str, *, trail: object = None, number: int = 1, kind: str = "phone", reason: str = WHY) -> Any:
        body = {"kind": kind, "number": number, "reason": reason}
        path = f"/api/v1/answers/{trail or self.trail}/reveal"
        return self.client.post(path, json=body, headers=self.company.headers(who))

    def send(self, method: str, path: str, body: Any = None, *, who: str = "root") -> None:
        answer = self.client.request(method, f"/api/v1{path}", json=body, headers=self.company.headers(who))
        assert answer.is_success, answer.text

    def kept(self) -> int:
        [row] = self.company.rows("select count(*) as n from pseudonym where trail = %s", [self.trail])
        return int(row["n"])


@pytest.fixture
def desk(company: Company) -> Iterator[Desk]:
    parts = parts_of(company.db)
    with client_of(parts) as client:
        yield found_desk(company, client, parts)


def found_desk(company: Company, client: TestClient, parts: Components) -> Desk:
    send = administering(client, company)
    for name, roles in {"rhea": ("hr",), "rolf": ("engineering",)}.items():
        send("POST", "/users", {"name": name, "capabilities": ["ask", "reveal"], "clearance": "confidential"})
        for role in roles:
            send("PUT", f"/roles/{role}/members/{name}", None)
        company.keys[name] = send("POST", "/keys", {"user": name, "capabilities": ["ask", "reveal"]})["secret"]
    add_page(client, company, "hr", "desk.md", PAGE, role="hr")
    chunks = chunks_of(company, "hr", "desk.md")
    trail = answered(parts, "ada", Pseudonym("phone", 1, VALUE, chunks), Pseudonym("phone", 2, OTHER, chunks))
    return Desk(company, client, parts, trail)


def add_page(client: TestClient, company: Company, collection: str, path: str, content: str, *, role: str) -> None:
    upload(client, company, "cleo", collection=collection, path=path, content=content.encode(), roles=[role])
    work_queued(company.db)
    [row] = company.rows("select public_id from document where path = %s", [path])
    company.documents[collection, path] = row["public_id"]


def test_a_colleague_who_reads_the_page_is_told_and_the_log_says_so(desk: Desk) -> None:
    for number, value in ((1, VALUE), (2, OTHER)):
        answer = desk.ask("rhea", number=number)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"trail": str(desk.trail), "kind": "phone", "number": number, "value": value}
        assert answer.headers["cache-control"] == "no-store"
    first, second = desk.company.records("pseudonym.revealed")
    assert (first["actor"]["name"], first["answer"]) == ("rhea", str(desk.trail))
    assert (first["redaction"], first["number"], second["number"]) == ("phone", 1, 2)
    assert first["document"] == str(desk.company.documents["hr", "desk.md"])
    assert uuid.UUID(first["chunk"]) in chunks_of(desk.company, "hr", "desk.md")
    assert first["trail"] is None, "who opens the words of the answer's asker opens this reason too"
    assert desk.company.unsealed(first, "reason") == WHY
    assert WHY not in json.dumps(first)
    assert desk.company.records("pseudonym.refused") == []


def test_whose_answer_it_is_makes_no_difference(desk: Desk) -> None:
    """Ada, who asked, may not reveal."""
    check_problem(desk.ask("ada"), 403, "MissingCapability")
    desk.send("PATCH", "/users/ada", {"capabilities": ["ask", "reveal"]})
    check_problem(desk.ask("ada"), 403, "MissingCapability")  # her key may not
    assert desk.company.records("pseudonym.revealed") == desk.company.records("pseudonym.refused") == []
    desk.send("PUT", "/roles/hr/members/rolf")
    assert desk.ask("rolf").json()["value"] == VALUE


def leave_role(desk: Desk) -> None:
    desk.send("DELETE", "/roles/hr/members/rhea")


def move_page(desk: Desk) -> None:
    page = desk.company.documents["hr", "desk.md"]
    rule = {"grants": [{"role": "managers"}], "inherits": False}
    desk.send("PUT", f"/documents/{page}/access", rule, who="cleo")


def raise_label(desk: Desk) -> None:
    page = desk.company.documents["hr", "desk.md"]
    rule = {"grants": [], "inherits": True, "label": "restricted"}
    desk.send("PUT", f"/documents/{page}/access", rule, who="cleo")


def delete_page(desk: Desk) -> None:
    desk.send("DELETE", f"/documents/{desk.company.documents['hr', 'desk.md']}", who="cleo")


def replace_page(desk: Desk) -> None:
    add_page(desk.client, desk.company, "hr", "desk.md", "# Pay desk\n\nIt has moved.", role="hr")


def expire(desk: Desk) -> None:
    desk.company.execute("update pseudonym set created_at = now() - interval '25 hours', expires_at = now()")


def destroy_key(desk: Desk) -> None:
    desk.company.execute("delete from person_key where user_id = (select id from app_user where name = 'ada')")


def swap_values(desk: Desk) -> None:
    """What is sealed opens in its own place alone."""
    desk.company.execute("update pseudonym p set sealed = (select sealed from pseudonym o where o.number <> p.number)")


LOST: dict[str, Callable[[Desk], None]] = {
    "the role": leave_role, "the page moved": move_page, "the clearance": raise_label, "the page": delete_page,
    "its version": replace_page, "the time": expire, "the asker's key": destroy_key, "its place": swap_values,
}  # fmt: skip


@pytest.mark.parametrize("what", LOST)
def test_who_has_lost_it_since_finds_nothing(desk: Desk, what: str) -> None:
    assert desk.ask("rhea").json()["value"] == VALUE
    LOST[what](desk)
    refused = desk.ask("rhea")
    check_problem(refused, 404, "NotFound")
    assert refused.content == desk.ask("rhea", trail=ABSENT).content
    assert [each["number"] for each in desk.company.records("pseudonym.refused")] == [1, 1]
    assert len(desk.company.records("pseudonym.revealed")) == 1
    # What goes with its passages is gone by itself; what is over is the worker's to remove.
    assert desk.kept() == (0 if what in {"the page", "its version"} else 2)


def test_nothing_tells_what_there_is_from_what_there_is_not(desk: Desk) -> None:
    """The same bytes, the same statements, and a record of each attempt."""
    statements: list[str] = []
    engine = desk.parts.database.engine

    def tried(who: str, **named: Any) -> tuple[bytes, dict[str, str], list[str]]:
        statements.clear()
        answer = desk.ask(who, **named)
        check_problem(answer, 404, "NotFound")
        headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        return answer.content, headers, list(statements)

    desk.ask("rolf")  # what is prepared once is prepared
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    hidden = tried("rolf")
    assert hidden == tried("rolf", trail=ABSENT) == tried("rolf", number=3) == tried("rolf", kind="email")
    assert hidden == tried("rolf", trail=str(desk.trail).upper())
    assert sum("from pseudonym" in each for each in hidden[2]) == 1
    assert len(desk.company.records("pseudonym.refused")) == 6
    [other] = [r for r in desk.company.records("pseudonym.refused") if r["answer"] == str(ABSENT)]
    assert (other["redaction"], other["number"], other["actor"]["name"]) == ("phone", 1, "rolf")
    assert {"chunk", "document"}.isdisjoint(other)
    assert desk.company.unsealed(other, "reason") == WHY


def test_nobody_else_gets_that_far(desk: Desk, bot: Service) -> None:
    for who in ("ben", "audrey", "root", "nora"):
        check_problem(desk.ask(who), 403, "MissingCapability")
        check_problem(desk.ask(who, trail=ABSENT), 403, "MissingCapability")
    check_problem(desk.client.post(f"/api/v1/answers/{desk.trail}/reveal", json={}), 401, "NotSignedIn")
    body = {"kind": "phone", "number": 1, "reason": WHY}
    lent = desk.client.post(f"/api/v1/answers/{desk.trail}/reveal", json=body, headers=bot.headers("max"))
    check_problem(lent, 403, "InPersonNeeded")
    check_problem(desk.ask("rhea", trail="not-an-id"), 404, "NotFound")
    for wrong in ({"reason": "short"}, {"reason": "   .      "}, {"reason": "x" * 1001}, {"number": 0}, {"kind": ""},
                  {"kind": "Phone;"}, {"kind": "x" * 41}, {"number": 1_000_001}):  # fmt: skip
        check_problem(desk.ask("rhea", **wrong), 422, "InvalidInput")
    assert desk.company.records("pseudonym.revealed") == desk.company.records("pseudonym.refused") == []


@pytest.mark.parametrize("broken", [REFUSE_RECORD, FAIL_RECORD], ids=["insert refused", "commit refused"])
def test_without_a_record_nothing_is_told(desk: Desk, broken: str) -> None:
    desk.company.execute(broken)
    for who in ("rhea", "rolf"):
        answer = desk.ask(who)
        check_problem(answer, 503, "DatabaseUnavailable")
        assert VALUE not in answer.text
    assert desk.company.rows("select 1 from audit_leaf where kind like 'pseudonym.%%'") == []


def test_the_command_prints_the_value_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["reveal", str(desk.trail), "phone", "1", "--reason", WHY]
    with serve(parts_of(desk.company.db)) as url:
        monkeypatch.setenv("CLEARANCE_URL", url)
        monkeypatch.setenv("CLEARANCE_KEY", desk.company.keys["rhea"])
        told = CliRunner().invoke(app, command)
        monkeypatch.setenv("CLEARANCE_KEY", desk.company.keys["rolf"])
        refused = CliRunner().invoke(app, command)
    assert (told.exit_code, told.stdout) == (0, f"{VALUE}\n")
    assert refused.exit_code != 0
    assert VALUE not in refused.output + str(refused.exception)


def test_one_passage_of_several_is_enough(desk: Desk) -> None:
    """A value in two documents is told by either, and goes with the last."""
    company = desk.company
    add_page(desk.client, company, "board", "desks.md", MANAGERS, role="managers")
    desk.send("PUT", "/roles/managers/members/ada")
    desk.send("PATCH", "/users/ada", {"clearance": "restricted"})
    both = chunks_of(company, "hr", "desk.md") | chunks_of(company, "board", "desks.md")
    desk.trail = answered(desk.parts, "ada", Pseudonym("phone", 1, VALUE, both))
    desk.send("PATCH", "/users/rolf", {"clearance": "restricted"})
    desk.send("PUT", "/roles/managers/members/rolf")
    assert [desk.ask(who).status_code for who in ("rhea", "rolf")] == [200, 200]
    documents = [each["document"] for each in company.records("pseudonym.revealed")]
    assert documents == [str(company.documents["hr", "desk.md"]), str(company.documents["board", "desks.md"])]
    delete_page(desk)
    assert [desk.ask(who).status_code for who in ("rhea", "rolf")] == [404, 200]
    desk.send("DELETE", f"/documents/{company.documents['board', 'desks.md']}", who="cleo")
    assert [desk.ask(who).status_code for who in ("rhea", "rolf")] == [404, 404]
    assert desk.kept() == 0


def test_whoever_is_erased_takes_the_pseudonyms_of_their_answers_along(desk: Desk) -> None:
    other = answered(desk.parts, "hank", Pseudonym("phone", 1, VALUE, chunks_of(desk.company, "hr", "desk.md")))
    [counts] = desk.company.rows("select clearance.erase_person(id) as gone from app_user where name = 'ada'")
    assert counts["gone"]["pseudonyms"] == 2
    check_problem(desk.ask("rhea"), 404, "NotFound")
    assert desk.ask("rhea", trail=other).json()["value"] == VALUE


def test_the_value_is_nowhere_but_in_the_answer_and_its_passages(
    desk: Desk, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logged:
        assert desk.ask("rhea").json()["value"] == VALUE
        assert VALUE not in desk.ask("rolf").text
        desk.company.execute(FAIL_RECORD)
        assert VALUE not in desk.ask("rhea").text
    assert len(logged) >= 3, "the test looks at nothing"
    printed = capsys.readouterr()
    assert VALUE not in printed.out + printed.err + caplog.text + str(logged)
    command = [str(program("pg_dump")), f"--dbname={desk.company.db.libpq('admin')}", "--data-only"]
    excluded = [f"--exclude-table=public.{name}" for name in ("chunk", "original")]
    dumped = subprocess.run([*command, *excluded], check=True, capture_output=True, text=True).stdout
    assert str(desk.trail) in dumped, "the test looks at nothing"
    assert VALUE not in dumped
    assert VALUE not in repr(Pseudonym("phone", 1, VALUE, frozenset()))


def test_what_is_kept_and_for_how_long(desk: Desk, company: Company) -> None:
    """Neither credentials, nor what is too long, nor what its asker may not read; the rest for as long as is set."""
    chunks = chunks_of(company, "hr", "desk.md")
    hidden = chunks_of(company, "board", "merger.md")
    settings = desk.parts.settings.model_copy(update={"guardrail": GuardrailSettings(pseudonym_hours=2)})
    parts = dataclasses.replace(desk.parts, settings=settings)
    given = (
        Pseudonym("phone", 1, "v" * MAX_VALUE, chunks | hidden), Pseudonym("phone", 2, "v" * (MAX_VALUE + 1), chunks),
        Pseudonym("credential", 1, "a secret", chunks), Pseudonym("phone", 3, VALUE, hidden),
        Pseudonym("phone", 4, VALUE, frozenset()), Pseudonym("phone", 5, VALUE, frozenset([ABSENT])),
    )  # fmt: skip
    trail = answered(parts, "ada", *given)
    rows = company.rows(
        "select kind, number, extract(epoch from expires_at - created_at)::int as seconds,"
        " (select count(*) from pseudonym_passage l where l.pseudonym_id = p.id) as passages"
        " from pseudonym p where trail = %s",
        [trail],
    )
    assert rows == [{"kind": "phone", "number": 1, "seconds": 7200, "passages": len(chunks)}]
    assert desk.ask("rhea", trail=trail).json()["value"] == "v" * MAX_VALUE


def test_the_record_of_an_answer_is_kept_where_its_pseudonyms_cannot_be(desk: Desk, company: Company) -> None:
    """Of two that have one number neither is: the record of the answer's end is there all the same."""
    chunks = chunks_of(company, "hr", "desk.md")
    with capture_logs() as logged:
        trail = answered(desk.parts, "ada", *(Pseudonym("phone", 1, value, chunks) for value in (VALUE, OTHER)))
    assert company.rows("select 1 from pseudonym where trail = %s", [trail]) == []
    assert [r["trail"] for r in company.records("answer.closed")][-1] == str(trail)
    [said] = logged
    assert (said["event"], said["trail"]) == ("pseudonyms.not_kept", str(trail))
    assert VALUE not in str(said)
