"""One answer of a language model: asked over the API as a stream, judged, and kept as a line of JSON."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy import make_url

from app.cli.evaluated_answers import read_reply
from app.cli.evaluated_systems import LoadedDataset
from app.client.api import ApiError, Client
from app.db.bootstrap import libpq
from app.evaluation.answer_measures import measure_answer
from app.evaluation.answer_questions import AskedQuestion
from app.evaluation.faithfulness import gold_coverage, judge_answer
from app.local.postgres import SUPERUSER
from app.local.scratch_instance import ScratchInstance


@dataclass(frozen=True)
class GeneratedAnswer:
    """What was asked, how it ended, and the figures; a figure that makes no sense for it is missing."""

    id: str
    group: str
    question: str
    outcome: str
    text: str
    fallback: str | None = None
    seconds: float = 0.0
    first_seconds: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    grounding: dict[str, int] = field(default_factory=dict)

    @classmethod
    def failed(cls, asked: AskedQuestion, error: ApiError) -> Self:
        return cls(asked.question.id, asked.group, asked.question.text, f"error {error.code}", "")


class PassageTexts:
    """Texts of passages by public id, read as the superuser of a service that is thrown away."""

    def __init__(self, service: ScratchInstance) -> None:
        with psycopg.connect(libpq(make_url(service.urls[SUPERUSER]))) as connection:
            rows = connection.execute("select cast(public_id as text), text from chunk").fetchall()
        self._texts: dict[str, str] = dict(rows)

    def of(self, sources: list[dict[str, Any]]) -> dict[int, str]:
        """The text of each source by its number; its title and headings were shown too."""
        shown = {}
        for source in sources:
            place = " ".join([source["title"], *source["heading"]])
            shown[source["number"]] = f"{place}\n{self._texts.get(source['chunk'], '')}"
        return shown


def ask_streamed(client: Client, site: LoadedDataset, texts: PassageTexts, asked: AskedQuestion) -> GeneratedAnswer:
    """Ask in `generate`; a question with earlier turns is the last of a conversation, whose others are quoted."""
    body: dict[str, Any] = {"question": asked.question.text, "mode": "generate"}
    if asked.question.earlier:
        body["conversation"] = client.post("/conversations", {})["id"]
        for turn in asked.question.earlier:
            client.post("/ask", {**body, "question": turn, "mode": "quote"})
    begin, first, text, done = time.monotonic(), None, "", {}
    for name, data in client.ask_streamed(body):
        if name == "delta":
            first = first if first is not None else time.monotonic() - begin
            text += data["text"]
        elif name == "done":
            done = data
    seconds = time.monotonic() - begin
    reply = read_reply({**done, "answer": text}, site, seconds)
    figures = measure_answer(reply, asked.question, refusable=asked.refusable)
    if reply.outcome == "answered":
        figures |= _figures(text, texts.of(done["sources"]), site, asked)
    return GeneratedAnswer(
        asked.question.id, asked.group, asked.question.text, reply.outcome, text, reply.fallback,
        round(seconds, 3), None if first is None else round(first, 3), figures, dict(reply.grounding),
    )  # fmt: skip


def _figures(text: str, passages: dict[int, str], site: LoadedDataset, asked: AskedQuestion) -> dict[str, float]:
    judged = judge_answer(text, passages)
    gold = [page.plain for page in site.dataset.pages if page.id in asked.question.gold]
    found = {
        "faithful": judged.faithful,
        "citation precision": judged.citation_precision,
        "citation recall": judged.citation_recall,
        "words of the gold": gold_coverage(text, [asked.question.section] if asked.question.section else gold)
        if gold
        else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def read_answers(file: Path) -> list[GeneratedAnswer]:
    """The answers in a file; a last line that was cut off when the command was stopped is left out."""
    if not file.exists():
        return []
    lines = file.read_text("utf-8").split("\n")[:-1]
    return [GeneratedAnswer(**json.loads(line)) for line in lines if line]


def write_answer(answer: GeneratedAnswer, file: Path) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(answer), ensure_ascii=False) + "\n")
