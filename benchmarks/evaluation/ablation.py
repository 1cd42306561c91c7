"""What each part of search brings: all of it, and all of it but one part, on the same questions.

    python -m benchmarks.evaluation.ablation DATASET... [--vectors FILE] [--out FILE]

The product's own functions, in memory: extraction, passages, vectors, terms, fusion; cosines and BM25 are computed for
every passage that the asker may read. `clearance eval` measures the whole service; this says why it is as it is.
Vectors are kept by the digest of model and text in --vectors, so that another run embeds what is new alone.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.embedding.onnx import OnnxEmbedder
from app.evaluation.datasets import read
from app.evaluation.measures import Mean, difference, mean, measure
from benchmarks.evaluation.bench import Bench, Recipe
from benchmarks.evaluation.vectors import Vectors

WHOLE = Recipe()
WITHOUT: dict[str, Recipe] = {
    "ranks fused, not scores": Recipe(ranks=True),
    "no second passage counts less": Recipe(spread=False),
    "vectors alone, not in their document": Recipe(in_document=False),
    "text embedded without its headline": Recipe(headline=False),
    "BM25 without title and headings": Recipe(fields=False),
    "BM25 with k1 1.2, b .75": Recipe(k1=1.2, b=0.75),
    "a score that was not found is the last one that was": Recipe(exact=False),
    "vectors alone": Recipe(lexical=False),
    "words alone": Recipe(dense=False),
    "ranks fused, and nothing of the above": Recipe(ranks=True, spread=False, in_document=False, k1=1.2, b=0.75),
}
MEASURES = ("hit@10", "first passages", "nDCG@10")
console = Console(width=130)


def main() -> None:
    """Measure and print; the figures as JSON if asked."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("datasets", type=Path, nargs="+")
    options.add_argument("--vectors", type=Path, default=Path(".clearance/ablation-vectors.db"))
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    vectors = Vectors(OnnxEmbedder(threads=1), given.vectors)
    report = {folder.name: ablate(folder, vectors) for folder in given.datasets}
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def ablate(folder: Path, vectors: Vectors) -> dict[str, dict[str, dict[str, float]]]:
    """The table of one dataset: measure by recipe."""
    dataset = read(folder).answerable()
    bench = Bench(dataset, vectors)
    table = Table(title=f"{dataset.name}: {len(dataset.questions)} questions, {len(bench.passages)} passages")
    for column in ("", *MEASURES, *(f"whole less this: {m}" for m in MEASURES)):
        table.add_column(column)
    whole = _measured(bench, WHOLE)
    table.add_row("the whole", *(_shown(mean(whole[m])) for m in MEASURES))
    figures = {"the whole": {m: asdict(mean(whole[m])) for m in MEASURES}}
    for name, recipe in WITHOUT.items():
        other = _measured(bench, recipe)
        lost = {m: difference(whole[m], other[m]) for m in MEASURES}
        table.add_row(name, *(_shown(mean(other[m])) for m in MEASURES), *(_signed(lost[m]) for m in MEASURES))
        figures[name] = {m: asdict(mean(other[m])) for m in MEASURES}
        figures[name] |= {f"whole less this: {m}": asdict(lost[m]) for m in MEASURES}
    console.print(table)
    return figures


def _measured(bench: Bench, recipe: Recipe) -> dict[str, list[float]]:
    rows = [measure(bench.ranking(number, recipe), q.gold) for number, q in enumerate(bench.dataset.questions)]
    return {m: [row[m] for row in rows] for m in MEASURES}


def _shown(value: Mean) -> str:
    return f"{value.mean:.3f} {value.low:.2f}–{value.high:.2f}"


def _signed(value: Mean) -> str:
    return f"{value.mean:+.3f} {value.low:+.3f} {value.high:+.3f}"


if __name__ == "__main__":
    main()
