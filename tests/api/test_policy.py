"""A company's policy, through everything that shows text: who is shown what, when it changes, and what stays hidden."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app import log
from app.answer.components import Components
from app.cli.app import app
from app.guardrail.policy.document import PolicyFileError
from app.settings import AnswerSettings, GuardrailSettings
from app.wiring import build_policy
from tests.support.audit_order import sequence
from tests.support.company import CARD, Company, administering
from tests.support.guardrail_policy import policy_at
from tests.support.questions import ask, events, spoken
from tests.support.service import METRICS_KEY, client_of, parts_of, saying, serve
from tests.support.waiting import wait_for

ON_CARD = "What is the number of the travel card of the build server?"
FOREIGN = "5500 0055 5555 5559"  # a card that stands in no passage
SAID = f"The travel card is {CARD} [1]. Another card is {FOREIGN} [1]. The desk is at +49 30 901820 [1]."
RULES = """\
version: 7
rules:
  - {kinds: [card], roles: [hr], max_label: internal, action: keep}
  - {kinds: [card], roles: [engineering], origin: anywhere, action: last_four}
"""
KEPT = f"The travel card is {CARD} [1]. Another card is [redacted: card]."
REMOVED = "The travel card is [redacted: card] [1]. Another card is [redacted: card]."
LAST_FOUR = "The travel card is [redacted: card ending 1111] [1]. Another card is [redacted: card ending 5559]."


@contextmanager
def service(company: Company, path: Path, rules: str, said: str = SAID) -> Iterator[tuple[TestClient, Components]]:
    log.configure(json=False)
    path.write_text(rules)
    parts = parts_of(company.db, chat=saying(*said), answer=AnswerSettings(grounding="mark"))
    parts = dataclasses.replace(parts, policy=policy_at(path, parts.database))
    with client_of(parts) as client:
        yield client, parts


def answered(client: TestClient, company: Company, who: str, **options: Any) -> str:
    """The same, whole and streamed."""
    whole = ask(client, company, who, ON_CARD, **options).json()["answer"]
    assert spoken(events(ask(client, company, who, ON_CARD, stream=True, **options).text)) == whole
    return str(whole)


def test_two_roles_see_one_answer_differently(company: Company, tmp_path: Path) -> None:
    with service(company, tmp_path / "policy.yaml", RULES) as (client, parts):
        shown = {who: answered(client, company, who) for who in ("ada", "ben", "cleo")}
        metrics = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert shown["ada"].startswith(KEPT)
    assert shown["ben"].startswith(LAST_FOUR)
    assert shown["cleo"].startswith(REMOVED)
    assert all("901820" not in text for text in shown.values())
    ada, _, ben, _, _, _ = company.records("answer.closed")[-6:]
    assert ada["guardrail_policy"] == {"digest": parts.policy.current.policy.digest, "version": "7"}
    assert ada["shown_values"]["card"] >= 1
    assert ben["shown_values"] == {}
    assert ben["redactions"]["card"] >= 2
    assert parts.policy.current.policy.digest[:12] in metrics


def test_quotes_hits_documents_and_titles_follow_it_too(company: Company, tmp_path: Path) -> None:
    document = company.documents["handbook", "travel.md"]
    with service(company, tmp_path / "policy.yaml", RULES) as (client, _):
        for who, has in (("ada", True), ("cleo", False)):
            headers = company.headers(who)
            texts = {
                "quotes": ask(client, company, who, ON_CARD, mode="quote").text,
                "hits": client.post("/api/v1/search", json={"query": "travel card"}, headers=headers).text,
                "document": client.get(f"/api/v1/documents/{document}", headers=headers).text,
                "list": client.get("/api/v1/documents", headers=headers).text,
            }
            assert {place: CARD in text for place, text in texts.items()} == dict.fromkeys(texts, has)
            assert all("AKIA" not in text for text in texts.values())


def test_a_title_is_hidden_from_who_only_curates_it(company: Company, tmp_path: Path) -> None:
    everyone = RULES.replace("roles: [hr], ", "")
    with service(company, tmp_path / "policy.yaml", everyone) as (client, _):
        page = client.get("/api/v1/collections/handbook/documents", headers=company.headers("cleo")).text
    assert CARD not in page


def test_a_turn_that_is_read_again_is_shown_by_the_rules_of_today(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    with service(company, path, RULES) as (client, parts):
        headers = company.headers("ada")
        conversation = client.post("/api/v1/conversations", headers=headers).json()["id"]
        ask(client, company, "ada", ON_CARD, conversation=conversation)
        address = f"/api/v1/conversations/{conversation}"
        assert CARD in client.get(address, headers=headers).text
        path.write_text("version: 8\n")
        parts.policy.refresh()
        now = client.get(address, headers=headers).text
    assert CARD not in now
    assert "[redacted: card]" in now
    # Without any policy as well.
    with client_of(parts_of(company.db)) as client:
        assert CARD not in client.get(address, headers=headers).text


def test_an_answer_is_withheld_where_the_policy_says_so(company: Company, tmp_path: Path) -> None:
    rules = "version: 1\nrules: [{kinds: [phone], roles: [engineering], action: refuse}]"
    with service(company, tmp_path / "policy.yaml", rules) as (client, _):
        problem = ask(client, company, "ben", ON_CARD)
        frames = dict(events(ask(client, company, "ben", ON_CARD, stream=True).text))
        assert answered(client, company, "ada").startswith(REMOVED)
    assert (problem.status_code, problem.json()["code"]) == (403, "AnswerWithheld")
    assert frames["error"]["code"] == "AnswerWithheld"
    assert "phone" in frames["error"]["detail"]
    assert "done" not in frames
    records = company.records("answer.closed")
    assert [(each["outcome"], each["reason"]) for each in records[-4:-2]] == [("refused", "AnswerWithheld:phone")] * 2


def test_a_changed_file_is_followed_and_a_wrong_one_is_not(
    company: Company, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.yaml"
    with service(company, path, RULES) as (client, parts):
        assert answered(client, company, "ada").startswith(KEPT)
        digest = parts.policy.current.policy.digest
        for wrong, message in (
            ("version: 8\nrules:\n  - {kinds: [credential], action: keep}", "line 3: `kinds` of entry 1 of `rules`"),
            ("version: 8\npatterns:\n  - name: slow\n    pattern: '(a|aa){1,60}b'", "line 4: `pattern` of entry 1"),
            ("version: [", "not valid YAML"),
            (None, "cannot be read"),
        ):
            if wrong is None:
                path.unlink()
            else:
                path.write_text(wrong)
            parts.policy.refresh()
            assert message in (parts.policy.current.error or "")
            assert message in capsys.readouterr().err
            assert parts.policy.current.policy.digest == digest
            assert answered(client, company, "ada").startswith(KEPT)
        path.write_text("version: 9\nallow: ['+49 30 901820']\n")
        parts.policy.refresh()
        assert parts.policy.current.error is None
        assert "+49 30 901820" in (now := answered(client, company, "ada"))
        assert now.startswith(REMOVED)


def test_a_running_service_looks_at_the_file_by_itself(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    log.configure(json=False)
    path.write_text(RULES)
    parts = parts_of(company.db)
    policy = build_policy(GuardrailSettings(policy_file=path, policy_seconds=0.05), parts.database, None)
    try:
        path.write_text(RULES.replace("version: 7", "version: 8"))
        wait_for(lambda: policy.current.policy.version == "8")
    finally:
        policy.close()
        parts.database.close()


def test_a_role_that_comes_later_counts_and_one_that_is_not_there_is_told(company: Company, tmp_path: Path) -> None:
    rules = RULES.replace("[hr]", "[travellers, hr]")
    with service(company, tmp_path / "policy.yaml", rules) as (client, parts):
        assert parts.policy.current.unknown_roles == ["travellers"]
        assert answered(client, company, "cleo").startswith(REMOVED)
        company.execute("""
          with made as (insert into role (name) values ('travellers') returning id)
          insert into membership (role_id, user_id) select made.id, u.id from made, app_user u where u.name = 'cleo'
        """)
        parts.policy.refresh()
        assert parts.policy.current.unknown_roles == []
        assert answered(client, company, "cleo").startswith(KEPT)


def test_a_service_does_not_start_with_a_wrong_policy(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nrules: [{kinds: [phone], action: show}]")
    database = parts_of(company.db).database
    with pytest.raises(PolicyFileError, match="line 2"):
        policy_at(path, database)
    database.close()


def test_administrators_see_what_is_in_force(company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    rules = RULES.replace("[hr]", "[hr, nobody-has-it]") + "allow: ['+49 30 901820']\ndeny: [Operation Nightfall]\n"
    with service(company, path, rules) as (client, parts):
        path.write_text("version: [")
        parts.policy.refresh()
        found = client.get("/api/v1/guardrail/policy", headers=company.headers("root"))
        refused = client.get("/api/v1/guardrail/policy", headers=company.headers("ada"))
    assert refused.status_code == 403
    shown = found.json()
    assert (shown["version"], shown["digest"]) == ("7", parts.policy.current.policy.digest)
    assert [(rule["action"], rule["roles"], rule["origin"]) for rule in shown["rules"]] == [
        ("keep", ["hr", "nobody-has-it"], "passage"),
        ("last_four", ["engineering"], "anywhere"),
    ]
    assert shown["unknown_roles"] == ["nobody-has-it"]
    assert "line 1: not valid YAML" in shown["error"] or "line 2" in shown["error"]
    assert "Nightfall" not in found.text
    assert "901820" not in found.text


def test_a_text_and_cases_are_tried_without_following_them(company: Company, tmp_path: Path) -> None:
    other = "version: 8\nrules: [{kinds: [phone], roles: [hr], action: keep}]"
    cases = """
- {text: "Ring 0171 2345678.", roles: [hr], shown: "Ring 0171 2345678."}
- {text: "Ring 0171 2345678.", shown: "Ring 0171 2345678."}
"""
    headers = company.headers("root")
    with service(company, tmp_path / "policy.yaml", RULES) as (client, parts):
        tried = client.post("/api/v1/guardrail/policy/test", json={"policy": other, "cases": cases}, headers=headers)
        wrong = client.post("/api/v1/guardrail/policy/test", json={"policy": "a: b", "cases": cases}, headers=headers)
        text = {"text": f"Card {CARD}", "roles": ["hr"]}
        checked = client.post("/api/v1/guardrail/check", json=text, headers=headers).json()
        assert parts.policy.current.policy.version == "7"
    assert [(each["line"], each["passed"], each["shown"]) for each in tried.json()["cases"]] == [
        (2, True, "Ring 0171 2345678."),
        (3, False, "Ring [redacted: phone]."),
    ]
    assert tried.json()["passed"] is False
    assert (wrong.status_code, wrong.json()["code"]) == (422, "InvalidInput")
    assert "line 1: unknown key 'a'" in wrong.json()["detail"]
    assert [(span["kind"], span["action"]) for span in checked["hidden"]] == [("card", "keep")]
    assert checked["redacted"] == f"Card {CARD}"


def test_a_dry_run_counts_by_rules_alone_what_past_answers_would_have_shown(company: Company, tmp_path: Path) -> None:
    other = """
version: 8
rules: [{kinds: [card], roles: [engineering], action: keep}]
deny: [deploy key, florins]
allow: ["4111 1111 1111 1111"]
"""
    body = {"policy": other, "answers": 2}
    with service(company, tmp_path / "policy.yaml", RULES) as (client, parts):
        ask(client, company, "cleo", ON_CARD)
        ask(client, company, "ben", ON_CARD)
        sequence(company.db)
        found = client.post("/api/v1/audit/policy-dry-run", json=body, headers=company.headers("audrey"))
        refused = client.post("/api/v1/audit/policy-dry-run", json=body, headers=company.headers("root"))
        assert parts.policy.current.policy.version == "7"
    assert refused.status_code == 403
    run = found.json()
    assert (run["looked_at"], run["not_readable"], len(run["differing"])) == (2, 0, 1)
    counts = {(each["kind"], each["action"]): (each["before"], each["after"]) for each in run["actions"]}
    assert counts.keys() == {("card", "keep"), ("card", "last_four"), ("card", "remove"), ("credential", "remove")}
    cards = counts["card", "remove"][0]
    assert counts["card", "remove"] == (cards, cards)
    assert counts["card", "last_four"] == (cards, 0)
    assert counts["card", "keep"] == (0, cards)
    [*_, looked] = company.records("audit.read")
    assert looked["filters"] == {"policy_dry_run": run["digest"]}
    assert all(secret not in found.text for secret in (CARD, "1111", "deploy"))


def test_a_pseudonym_of_an_answer_is_taken_back_by_who_may(company: Company, tmp_path: Path) -> None:
    """From the rule to the value: what only a test of all the parts holds. Who else may not: `test_revealing.py`."""
    rules = "version: 1\nrules: [{kinds: [card], action: pseudonym}]"
    wanted = {"kind": "card", "number": 1, "reason": "The bank called back about this card."}
    with service(company, tmp_path / "policy.yaml", rules) as (client, _):
        send = administering(client, company)
        send("POST", "/users", {"name": "rhea", "capabilities": ["reveal"], "clearance": "internal"})
        company.keys["rhea"] = send("POST", "/keys", {"user": "rhea", "capabilities": ["reveal"]})["secret"]
        answer = ask(client, company, "ben", ON_CARD).json()
        address = f"/api/v1/answers/{answer['trail']}/reveal"
        revealed = client.post(address, json=wanted, headers=company.headers("rhea"))
        absent = client.post(address, json={**wanted, "number": 2}, headers=company.headers("rhea"))
        refused = client.post(address, json=wanted, headers=company.headers("ben"))
    assert "The travel card is [redacted: card 1] [1]. Another card is [redacted: card]." in answer["answer"]
    assert CARD not in str(answer)
    assert revealed.json()["value"] == CARD
    assert (absent.status_code, refused.status_code) == (404, 403)


def test_the_commands_show_the_policy_and_a_dry_run(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "policy.yaml", tmp_path / "other.yaml"
    path.write_text(RULES.replace("[hr]", "[hr, travellers]"))
    other.write_text("version: 8\n")
    log.configure(json=False)
    parts = parts_of(company.db, chat=saying(*SAID))
    with serve(dataclasses.replace(parts, policy=policy_at(path, parts.database))) as url:
        monkeypatch.setenv("CLEARANCE_URL", url)
        said = {}
        for who, command in (
            ("ada", ["ask", ON_CARD]),
            ("root", ["guard", "policy"]),
            ("audrey", ["guard", "dry-run"]),
        ):
            monkeypatch.setenv("CLEARANCE_KEY", company.keys[who])
            if who == "audrey":
                sequence(company.db)
            said[who] = CliRunner().invoke(app, [*command, *([str(other)] if who == "audrey" else [])])
    assert [result.exit_code for result in said.values()] == [0, 0, 0], said
    assert "keep\tcard\thr, travellers\tpublic–internal\tpassage" in said["root"].stdout
    assert "There is no role travellers" in said["root"].output
    assert "card\tkeep" in said["audrey"].stdout
    assert "Answers looked at: 1. The policies differ for 1 of them." in said["audrey"].stdout
    assert CARD not in said["audrey"].output
