"""What comes in: are documents that speak to the model found, and are those that do not left alone?

Run: python -m benchmarks.guardrail_incoming [--data FOLDER]. FOLDER holds inj-bipia, inj-deepset, inj-giskard,
handbook-sourcegraph and handbook-18f, each in a folder of its own; what is missing is left out. The two lists beside
this file were written before the rules; of each the second half (every second line) was not looked at while tuning.
"""

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.incoming.detector import find_incoming
from benchmarks.tables import show
from ingest.extract import extract
from ingest.extractors.errors import ExtractionError

HERE = Path(__file__).parent
# Of BIPIA's attacks on texts, those that ask for a task of their own, in words like any question's.
TASKS = frozenset(["Information Retrieval", "Content Creation", "Learning and Tutoring", "Language Translation",
                   "Programming Help", "Business Intelligence", "Conversational Agent", "Research Assistance",
                   "Sentiment Analysis", "Task Automation"])  # fmt: skip
Row = tuple[str, int, int]


def is_flagged(text: str) -> bool:
    return bool(find_incoming(text))


def count(name: str, texts: Sequence[str]) -> Row:
    """How many of the texts are flagged."""
    return name, sum(map(is_flagged, texts)), len(texts)


def own_lists() -> Iterator[Row]:
    for name in ("attacks", "harmless"):
        lines = (HERE / f"guardrail_incoming_{name}.txt").read_text("utf-8").splitlines()
        texts = [line for line in lines if line]
        yield count(f"own {name}, tuned on", texts[0::2])
        yield count(f"own {name}, not looked at", texts[1::2])


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def bipia(folder: Path) -> Iterator[Row]:
    """Each attack at the start, in the middle and at the end of contexts; found if a finding covers part of it."""
    contexts = [str(row["context"]) for row in read_rows(folder / "contexts.jsonl")]
    found: dict[str, Counter[bool]] = defaultdict(Counter)
    chosen = random.Random(7)  # which contexts, the same at every run
    for row in read_rows(folder / "attacks.jsonl"):
        task = "code" if row["kind"] == "code" else "a task" if row["category"] in TASKS else "changes the answer"
        for context in chosen.sample(contexts, 6):
            for place in (0, context.find("\n", len(context) // 2) + 1, len(context)):
                before, behind = context[:place].rstrip("\n"), context[place:].lstrip("\n")
                start = len(before) + 1 if before else 0
                text = "\n".join(part for part in (before, row["text"], behind) if part)
                end = start + len(row["text"])
                found[task][any(f.start < end and f.end > start for f in find_incoming(text))] += 1
    for task, counts in found.items():
        yield f"BIPIA, {task}", counts[True], counts.total()
    if contexts:
        yield count("BIPIA, clean contexts", contexts)


def prompts(folder: Path) -> Iterator[Row]:
    """Prompts that attack by themselves: many only ask for a role, which no document is read for."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for row in read_rows(folder / "prompts.jsonl"):
        by_label[row["label"]].append(row["text"])
    for label, texts in by_label.items():
        yield count(f"{folder.parent.name}, {label}", texts)


def handbook(folder: Path, milliseconds: list[float]) -> Iterator[Row]:
    """Clean pages, as ingest reads them."""
    pages = []
    for row in read_rows(folder / "docs.jsonl"):
        path = folder / "docs" / row["path"]
        try:
            pages.append("\n\n".join(b.text for b in extract(path.read_bytes(), filename=path.name).blocks))
        except ExtractionError:
            continue
    if pages:
        start = time.process_time()
        yield count(f"{folder.name}, clean pages", pages)
        milliseconds.append(1000 * (time.process_time() - start) / (sum(map(len, pages)) / 1000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the public sets")
    data = parser.parse_args().data
    rows, milliseconds = list(own_lists()), list[float]()
    if data is not None:
        rows += bipia(data / "inj-bipia" / "dev")
        for name in ("inj-giskard", "inj-deepset"):
            rows += prompts(data / name / "dev")
        for name in ("handbook-sourcegraph", "handbook-18f"):
            rows += handbook(data / name, milliseconds)
    table = [[name, str(n), str(of), f"{n / of:.3f}"] for name, n, of in rows]
    show("What comes in", ["Texts", "Flagged", "Of", "Share"], table)
    for each in milliseconds:
        print(f"CPU: {each:.2f} ms for 1,000 characters of a handbook")


if __name__ == "__main__":
    main()
