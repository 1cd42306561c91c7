"""When does a real company's handbook say "nothing"? Over the real service, asked as the right and as a wrong role.

    python -m benchmarks.service.handbook DATASET [--questions N] [--out FILE]

A handbook is one of the datasets of `clearance eval`; its questions are headings of its pages, which are taken out.
Prints how often the gold page is among the sources of a quote, how often nothing is said, and every source that its
asker may not read.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import track

from app.answer.support import COVERAGE_WEIGHT, THRESHOLD
from app.cli.evaluated_systems import LoadedDataset, load_dataset
from app.client.api import Client
from app.evaluation.datasets import read
from app.local.scratch_instance import scratch_instance
from benchmarks.tables import show


@dataclass(frozen=True)
class Asked:
    """What one question gave one person."""

    outcome: str
    gold_found: bool
    leaks: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    dataset = read(given.dataset)
    with tempfile.TemporaryDirectory() as scratch, scratch_instance(Path(scratch) / "service", os.environ) as service:
        asked = evaluate(load_dataset(service, dataset, Path(scratch) / "documents"), given.questions)
    rows = []
    for name, answers in asked.items():
        nothing = sum(a.outcome == "nothing" for a in answers) / max(len(answers), 1)
        gold = f"{sum(a.gold_found for a in answers) / len(answers):.3f}" if name == "the right role" else "–"
        leaks = sum(len(a.leaks) for a in answers)
        rows.append((name, str(len(answers)), gold, f"{nothing:.3f}", str(leaks)))
    title = f"{dataset.name}: threshold {THRESHOLD}, coverage weight {COVERAGE_WEIGHT}"
    show(title, ("who asks", "questions", "gold page among the sources", "'nothing' said", "hidden sources"), rows)
    if given.out:
        report = {name: [asdict(a) for a in answers] for name, answers in asked.items()}
        given.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def evaluate(loaded: LoadedDataset, limit: int) -> dict[str, list[Asked]]:
    """Every question as its own role and, where no asker may read the gold, as a wrong one; and what is off topic."""
    dataset, off_topic = loaded.dataset, Path(__file__).with_name("off_topic.txt").read_text("utf-8").splitlines()
    page = {p.id: p for p in dataset.pages}
    asked: dict[str, list[Asked]] = {"the right role": [], "a wrong role": [], "off topic": []}
    for number, question in enumerate(track(dataset.questions[:limit], "asking")):
        asked["the right role"].append(ask(loaded, question.role, question.text, list(question.gold)))
        owners = {page[gold].role for gold in question.gold}
        if dataset.common not in owners:
            others = [role for role in dataset.roles if role not in {*owners, dataset.common}]
            role = others[number % len(others)]
            asked["a wrong role"].append(ask(loaded, role, question.text, list(question.gold)))
    for number, text in enumerate(off_topic):
        asked["off topic"].append(ask(loaded, dataset.roles[number % len(dataset.roles)], text, []))
    return asked


def ask(loaded: LoadedDataset, role: str, text: str, gold: Sequence[str]) -> Asked:
    with Client(loaded.service.api_url, loaded.keys[role]) as client:
        answer = client.post("/ask", {"question": text, "mode": "quote"})
    shown = {loaded.document_id(source["path"]) for source in answer["sources"]}
    return Asked(answer["outcome"], bool(shown & set(gold)), sorted(shown - loaded.dataset.readable(role)))


if __name__ == "__main__":
    main()
