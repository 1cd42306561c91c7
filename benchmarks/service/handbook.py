"""When does a real company's handbook say "nothing"? Over the real service, asked as the right and as a wrong role.

    python -m benchmarks.service.handbook DATASET [--questions N]

A handbook is one of the datasets of `clearance eval`; its questions are headings of its pages, which are taken out.
Prints how often the gold page is among the sources of a quote, how often nothing is said, and every source that its
asker may not read.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from app.answer.support import COVERAGE_WEIGHT, THRESHOLD
from app.cli.evaluated_systems import LoadedDataset, load_dataset
from app.client.api import Client
from app.evaluation.layouts import read
from app.local.scratch_instance import scratch_instance
from benchmarks.tables import show

# What one question gave one person: whether nothing was said, the gold page shown, and how many hidden sources.
Asked = tuple[bool, bool, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--questions", type=int, default=10_000)
    given = parser.parse_args()
    dataset = read(given.dataset)
    with tempfile.TemporaryDirectory() as scratch, scratch_instance(Path(scratch) / "service", os.environ) as service:
        asked = evaluate(load_dataset(service, dataset, Path(scratch) / "documents"), given.questions)
    rows = []
    for name, answers in asked.items():
        nothing, gold, leaks = np.array(answers or [(False, False, 0)]).T
        found = f"{gold.mean():.3f}" if name == "the right role" else "–"
        rows.append((name, str(len(answers)), found, f"{nothing.mean():.3f}", str(leaks.sum())))
    title = f"{dataset.name}: threshold {THRESHOLD}, coverage weight {COVERAGE_WEIGHT}"
    show(title, ("who asks", "questions", "gold page among the sources", "'nothing' said", "hidden sources"), rows)


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
    return answer["outcome"] == "nothing", bool(shown & set(gold)), len(shown - loaded.dataset.readable(role))


if __name__ == "__main__":
    main()
