"""What do earlier turns bring to the search of a later one? Over the product's own search, in a service of its own.

    python -m benchmarks.answers.followups DATA [--keep FOLDER]

DATA holds a folder with a corpus and questions with their `history` (`rag-mtrag`), and beside it, if it is there, one
with later turns of another edition, the questions before them and human rewrites (`rag-mtrag-rewrites`, turns.jsonl).

Prints recall@10 of the last turn alone, made whole as the product makes it, and of the human rewrite: with 95 %
bootstrap intervals, of the difference too, and how many turns got better and worse; by domain; and how first questions
fare that are asked behind turns of another conversation.
"""

import argparse
import json
import os
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from app.acl.visible import visible_scopes
from app.answer.followups import RecentTurn, WholeQuestion, make_whole
from app.cli.evaluated_systems import LoadedDataset, configured_embedder, load_dataset
from app.db.engine import connect
from app.db.session import Database, Signer
from app.embedding.protocol import EmbeddingModel
from app.evaluation.layouts import read
from app.evaluation.measures import difference, mean, recall
from app.guardrail.checks import default_checks
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.identity.authenticate import identify
from app.local.scratch_instance import scratch_instance
from app.retrieval.search import Query, search
from app.scope_index.protocol import NoIndex
from benchmarks.tables import show

DEPTH, HITS = 10, 50
SEED = 7

Floats = NDArray[np.float64]
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class LaterTurn:
    """A question with the turns before it, oldest first, each with its answer where one is known; what answers it."""

    question: str
    before: tuple[tuple[str, str | None], ...]
    gold: tuple[str, ...]
    domain: str
    rewrite: str | None = None


def read_turns(file: Path) -> list[LaterTurn]:
    """The questions of a dataset that something answers, the first ones too."""
    return [
        LaterTurn(row["query"], _pairs(row["history"]), tuple(row["docs"]), _domain(row["meta"]))
        for row in _rows(file)
        if row["docs"]
    ]


def read_rewrites(file: Path) -> list[LaterTurn]:
    """Later turns with human rewrites; the answers before them are not known."""
    return [
        LaterTurn(
            row["query"],
            tuple((question, None) for question in row["questions"][:-1]),
            tuple(row["docs"]),
            row["domain"],
            row["rewrite"],
        )
        for row in _rows(file)
    ]


class Asked:
    """The product's search in a running service, as the person who reads the dataset."""

    def __init__(self, loaded: LoadedDataset, embedder: EmbeddingModel) -> None:
        service = loaded.service
        self._document = {uuid.UUID(id_): loaded.document_id(path) for id_, path in service.documents().items()}
        signer = Signer(service.identity_key, seconds=60)
        engine = connect(service.urls["clearance_app"], pool_size=2)
        self._database = Database(engine, signer, statement_timeout_ms=60_000)
        self._embedder, self._redact = embedder, Redactor(Redaction(default_checks()))
        with self._database.anonymous() as session:
            self._subject = identify(session, next(iter(loaded.keys.values())))
        self._vectors: dict[str, Vector] = {}

    def embed(self, text: str) -> Vector:
        if text not in self._vectors:
            self._vectors[text] = self._embedder.embed_query(text)
        return self._vectors[text]

    def whole(self, turn: LaterTurn) -> WholeQuestion:
        """The question as the pipeline makes it whole."""
        earlier = [
            RecentTurn(
                uuid.uuid4(), question, self.embed(question), answer, None if answer is None else self.embed(answer)
            )
            for question, answer in reversed(turn.before)
        ]
        return make_whole(turn.question, self.embed(turn.question), earlier, embed=self.embed, redact=self._redact)

    def recall(self, turns: Sequence[LaterTurn], question: Callable[[LaterTurn], Query], name: str) -> Floats:
        """Recall@10 of each turn, asked as this question."""
        return np.array([
            recall(self._ranking(question(turn)), dict.fromkeys(turn.gold, 1.0), DEPTH)
            for turn in track(turns, name)
        ])  # fmt: skip

    def as_text(self, text: str) -> Query:
        return Query(text, self.embed(text), HITS, languages=self._embedder.languages)

    def made_whole(self, turn: LaterTurn) -> Query:
        made = self.whole(turn)
        languages = self._embedder.languages
        return Query(turn.question, made.vector, HITS, words=made.words, before=made.before, languages=languages)

    def _ranking(self, query: Query) -> list[str]:
        found = self._database.retrieve(
            self._subject.user_id,
            lambda session: search(session, visible_scopes(session, self._subject), NoIndex(), query),
        )
        return list(dict.fromkeys(self._document[hit.passage.document] for hit in found.best().hits))


def report(asked: Asked, name: str, turns: Sequence[LaterTurn]) -> None:
    """The later turns of a dataset, each way; by domain; and what the first questions are behind strange turns."""
    later, first = [t for t in turns if t.before], [t for t in turns if not t.before]
    last = asked.recall(later, lambda t: asked.as_text(t.question), f"{name}: last turn")
    whole = asked.recall(later, asked.made_whole, f"{name}: made whole")
    rows = [_row("last turn", last, last), _row("made whole", whole, last)]
    if all(turn.rewrite for turn in later):
        human = asked.recall(later, lambda t: asked.as_text(t.rewrite or ""), f"{name}: human rewrite")
        rows.append(_row("human rewrite", human, last))
    columns = (f"recall@{DEPTH}", "turns", "mean", "more than the last turn", "better", "worse")
    show(f"{name}, {len(later)} later turns, means with 95 % intervals", columns, rows)
    domains = sorted({turn.domain for turn in later})
    chosen = {domain: np.array([turn.domain == domain for turn in later]) for domain in domains}
    show(f"{name}, made whole, by domain", columns, [_row(d, whole[m], last[m]) for d, m in chosen.items()])
    if first:
        _report_first(asked, name, first, later)


def _report_first(asked: Asked, name: str, first: Sequence[LaterTurn], later: Sequence[LaterTurn]) -> None:
    """First questions alone, and behind the turns of a conversation in another domain."""
    rng = random.Random(SEED)
    strange = [
        LaterTurn(turn.question, rng.choice([t for t in later if t.domain != turn.domain]).before, turn.gold, "")
        for turn in first
        for _ in range(4)
    ]
    alone = asked.recall(strange, lambda t: asked.as_text(t.question), f"{name}: first questions")
    behind = asked.recall(strange, asked.made_whole, f"{name}: behind other turns")
    noticed = np.mean([asked.whole(turn).topic_changed for turn in strange])
    columns = (f"recall@{DEPTH}", "asked", "mean", "more than alone", "better", "worse")
    rows = [_row("alone", alone, alone), _row(f"behind others ({noticed:.0%} noticed)", behind, alone)]
    show(f"{name}, {len(first)} first questions, each behind four conversations of other domains", columns, rows)


def _row(name: str, values: Floats, against: Floats) -> tuple[str, ...]:
    own, more = mean(values), difference(values, against)
    better, worse = int((values > against).sum()), int((values < against).sum())
    shares = (f"{better} ({better / len(values):.1%})", f"{worse} ({worse / len(values):.1%})")
    interval = f"{more.mean:+.3f} ({more.low:+.3f} – {more.high:+.3f})"
    return (name, str(len(values)), f"{own.mean:.3f} ({own.low:.2f} – {own.high:.2f})", interval, *shares)


def _pairs(history: Sequence[dict[str, str]]) -> tuple[tuple[str, str | None], ...]:
    """Each question of the asker with the answer that follows it."""
    pairs: list[tuple[str, str | None]] = []
    for said in history:
        if said["speaker"] == "user":
            pairs.append((said["text"], None))
        elif pairs and pairs[-1][1] is None:
            pairs[-1] = (pairs[-1][0], said["text"])
    return tuple(pairs)


def _domain(meta: dict[str, Any]) -> str:
    """`mt-rag-govt-elser-512` and `govt` are one domain."""
    name = str(meta.get("Collection", "?")).removeprefix("mt-rag-").split("-")[0]
    return "ibmcloud" if name == "cloud" else name


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in file.read_text("utf-8").splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the service's state here: the next run embeds nothing again")
    given = parser.parse_args()
    dataset = read(given.data / "rag-mtrag")
    with tempfile.TemporaryDirectory() as scratch:
        home = given.keep.absolute() if given.keep else Path(scratch) / "service"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with scratch_instance(home, os.environ) as service:
            loaded = load_dataset(service, dataset, Path(scratch) / "documents")
            asked = Asked(loaded, configured_embedder(os.environ, home))
            report(asked, "rag-mtrag", read_turns(given.data / "rag-mtrag" / "dev" / "queries.jsonl"))
            rewrites = given.data / "rag-mtrag-rewrites" / "dev" / "turns.jsonl"
            if rewrites.exists():
                report(asked, "rag-mtrag-rewrites", read_rewrites(rewrites))


if __name__ == "__main__":
    main()
