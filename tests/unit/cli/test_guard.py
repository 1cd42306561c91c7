"""`clearance guard`: what it reads, what it shows, and that no credential is ever in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.app import app
from app.cli.guard import NEVER_SHOWN, measure
from app.cli.guard_texts import UnreadableText
from app.guardrail.checks import default_checks

KEY = "AKIA" + "Z7QX4MPLW2RT6VNB"
TEXT = f"Hello\nwrite to ben@example.org.\nThe deploy key is {KEY}, at postgres://ben:hunter22@db.internal/x\n"


def run(*arguments: str, given: str | bytes = "") -> Any:
    return CliRunner().invoke(app, ["guard", *arguments], input=given, catch_exceptions=True)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return str(path)


def test_a_table_says_where_and_why_and_never_what(file: str) -> None:
    shown = run("check", file).stdout
    assert "2:10\temail\taddress with a domain\temail.CHECK\t15\n" in shown
    assert "write to [redacted: email]." in shown
    for value in ("ben@example.org", KEY, "hunter22"):
        assert value not in shown


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_values_are_shown_when_asked_for_but_no_credential(file: str, options: list[str]) -> None:
    shown = run("check", file, "--show", *options).stdout
    assert "ben@example.org" in shown
    assert NEVER_SHOWN in shown
    assert KEY not in shown
    assert "hunter22" not in shown


def test_a_span_that_only_overlaps_a_credential_is_not_shown_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask is called after its first finding, whatever it goes on to hide."""
    monkeypatch.setattr("app.cli.guard.default_checks", lambda: tuple(c for c in default_checks() if c.kind == "email"))
    shown = json.loads(run("check", "postgres://ben:hunter22@db.example.org/x", "--show", "--json").stdout)
    assert [row["value"] for row in shown["hidden"]] == [NEVER_SHOWN] * len(shown["hidden"]) != []


def test_what_is_called_a_credential_is_shown_in_no_case(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.guard.credential_checks", tuple)
    assert KEY not in run("check", file, "--show").stdout


def test_text_file_and_standard_input_say_the_same(file: str) -> None:
    found = [json.loads(run("check", "--json", *given[:1], given=given[1]).stdout) for given in
             ((file, ""), (TEXT, ""), ("-", TEXT))]  # fmt: skip
    assert found[0] == found[1] == found[2]
    assert found[0]["redacted"].count("[redacted: ") == len(found[0]["hidden"])
    assert found[0]["hidden"][0] == {
        "line": 2, "column": 10, "start": 15, "end": 30, "length": 15,
        "kind": "email", "action": "remove", "reason": "address with a domain", "rule": "email.CHECK",
    }  # fmt: skip


def test_harmless_text_says_so_and_a_missing_file_is_told_of() -> None:
    harmless, missing = run("check", "Everyone may take leave."), run("check", "missing.txt")
    assert "Nothing would be hidden." in harmless.output
    assert "Everyone may take leave." in harmless.stdout
    assert "There is no file missing.txt" in missing.output


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\xff\xfe")
    assert isinstance(run("check", str(path)).exception, UnreadableText)
    assert isinstance(run("check", "-", given=b"\xff\xfe\x00").exception, UnreadableText)
    assert isinstance(run("bench", "-", given=b"").exception, UnreadableText)


def test_a_long_text_is_no_name_of_a_file() -> None:
    assert "[redacted: email]" in run("check", "word " * 2000 + "ben@example.org").stdout


def test_the_cost_is_measured_of_a_file_and_of_the_sample(file: str) -> None:
    found = json.loads(run("bench", file, "--json").stdout)
    hidden = json.loads(run("check", file, "--json").stdout)["hidden"]
    assert (found["characters"], found["redactions"]) == (len(TEXT), len(hidden))
    assert found["whole_ms"] > 0
    assert found["streamed_ms"] > 0
    assert "characters held back, p50\t" in run("bench").stdout


def test_held_back_is_counted_after_each_piece() -> None:
    cost = measure("ab ab ab ab ab ab ", default_checks())
    assert cost.held_p50 <= cost.held_p95 <= cost.held_max <= 2


POLICY = """\
version: 3
rules:
  - {kinds: [email], roles: [hr], max_label: internal, action: keep}
  - {kinds: [credential], action: refuse}
deny: [Operation Nightfall]
"""
CASES = """\
- {text: "Mail ben@example.org.", roles: [hr], shown: "Mail ben@example.org."}
- {text: "Mail ben@example.org.", shown: "Mail [redacted: email]."}
- {text: "The password is Tulpe#Regen-4471.", refused: true}
"""


def test_a_policy_is_held_against_its_cases(tmp_path: Path) -> None:
    policy, cases = tmp_path / "policy.yaml", tmp_path / "cases.yaml"
    policy.write_text(POLICY)
    cases.write_text(CASES)
    passed = run("test", str(policy), str(cases))
    assert (passed.exit_code, passed.stdout.strip()[:21]) == (0, "3 of 3 cases pass. Po")
    cases.write_text(CASES + '- {text: "On operation nightfall.", shown: "On operation nightfall."}\n')
    failed = run("test", str(policy), str(cases))
    assert failed.exit_code == 1
    assert "cases.yaml, line 4" in failed.stdout
    assert "On [redacted: company term]." in failed.stdout
    assert [each["passed"] for each in json.loads(run("test", "--json", str(policy), str(cases)).stdout)["cases"]] == [
        True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "cases", "message"),
    [
        ("version: [", CASES, "policy.yaml, line"),
        (POLICY, "- {text: a}", "cases.yaml, line 1: case 1 must say either `shown`, or `refused: true`"),
        (POLICY, "- {text: a, shown: a, refused: true}", "must say either"),
        (POLICY, "- {text: 1, shown: a}", "`text` of case 1 must be text"),
        (POLICY, "", "cases.yaml: the file is empty"),
        (POLICY, "- {text: a, shown: a, role: hr}", "unknown key 'role'"),
    ],
)
def test_what_is_wrong_with_a_policy_or_its_cases_is_said(
    policy: str, cases: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(policy)
    (tmp_path / "cases.yaml").write_text(cases)
    refused = run("test", str(tmp_path / "policy.yaml"), str(tmp_path / "cases.yaml"))
    assert refused.exit_code == 1
    assert message in str(refused.exception or refused.output)


def test_a_text_is_shown_as_a_role_would_see_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    for options, action, shown in (
        ((), "remove", "Mail [redacted: email]."),
        (("--role", "hr"), "keep", "Mail ben@example.org."),
        (("--role", "hr", "--label", "confidential"), "remove", "Mail [redacted: email]."),
    ):
        found = run("check", "Mail ben@example.org.", "--json", "--policy", str(policy), *options)
        assert json.loads(found.stdout)["redacted"] == shown
        assert json.loads(found.stdout)["hidden"][0]["action"] == action
