"""Does grounding find what was changed in an answer, and leave the rest alone? No service and no model.

    python -m benchmarks.answers.grounding --data FOLDER [--labels FILE] [--sample N | --plot FOLDER]

FOLDER holds `rag-mtrag` and `grounding-wice`, as docs/answers.md says. Errors are planted by a seeded script into
sentences word for word (drawn from passages, checked among the passages beside them) and into paraphrased ones
(reference answers against their gold passages): a number or date changed, a name swapped, a negation put in or taken
out, a sentence about something near put in its place. "Found" is a sentence that was left out or marked. Intervals are
Wilson's, 95 %. --labels: JSON lines of `task`, `sentence` and `label`, made by hand; then only supported
sentences count.
"""

import argparse
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from app.grounding.checker import MIN_COVERAGE, Checker
from app.grounding.evidence import Evidence, split
from app.grounding.markers import markers
from app.grounding.stream import GroundingFilter
from app.indexing.analysis.sentences import sentences
from benchmarks.answers.planted_errors import KINDS, Case, Text, plants
from benchmarks.plots import draw
from benchmarks.stats import wilson


def main() -> None:
    given = _arguments()
    corpus = {row["id"]: Text(row["title"], row["text"]) for row in _rows(given.data / "rag-mtrag" / "corpus.jsonl")}
    verbatim = list(_verbatim(list(corpus.values()), random.Random(1), given.sample))
    answers = _answers(_rows(given.data / "rag-mtrag" / "dev" / "queries.jsonl"), corpus, given.labels)
    if given.plot:
        _draw_coverage(answers, given.plot / "answers-coverage.svg")
        return
    _show_plants("Word for word", verbatim, given.sample)
    _show_plants("Paraphrased", answers, given.sample)
    _show_citations(verbatim)
    _show_claims(_rows(given.data / "grounding-wice" / "dev" / "claims.jsonl"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--plot", type=Path, help="folder to draw what the least coverage costs")
    parser.add_argument("--sample", type=int, default=500, help="sentences of a kind at most")
    return parser.parse_args()


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _verbatim(passages: Sequence[Text], rng: random.Random, count: int) -> Iterator[Case]:
    """Sentences out of passages, each checked among its own and seven that stand beside it."""
    for _ in range(2 * count):
        at = rng.randrange(len(passages))
        found = [
            s.text for s in split(passages[at].text, "en") if 8 <= len(s.text.split()) <= 40 and s.text[-1] in ".!"
        ]
        if found:
            first = max(0, min(at - 3, len(passages) - 8))
            yield Case(rng.choice(found), tuple(passages[first : first + 8]))


def _answers(rows: Sequence[dict[str, Any]], corpus: dict[str, Text], labels: Path | None) -> list[Case]:
    supported = None
    if labels is not None:
        supported = {(r["task"], r["sentence"]) for r in _rows(labels) if r["label"] == "supported"}
    cases = []
    for row in rows:
        answerable = row["meta"].get("answerability") or row["meta"].get("Answerability")
        if answerable != ["ANSWERABLE"] or not row["docs"]:
            continue
        passages = tuple(corpus[doc] for doc in row["docs"])
        for line in row["answer"].split("\n"):
            for sentence in sentences(line):
                if supported is None or (row["id"], sentence) in supported:
                    cases.append(Case(sentence, passages, row["query"]))
    return cases


def _show_plants(title: str, cases: Sequence[Case], count: int) -> None:
    """Found and left out, by kind of error; and of the sentences as they were."""
    rng = random.Random(2)
    found: dict[str, list[tuple[bool, bool]]] = {kind: [] for kind in KINDS}
    seconds = []
    for case in track(cases, description=title):
        if all(len(results) >= count for results in found.values()):
            break
        checker = Checker(Evidence(case.passages), case.question)
        checker.check(case.sentence)
        for kind, text in [(KINDS[-1], case.sentence), *plants(case, cases, rng)]:
            if len(found[kind]) < count:
                begin = time.process_time()
                verdict = checker.check(text)
                seconds.append(time.process_time() - begin)
                found[kind].append((verdict.kind in {"wrong", "not_found"}, verdict.kind == "wrong"))
    print(f"\n{title}\n{'':18} {'n':>5} {'missed':>8} {'95 %':>14} {'left out':>9}")
    for kind, results in found.items():
        if results:
            hits = sum(flagged for flagged, _ in results)
            missed = len(results) - hits if kind != KINDS[-1] else hits
            low, high = wilson(missed, len(results))
            out = sum(wrong for _, wrong in results) / len(results)
            print(f"{kind:18} {len(results):5} {missed / len(results):8.1%} {low:6.1%}–{high:5.1%} {out:9.1%}")
    print(f"A sentence takes {1000 * statistics.median(seconds):.1f} ms of processor time at the median.")


def _draw_coverage(cases: Sequence[Case], path: Path) -> None:
    """The share of each kind that is missed, and of true sentences that are lost, by the coverage that supports."""
    thresholds = [n / 100 for n in range(20, 71, 5)]
    shares: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for threshold in track(thresholds, description="Thresholds"):
        rng = random.Random(2)
        kept: dict[str, list[bool]] = {kind: [] for kind in KINDS}
        for case in cases:
            checker = Checker(Evidence(case.passages), case.question, min_coverage=threshold)
            for kind, text in [(KINDS[-1], case.sentence), *plants(case, cases, rng)]:
                kept[kind].append(checker.check(text).kind not in {"wrong", "not_found"})
        for kind, results in kept.items():
            share = statistics.mean(results)
            shares[kind].append(share if kind != KINDS[-1] else 1 - share)
    title = f"By the share of a sentence's weight that supports it (set to {MIN_COVERAGE})"
    names = {kind: f"missed: {kind}" for kind in KINDS[:-1]} | {KINDS[-1]: "lost: true sentences"}
    lines = {name: (thresholds, shares[kind]) for kind, name in names.items()}
    draw(path, (title, "share of the weight", "share of sentences"), lines)


def _show_citations(cases: Sequence[Case]) -> None:
    """Answers of three true sentences with right, wrong and missing citations: how right they are behind the filter."""
    rng = random.Random(3)
    right = given = wanted = 0
    for case in track(cases[:300], description="Citations"):
        own = next(n for n, p in enumerate(case.passages, start=1) if case.sentence in p.text)
        cited = rng.choice((f" [{own}]", f" [{rng.randint(1, 8)}]", "", " [9]"))
        grounding = GroundingFilter(Checker(Evidence(case.passages), case.question))
        text = grounding.feed(case.sentence[:-1] + cited + case.sentence[-1]) + grounding.flush()
        numbers = [n for marker in markers(text) for n in marker.numbers]
        holding = {n for n, p in enumerate(case.passages, start=1) if case.sentence in p.text}
        wanted += 1
        given += len(numbers)
        right += sum(n in holding for n in numbers)
    low, high = wilson(right, given)
    precision = f"{right / given:.3f} ({low:.3f}–{high:.3f})"
    print(f"\nCitations behind the filter: precision {precision}, recall {right / wanted:.3f}")


def _show_claims(rows: Sequence[dict[str, Any]]) -> None:
    """AUROC of the support of claims, supported against the rest; an interval by drawing claims anew."""
    scores: dict[str, list[tuple[float, bool]]] = {}
    verdicts: Counter[tuple[str, str]] = Counter()
    for row in track(rows, description="Claims"):
        evidence = Evidence([Text(row["meta"]["claim_title"], "\n".join(row["evidence"]))])
        checker = Checker(evidence, "")
        verdicts[row["label"], checker.check(row["claim"]).kind] += 1
        found = checker.support(row["claim"]), row["label"] == "supported"
        scores.setdefault(row["claim"], []).append(found)
    rng = random.Random(4)
    groups = list(scores.values())
    drawn = sorted(_auroc([s for _ in groups for s in rng.choice(groups)]) for _ in range(300))
    whole = _auroc([s for group in groups for s in group])
    print(f"\nClaims: AUROC, supported against the rest {whole:.3f} ({drawn[7]:.3f}–{drawn[292]:.3f})")
    for (label, verdict), count in sorted(verdicts.items()):
        print(f"  {label:20} {verdict:10} {count:5}")


def _auroc(scores: Sequence[tuple[float, bool]]) -> float:
    ranks = {value: i for i, value in enumerate(sorted({s for s, _ in scores}))}
    below = [0] * (len(ranks) + 1)
    for value, supported in scores:
        if not supported:
            below[ranks[value] + 1] += 1
    for at in range(1, len(below)):
        below[at] += below[at - 1]
    positives = [ranks[value] for value, supported in scores if supported]
    wins = sum((below[at] + below[at + 1]) / 2 for at in positives)
    return wins / (len(positives) * below[-1])


if __name__ == "__main__":
    main()
