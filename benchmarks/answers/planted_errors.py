"""Errors of each kind planted into true sentences, by a seeded script: what grounding should find."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


def plants(case: Case, cases: Sequence[Case], rng: random.Random) -> Iterator[tuple[str, str]]:
    """The sentence of a case with one error of each kind that it has room for, named by its kind."""
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
