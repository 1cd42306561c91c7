"""Which questions does a file of refusals refuse, and which does it refuse in vain?

Run: python -m benchmarks.refusals [--data FOLDER] [--file FILE] [--examples N]. FOLDER holds inj-xstest, inj-deepset,
inj-giskard, handbook-sourcegraph and handbook-18f, each in a folder of its own; what is missing is left out. FILE is
the sample of the project unless given; false alarms in these sets were read while it was written, none of their text is
in it. Models that a file names are not asked.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.refusals.judge import Ruling, find
from app.refusals.load import SAMPLE, load
from app.refusals.rules import RefusalRules
from benchmarks.machine import load as machine_load
from benchmarks.tables import show

_REPOSITORY = Path(__file__).parents[1]
# Of harmless questions that look harmful: the goal that the project sets itself.
XSTEST_GOAL = 0.02


def main() -> None:
    options = _options()
    rules = load(options.file)
    _print_figures(rules)
    rows = []
    for name, texts in questions(options.data):
        begun = time.process_time()
        ruled = [find(rules, rules.categories, text) for text in texts]
        spent = 1000 * (time.process_time() - begun) / len(texts)
        refused = [(text, first(found)) for text, found in zip(texts, ruled, strict=True) if first(found) is not None]
        number = len(refused)
        goal = f"≤ {XSTEST_GOAL:.0%}" if name == "xstest, safe" else ""
        rows.append((name, f"{number} of {len(texts)}", f"{number / len(texts):.1%}", goal, f"{spent:.2f}"))
        for text, each in refused[: options.examples]:
            print(f"  {name}: {each and each.category}, {each and each.rule}: {text[:100]!r}")
    show(f"refused by {options.file.name}; {machine_load()}", ("questions", "refused", "share", "goal", "CPU ms"), rows)


def first(ruled: Sequence[Ruling]) -> Ruling | None:
    """What refuses the question, or sends it elsewhere."""
    return next((each for each in ruled if each.action != "flag"), None)


def questions(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Sets of questions by name."""
    for name in ("xstest", "deepset", "giskard"):
        by_label: dict[str, list[str]] = {}
        for row in read_rows(folder / f"inj-{name}" / "dev" / "prompts.jsonl"):
            by_label.setdefault(str(row.get("label", "attack")), []).append(str(row["text"]))
        for label, texts in sorted(by_label.items()):
            yield f"{name}, {label}", texts
    for name in ("handbook-sourcegraph", "handbook-18f"):
        if rows := read_rows(folder / name / "dev" / "questions.jsonl"):
            yield f"{name}, questions", [str(row["query"]) for row in rows]


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _print_figures(rules: RefusalRules) -> None:
    rows = [
        (
            name,
            str(f.examples),
            str(f.harmless),
            f"{f.precision or 0:.2f}",
            f"{f.recall:.2f}",
            f"{f.false_refusals:.4f}",
        )
        for name, f in ((name, classifier.figures) for name, classifier in rules.classifiers.items())
    ]
    show("examples, by cross-validation", ("category", "examples", "harmless", "precision", "recall", "in vain"), rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_REPOSITORY.parent / "shared" / "data", help="sets of questions")
    parser.add_argument("--file", type=Path, default=SAMPLE, help="a file of refusals")
    parser.add_argument("--examples", type=int, default=0, metavar="N", help="print so many of what is refused")
    return parser.parse_args()


if __name__ == "__main__":
    main()
