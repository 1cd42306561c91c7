"""Does grounding find what was changed in an answer, and leave the rest alone? No service and no model.

    python -m benchmarks.answers.grounding --data FOLDER [--labels FILE] [--sample N]

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
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from app.grounding.checker import Checker
from app.grounding.evidence import Evidence, split
from app.grounding.markers import markers
from app.grounding.stream import GroundingFilter
from app.indexing.analysis.sentences import sentences
from benchmarks.stats import wilson

_NUMBER = re.compile(r"(?<![\w.,$-])\$?\d[\d,]*(?:\.\d+)?(?![\w-])")
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|should|must|may|has|have|had|does|do)\b(?! not|n't)")
_NEGATION = re.compile(r"\b(?:not|never) |(?<=[dsr])n't\b")
# No word that begins a sentence, a list item or a quotation.
_NAME = re.compile(r"(?<![.!?:*•\"“–—-] )(?<!^)(?<![\w’'\"“.!?:*/=-])[A-Z][a-zA-Z]{2,}(?: [A-Z][a-zA-Z]+)*")
# One that is put in the place of another stands in the middle of a sentence: what begins a line may be any word.
_SWAPPED_IN = re.compile(r"(?<=[a-z] )[A-Z][a-zA-Z]{2,}(?: [A-Z][a-zA-Z]+)*")
KINDS = ("number or date", "name", "negation", "invented", "(nothing changed)")


@dataclass(frozen=True)
class Text:
    """A passage as evidence."""

    title: str
    text: str
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A true sentence with the passages that it is checked against."""

    sentence: str
    passages: tuple[Text, ...]
    question: str = ""


def main() -> None:
    given = _arguments()
    corpus = {row["id"]: Text(row["title"], row["text"]) for row in _rows(given.data / "rag-mtrag" / "corpus.jsonl")}
    verbatim = list(_verbatim(list(corpus.values()), random.Random(1), given.sample))
    answers = _answers(_rows(given.data / "rag-mtrag" / "dev" / "queries.jsonl"), corpus, given.labels)
    _show_plants("Word for word", verbatim, given.sample)
    _show_plants("Paraphrased", answers, given.sample)
    _show_citations(verbatim)
    _show_claims(_rows(given.data / "grounding-wice" / "dev" / "claims.jsonl"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
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
        for kind, text in [(KINDS[-1], case.sentence), *_plants(case, cases, rng)]:
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


def _plants(case: Case, cases: Sequence[Case], rng: random.Random) -> Iterator[tuple[str, str]]:
    for kind, text in (
        (KINDS[0], _other_number(case.sentence, rng)),
        (KINDS[1], _other_name(case, cases, rng)),
        (KINDS[2], _negated(case.sentence, rng)),
        (KINDS[3], _from_elsewhere(case, cases, rng)),
    ):
        # What another passage says word for word is no error.
        if text not in (None, case.sentence) and not any(text in passage.text for passage in case.passages):
            yield kind, text


def _is_in_link(sentence: str, at: int) -> bool:
    """Whether a place is in the target of a link: it is not shown, and a change there says nothing."""
    return re.search(r"(?:\]\(|https?://|www\.)\S*$", sentence[:at]) is not None


def _other_number(sentence: str, rng: random.Random) -> str | None:
    found = [m for m in _NUMBER.finditer(sentence) if m.start() > 0 and not _is_in_link(sentence, m.start())]
    if not found:
        return None
    match = rng.choice(found)
    raw = match[0].lstrip("$")
    value = float(raw.replace(",", ""))
    changed = value + rng.choice((1, 2, 3, 7)) if rng.random() < 0.6 else value * rng.choice((2, 10)) + (value == 0)
    decimals = len(raw.partition(".")[2])
    text = f"{changed:,.{decimals}f}" if "," in raw else f"{changed:.{decimals}f}"
    return sentence[: match.end() - len(raw)] + text + sentence[match.end() :]


def _other_name(case: Case, cases: Sequence[Case], rng: random.Random) -> str | None:
    """One name in the place of another: of the same passages or of others."""
    here = " ".join(p.text for p in case.passages)
    small = set(re.findall(r"\b[a-z]+\b", here))
    found = [m for m in _NAME.finditer(case.sentence) if small.isdisjoint(m[0].lower().split())]
    found = [m for m in found if not _is_in_link(case.sentence, m.start())]
    pool = here if rng.random() < 0.5 else " ".join(p.text for p in rng.choice(cases).passages)
    small = set(re.findall(r"\b[a-z]+\b", pool))
    names = [m[0] for m in _SWAPPED_IN.finditer(pool) if small.isdisjoint(m[0].lower().split())]
    said = set(case.sentence.lower().split())
    names = [name for name in names if not said & set(name.lower().split())]
    if not found or not names:
        return None
    match = rng.choice(found)
    return case.sentence[: match.start()] + rng.choice(names) + case.sentence[match.end() :]


def _negated(sentence: str, rng: random.Random) -> str | None:
    if match := _NEGATION.search(sentence):
        return sentence[: match.start()] + sentence[match.end() :]
    found = list(_AUXILIARY.finditer(sentence))
    if not found:
        return None
    end = rng.choice(found).end()
    return f"{sentence[:end]} not{sentence[end:]}"


def _from_elsewhere(case: Case, cases: Sequence[Case], rng: random.Random) -> str | None:
    """Of forty sentences of other passages, the one that shares most words with this one's passages."""
    here = {w for p in case.passages for w in re.findall(r"[a-z]{4,}", p.text.lower())}
    others = [c for c in rng.sample(cases, min(40, len(cases))) if set(c.passages).isdisjoint(case.passages)]
    others = [c for c in others if len(c.sentence.split()) > 5]
    if not others:
        return None

    def shared(other: Case) -> float:
        words = re.findall(r"[a-z]{4,}", other.sentence.lower())
        return sum(w in here for w in words) / (len(words) + 3)

    return max(others, key=shared).sentence


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
