"""What each feature brings to quotes, on a handbook whose authors asked and answered questions.

    python -m benchmarks.answers.quotes DATASET [--questions N] [--out FILE] [--ablation]
    python -m benchmarks.answers.quotes --plot FILE... --to FOLDER

Questions, groups and measures are those of `clearance eval --answers quote`; retrieval and choice are the product's own
functions over a database of its own, under row-level security, so that one run can choose with and without each feature
from the same passages. Prints means with 95 % intervals, and how long choosing takes. `--out` writes a line of JSON for
each question, with its blocks and the section that answers it; `--plot` draws what each threshold costs.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from app.acl.visible import visible_scopes
from app.answer.quotes.material import LOOKED_AT, Material
from app.answer.quotes.select import ChosenBlock, QuoteSelector
from app.answer.quotes.weights import WEIGHTS
from app.cli.evaluated_systems import LoadedDataset, configured_embedder, load_dataset
from app.db.engine import connect
from app.db.session import Database, ReadSession, Signer
from app.evaluation.answer_measures import Reply, measure_answer
from app.evaluation.answer_questions import AskedQuestion, answer_questions
from app.evaluation.layouts import read
from app.evaluation.measures import mean
from app.identity.authenticate import identify
from app.identity.subject import Subject
from app.local.scratch_instance import scratch_instance
from app.retrieval.search import Query, Results, search
from app.scope_index.protocol import NoIndex
from benchmarks.answers.thresholds import draw_thresholds
from benchmarks.tables import show

LIMIT = 32  # as many hits as an answer looks at


@dataclass(frozen=True)
class Found:
    """A question as one role asked it, and what quotes are chosen from."""

    asked: AskedQuestion
    material: Material
    milliseconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--out", type=Path, help="a line of JSON for each question")
    parser.add_argument("--ablation", action="store_true", help="also without each feature")
    parser.add_argument("--plot", type=Path, nargs="+", metavar="FILE", help="draw from the files of earlier runs")
    parser.add_argument("--to", type=Path, default=Path("docs/img"), help="folder of the plots")
    given = parser.parse_args()
    if given.plot:
        draw_thresholds(
            [json.loads(line) for file in given.plot for line in file.read_text("utf-8").splitlines()], given.to
        )
        return
    if given.dataset is None:
        parser.error("name a dataset, or files to --plot")
    dataset = read(given.dataset)
    asked = answer_questions(dataset)[: given.questions]
    with tempfile.TemporaryDirectory() as scratch, scratch_instance(Path(scratch) / "service", os.environ) as service:
        loaded = load_dataset(service, dataset, Path(scratch) / "documents")
        found = list(find(loaded, asked, Path(scratch)))
        ids = {public: loaded.document_id(path) for public, path in service.documents().items()}
    table("all features", found, ids, WEIGHTS, given.out)
    for feature in WEIGHTS if given.ablation else ():
        table(f"without {feature}", found, ids, {**WEIGHTS, feature: 0.0})


def find(loaded: LoadedDataset, asked: Sequence[AskedQuestion], home: Path) -> Iterator[Found]:
    """What each question finds as the person of its role."""
    service, embedder = loaded.service, configured_embedder(os.environ, home)
    database = Database(
        connect(service.urls["clearance_app"], pool_size=2),
        Signer(service.identity_key, seconds=60),
        statement_timeout_ms=60_000,
    )
    subjects = {role: _subject(database, key) for role, key in loaded.keys.items()}
    for each in track(asked, "asking"):
        text = each.question.text
        query = Query(text, embedder.embed_query(text), LIMIT, with_neighbors=LOOKED_AT)
        found = retrieve(database, subjects[each.question.role], query)
        material = Material(text, query.vector, found.hits, found.around, found.weights)
        start = time.perf_counter()
        QuoteSelector(material).choose()
        yield Found(each, material, (time.perf_counter() - start) * 1000)
    database.engine.dispose()


def retrieve(database: Database, subject: Subject, query: Query) -> Results:
    def work(session: ReadSession) -> Results:
        return search(session, visible_scopes(session, subject), NoIndex(), query).best()

    return database.retrieve(subject.user_id, work)


def table(
    title: str, found: Sequence[Found], ids: Mapping[str, str], weights: Mapping[str, float], out: Path | None = None
) -> None:
    """Choose for every question, print what came of it, and write it down."""
    measured: dict[str, list[float]] = {}
    rows = []
    for one in found:
        selector = QuoteSelector(one.material, weights)
        chosen = selector.choose()
        outcome = selector.outcome(chosen)
        values = measure(one, outcome, chosen, ids)
        for name, value in values.items():
            measured.setdefault(f"{one.asked.group}: {name}", []).append(value)
        rows.append({**as_row(one, outcome, chosen, values), "answerable": selector.support.answerable})
    if out is not None:
        out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    cells = []
    for name, each in measured.items():
        m = mean(each)
        cells.append((name, f"{m.mean:.3f}", f"{m.low:.3f}–{m.high:.3f}", str(m.count)))
    times = sorted(one.milliseconds for one in found)
    median, slow = times[len(times) // 2], times[len(times) * 95 // 100]
    cells.append(("choosing, ms: median, 95 %", f"{median:.1f}", f"{slow:.1f}", str(len(times))))
    show(title, ("", "mean", "95 % interval", "questions"), cells)


def measure(one: Found, outcome: str, chosen: Sequence[ChosenBlock], ids: Mapping[str, str]) -> dict[str, float]:
    """The measures of an answer, and of one that is sure those from the section again."""
    cited = tuple(dict.fromkeys(ids.get(str(block.page.passage.document), "") for block in chosen))
    texts = tuple(block.block.text for block in chosen)
    reply = Reply(outcome, "\n\n".join(texts), texts, cited, cited)
    values = measure_answer(reply, one.asked.question, refusable=one.asked.refusable)
    values["quoted"] = float(outcome == "quoted")
    if outcome == "quoted" and "section shown" in values:
        values |= {f"{name}, where quoted": values[name] for name in ("section shown", "section first")}
    return values


def as_row(one: Found, outcome: str, chosen: Sequence[ChosenBlock], values: Mapping[str, float]) -> dict[str, Any]:
    """A question with its answer, for reading by eye."""
    blocks = [
        {
            "path": block.page.passage.path,
            "title": block.page.passage.title,
            "heading": block.page.passage.heading_path,
            "kind": block.block.kind,
            "confidence": block.confidence,
            "odds": block.odds,
            "text": block.block.text,
        }
        for block in chosen
    ]
    question = one.asked.question
    about = {"id": question.id, "group": one.asked.group, "question": question.text, "section": question.section}
    return {**about, "outcome": outcome, "measures": dict(values), "blocks": blocks}


def _subject(database: Database, key: str) -> Subject:
    with database.anonymous() as session:
        return identify(session, key)


if __name__ == "__main__":
    main()
