"""Asks a scratch service for answers, each question as the person of its role, and measures them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from app.cli.evaluated_systems import LoadedDataset, with_progress
from app.client.api import Client
from app.evaluation.answer_measures import Reply, blocks_of
from app.evaluation.answer_questions import AskedQuestion
from app.evaluation.answer_report import answer_result
from app.evaluation.question_results import QuestionResult


def measure_answers(site: LoadedDataset, asked: Sequence[AskedQuestion], mode: str) -> Iterator[QuestionResult]:
    """Ask each question in this mode; one with earlier turns is the last of a conversation of its own."""
    seen = {role: site.dataset.readable(role) for role in site.keys}
    with ExitStack() as stack:
        clients = {r: stack.enter_context(Client(site.service.api_url, key)) for r, key in site.keys.items()}
        for each in with_progress(asked, mode):
            reply = ask_question(clients[each.question.role], site, each, mode)
            yield answer_result(each, mode, reply, seen[each.question.role])


def ask_question(client: Client, site: LoadedDataset, asked: AskedQuestion, mode: str) -> Reply:
    body: dict[str, Any] = {"question": asked.question.text, "mode": mode}
    if asked.question.earlier:
        body["conversation"] = client.post("/conversations", {})["id"]
        for turn in asked.question.earlier:
            client.post("/ask", {**body, "question": turn, "mode": "quote"})
    begin = time.monotonic()
    answer = client.post("/ask", body)
    return read_reply(answer, site, time.monotonic() - begin)


def read_reply(answer: dict[str, Any], site: LoadedDataset, seconds: float) -> Reply:
    """What the measures look at, of an answer of the API."""
    sources = [(source["cited"], site.document_id(source["path"])) for source in answer["sources"]]
    blocks = tuple(block["text"] for block in answer.get("blocks") or ())
    grounding = answer.get("grounding") or {}
    return Reply(
        answer["outcome"],
        answer["answer"],
        blocks or blocks_of(answer["answer"]),
        tuple(dict.fromkeys(document for cited, document in sources if cited)),
        tuple(dict.fromkeys(document for _, document in sources)),
        round(seconds, 3),
        answer["fallback"],
        {name: grounding[name] for name in ("kept", "dropped", "marked") if name in grounding},
    )
