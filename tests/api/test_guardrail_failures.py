"""When the guardrail fails: no more goes out, the reader is told, and log, metrics and records say where it was."""

import asyncio
import dataclasses
import json
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.answer.components import Components
from app.answer.events import Mode
from app.answer.running import AnswerFailed, RunningAnswers, RunningEvent
from app.grounding import stream as grounding_stream
from app.guardrail import active_content, citations, guarded, redactor
from app.guardrail.stages import STAGES
from app.settings import AnswerSettings
from tests.api.problems import check_problem
from tests.support import failing_checks
from tests.support.company import LEAVE, Company
from tests.support.failing_checks import WORD, Hanging, Raising, failing_check
from tests.support.guardrail_policy import with_checks
from tests.support.questions import ON_LEAVE, ask, events, spoken
from tests.support.service import METRICS_KEY, client_of, letters, parts_of, saying, subject_named

FIRST = "Every employee gets twenty-six weeks of parental leave after the first year [1]."
SAID = f"{FIRST} The form is on the intranet under people [1]. {FIRST}"


@pytest.fixture(autouse=True)
def ending() -> Iterator[None]:
    failing_checks.ENDED.clear()
    yield
    failing_checks.ENDED.set()


@pytest.fixture(params=["raises", "hangs"])
def failing(
    request: pytest.FixtureRequest, company: Company, monkeypatch: pytest.MonkeyPatch
) -> tuple[Components, str]:
    """The parts with a check that fails, and the type that is told of."""
    hangs = request.param == "hangs"
    if hangs:
        monkeypatch.setattr(guarded, "MAX_SECONDS", 0.3)
        monkeypatch.setattr(redactor, "MAX_SECONDS", 0.3)
    parts = parts_of(company.db, chat=letters(SAID), answer=AnswerSettings(guardrail_seconds=0.3 if hangs else 30))
    made = dataclasses.replace(parts, policy=with_checks((*parts.checks, failing_check(Hanging if hangs else Raising))))
    return made, "TimeLimit" if hangs else "ZeroDivisionError"


def metric(client: TestClient, name: str) -> float:
    text = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert WORD not in text
    return float(next(line for line in text.splitlines() if line.startswith(name + " ")).rsplit(" ", 1)[1])


def failures(client: TestClient, stage: str = "redaction") -> float:
    return metric(client, f'clearance_guardrail_failures_total{{stage="{stage}"}}')


def check_closed(company: Company, reason: str, outcome: str = "failed") -> None:
    closed = company.records("answer.closed")
    assert {(c["outcome"], c["reason"]) for c in closed} == {(outcome, reason)}
    assert WORD not in json.dumps(closed)


def logged(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of the log about failures; no line holds the text."""
    text = capsys.readouterr().err
    assert WORD not in text
    return [line for line in text.splitlines() if "guardrail.failed" in line]


def test_a_streamed_answer_ends_with_an_error(
    failing: tuple[Components, str], company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was released before stands; what was held back is not flushed."""
    parts, cause = failing
    with client_of(parts) as client:
        answer = ask(client, company, "ben", ON_LEAVE, stream=True)
        count = failures(client)
    found = events(answer.text)
    assert [name for name, _ in found if name != "delta"] == ["opened", "error"]
    assert found[-1][1] == {
        "code": "GuardrailFailed",
        "title": "The guardrail failed",
        "detail": "A text could not be checked, so no more of it is shown. It is our fault and has been logged.",
    }
    assert spoken(found) != ""
    assert f"{FIRST} The form is on the ".startswith(spoken(found))
    assert WORD not in answer.text
    check_closed(company, f"GuardrailFailed:redaction:{cause}")
    assert count == 1
    [line] = logged(capsys)
    assert f'"error": "{cause}"' in line
    assert '"stage": "redaction"' in line


def test_a_whole_answer_is_a_problem(
    failing: tuple[Components, str], company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it, not even what was checked."""
    parts, cause = failing
    with client_of(parts) as client:
        answer = ask(client, company, "ben", ON_LEAVE)
        count = failures(client)
    check_problem(answer, 500, "GuardrailFailed")
    assert "twenty-six" not in answer.text
    check_closed(company, f"GuardrailFailed:redaction:{cause}")
    assert count == 1
    assert len(logged(capsys)) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_quotes_that_cannot_be_redacted_are_withheld(
    failing: tuple[Components, str], company: Company, capsys: pytest.CaptureFixture[str], stream: bool
) -> None:
    parts, cause = failing
    with client_of(parts) as client:
        answer = ask(client, company, "ben", ON_LEAVE, mode="quote", stream=stream)
        assert failures(client) == 1
    if stream:
        assert [name for name, _ in events(answer.text)] == ["opened", "error"]
    else:
        check_problem(answer, 500, "GuardrailFailed")
    assert LEAVE not in answer.text
    check_closed(company, f"GuardrailFailed:redaction:{cause}")
    assert len(logged(capsys)) == 1


def test_sources_that_cannot_be_redacted_end_the_answer(failing: tuple[Components, str], company: Company) -> None:
    """The text is harmless, a passage that it names is not: neither its end nor a source goes out."""
    parts, cause = failing
    parts = dataclasses.replace(parts, chat=saying(f"{FIRST} No more."))
    with client_of(parts) as client:
        answer = ask(client, company, "ben", "Where is the form for parental leave?", stream=True)
    assert [name for name, _ in events(answer.text) if name != "delta"] == ["opened", "error"]
    assert WORD not in answer.text
    check_closed(company, f"GuardrailFailed:redaction:{cause}")


def test_searches_documents_and_lists_are_withheld(
    failing: tuple[Components, str], company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    parts, _ = failing
    document = company.documents["handbook", "leave.md"]
    with client_of(parts) as client:
        headers = company.headers("ben")
        found = client.post("/api/v1/search", json={"query": ON_LEAVE}, headers=headers)
        opened = client.get(f"/api/v1/documents/{document}", headers=headers)
        assert failures(client) == 2
    for answer in (found, opened):
        check_problem(answer, 500, "GuardrailFailed")
        assert "twenty-six" not in answer.text
    assert len(logged(capsys)) == 2


def test_a_title_that_cannot_be_redacted_withholds_the_list(company: Company) -> None:
    parts = parts_of(company.db)
    titled = Raising("email", "test", re.compile("x"), opener=re.compile("(?=[A-Z])"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(failing_checks, "WORD", "Kitchen")
        with client_of(dataclasses.replace(parts, policy=with_checks((*parts.checks, titled)))) as client:
            listed = client.get("/api/v1/documents", headers=company.headers("ben"))
    check_problem(listed, 500, "GuardrailFailed")
    assert "leave.md" not in listed.text


@pytest.mark.parametrize(
    ("module", "name", "stage"),
    [
        (grounding_stream.GroundingFilter, "feed", "grounding"),
        (grounding_stream.GroundingFilter, "flush", "grounding"),
        (citations.CitationFilter, "feed", "citations"),
        (citations.CitationFilter, "flush", "citations"),
        (active_content.ActiveContentFilter, "feed", "active content"),
        (active_content.ActiveContentFilter, "flush", "active content"),
    ],
)
def test_each_stage_fails_under_its_own_name(
    company: Company, monkeypatch: pytest.MonkeyPatch, module: type, name: str, stage: str
) -> None:
    def broken(*_: object) -> str:
        raise LookupError(SAID)

    monkeypatch.setattr(module, name, broken)
    with client_of(parts_of(company.db, chat=saying(SAID))) as client:
        found = events(ask(client, company, "ben", ON_LEAVE, stream=True).text)
        assert failures(client, stage) == 1
    assert found[-1][1]["code"] == "GuardrailFailed"
    check_closed(company, f"GuardrailFailed:{stage}:LookupError")


@pytest.mark.parametrize("mode", ["generate", "quote"])
def test_a_running_answer_ends_with_the_error(failing: tuple[Components, str], company: Company, mode: Mode) -> None:
    parts, cause = failing

    async def last() -> RunningEvent:
        async with RunningAnswers(parts) as running:
            ben = subject_named(parts, "ben")
            begun = await running.start(ben, ON_LEAVE, mode)
            return [event async for _, event in await running.watch(ben, begun.id)][-1]

    found = asyncio.run(last())
    parts.database.close()
    assert isinstance(found, AnswerFailed)
    assert found.code == "GuardrailFailed"
    check_closed(company, f"GuardrailFailed:redaction:{cause}")


def test_a_question_that_cannot_be_masked_is_refused_before_anything_is_kept(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(ON_LEAVE)

    monkeypatch.setattr("app.guardrail.credentials.redact", broken)
    with client_of(parts_of(company.db)) as client:
        for options in ({}, {"stream": True}):
            check_problem(ask(client, company, "ben", ON_LEAVE, **options), 500, "GuardrailFailed")
        found = client.post("/api/v1/search", json={"query": ON_LEAVE}, headers=company.headers("ben"))
        check_problem(found, 500, "GuardrailFailed")
        assert failures(client) == 3
    assert company.records("answer.opened") == company.records("search.done") == []


def test_the_metrics_say_what_the_guardrail_did(company: Company) -> None:
    with client_of(parts_of(company.db, chat=letters(f"{FIRST} Write to ben@example.org."))) as client:
        ask(client, company, "ben", ON_LEAVE)
        assert metric(client, 'clearance_redactions_total{kind="email"}') == 1
        headers, travel = company.headers("ben"), company.documents["handbook", "travel.md"]
        card = 'clearance_redactions_total{kind="card"}'
        said = [metric(client, card)]
        client.post("/api/v1/search", json={"query": "travel card"}, headers=headers)
        said.append(metric(client, card))
        client.get(f"/api/v1/documents/{travel}", headers=headers)
        said.append(metric(client, card))
        assert said == sorted(set(said))
        assert metric(client, "clearance_guardrail_characters_total") == len(f"{FIRST} Write to ben@example.org.")
        assert metric(client, "clearance_guardrail_cpu_seconds_total") > 0
        pieces = metric(client, "clearance_guardrail_held_characters_count")
        assert pieces == len(f"{FIRST} Write to ben@example.org.") + 1
        assert metric(client, 'clearance_guardrail_held_characters_bucket{le="+Inf"}') == pieces
        assert [failures(client, stage) for stage in STAGES] == [0] * len(STAGES)
