"""Compares a sentence of an answer with the source sentence that it nearly copies: what differs decides. Pure.

Where most words are the same and in the same order, nothing but the difference says something new. Another number, name
or opposite in the same place, or a negation put in or taken out, changes what the source says, though the passage may
have the same word elsewhere. Words left out only shorten, and other wording is left to the other checks.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import pairwise
from typing import Literal

from app.grounding.evidence import Evidence, Sentence
from app.grounding.facts import Fact, is_supported
from app.grounding.names import WORD, Name, capitals, fold_name, holds_name, initials
from app.grounding.polarity import ADVERBS, SOFTENED, denies, is_weak, opposites

MIN_SAME = 0.7  # share of a sentence's words that a source sentence must have in the same order
MIN_WORDS = 4  # … and how many at least
MAX_ALIGNED = 4  # source sentences that are aligned: those that share most words
MAX_CHANGED = 8  # words in one place beyond which it is other wording

Difference = Literal["number", "date", "name", "negation"]
_CONTRACTED = re.compile(r"(?:(can)not|(\w+)n't)")
_REPLIES = frozenset(["no", "nein", "non"])  # "No, …" answers, and denies nothing of the sentence
_FULL = {"wo": "will", "sha": "shall", "ca": "can"}


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """A word as it is compared, and the characters that it stands at."""

    form: str
    start: int
    end: int


@dataclass(frozen=True)
class Wording:
    """A sentence by its words in order; "cannot" and "isn't" are two."""

    sentence: Sentence

    @cached_property
    def words(self) -> tuple[WrittenWord, ...]:
        return tuple(_words(self.sentence.text))

    @cached_property
    def forms(self) -> list[str]:
        return [word.form for word in self.words]

    def part(self, first: int, last: int) -> "Part":
        """The words from `first` to before `last`."""
        return Part(self, first, last)


@dataclass(frozen=True)
class Part:
    """Words in a row of a sentence: one side of a difference."""

    whole: Wording
    first: int
    last: int

    @cached_property
    def forms(self) -> list[str]:
        return self.whole.forms[self.first : self.last]

    @cached_property
    def facts(self) -> list[Fact]:
        return [fact for fact in self.whole.sentence.facts if not fact.soft and self._has(fact)]

    @cached_property
    def names(self) -> list[Name]:
        return [name for name in capitals(self.whole.sentence.text, self.whole.sentence.language) if self._has(name)]

    @cached_property
    def surface(self) -> frozenset[str]:
        return frozenset(part for form in self.forms for part in (form, *re.split("['&-]", form)))

    @cached_property
    def initials(self) -> str:
        words = self.whole.words[self.first : self.last]
        return initials(self.whole.sentence.text[words[0].start : words[-1].end]) if words else ""

    @cached_property
    def digits(self) -> frozenset[str]:
        return frozenset(form for form in self.forms if any(c.isdigit() for c in form))

    @cached_property
    def cues(self) -> int:
        """How many words deny; "not only" does not."""
        return sum(self._denies(form) and behind not in SOFTENED for form, behind in pairwise([*self.forms, ""]))

    @cached_property
    def content(self) -> frozenset[str]:
        """The stems of the words that do not deny."""
        plain = [form for form in self.forms if form not in ADVERBS and not self._denies(form)]
        return frozenset(stem for form in plain if (stem := self.whole.sentence.stem(form)) is not None)

    def _denies(self, form: str) -> bool:
        return denies(form, self.whole.sentence.language)

    def has_name(self, name: Name) -> bool:
        return holds_name(name.form, self.surface, self.initials)

    def _has(self, found: Fact | Name) -> bool:
        words = self.whole.words[self.first : self.last]
        return any(word.start < found.end and found.start < word.end for word in words)


def difference(claim: Sentence, evidence: Evidence) -> Difference | None:
    """How a sentence changes the source sentence that it nearly copies; None if it does not, or copies none."""
    said = Wording(claim)
    if len(said.words) < MIN_WORDS:
        return None
    aligned = [_changes(said, Wording(sentence)) for sentence in _nearest(said, evidence)]
    near = [(same, changes) for same, changes in aligned if same >= max(MIN_WORDS, MIN_SAME * len(said.words))]
    most = max((same for same, _ in near), default=0)
    nearest = [changes for same, changes in near if same == most]
    found = [_first_contradiction(changes) for changes in nearest]
    if any(kind is None and not _is_reworded(changes) for kind, changes in zip(found, nearest, strict=True)):
        return None
    return next(filter(None, found), None)


def contradiction(one: Sentence, other: Sentence) -> Difference | None:
    """How a sentence contradicts another that has nearly the same words in the same order; None if it does not."""
    said = Wording(one)
    same, changes = _changes(said, Wording(other))
    return _first_contradiction(changes) if same >= max(MIN_WORDS, MIN_SAME * len(said.words)) else None


def _nearest(said: Wording, evidence: Evidence) -> list[Sentence]:
    forms = frozenset(said.forms)
    shared = [(len(forms & s.surface), s) for p in evidence.passages for s in p.sentences]
    enough = [(n, s) for n, s in shared if n >= MIN_SAME * len(forms) - 2]
    return [s for _, s in sorted(enough, key=lambda pair: -pair[0])[:MAX_ALIGNED]]


_Change = tuple[Part, Part]


def _changes(said: Wording, given: Wording) -> tuple[int, list[_Change]]:
    """How many words are the same, and what differs, side by side."""
    matcher = SequenceMatcher(None, given.forms, said.forms, autojunk=False)
    same, changes = 0, []
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind == "equal":
            same += end - begin
        else:
            changes.append((said.part(begin, end), given.part(first, last)))
    return same, changes


def _is_reworded(changes: Iterable[_Change]) -> bool:
    """Whether other words stand in the place of some: what is said of the one is not said of the other."""
    return any(said.content and given.content and said.content.isdisjoint(given.content) for said, given in changes)


def _first_contradiction(changes: Iterable[_Change]) -> Difference | None:
    return next((found for change in changes if (found := _contradiction(change)) is not None), None)


def _contradiction(change: _Change) -> Difference | None:
    said, given = change
    if _is_negated(said, given) or _is_opposite(said, given):
        return "negation"
    if len(said.forms) > MAX_CHANGED or len(given.forms) > MAX_CHANGED:
        return None
    return _other_fact(said, given) or ("name" if _is_other_name(said, given) else None)


def _is_negated(said: Part, given: Part) -> bool:
    """Whether one side denies and the other does not, and says nothing else that the other sentence does not say."""
    if said.cues % 2 == given.cues % 2 or any(map(is_weak, (*said.forms, *given.forms))):
        return False
    more, less = (said, given) if said.cues > given.cues else (given, said)
    return more.content <= less.whole.sentence.stems


def _is_opposite(said: Part, given: Part) -> bool:
    return any(not opposites(form).isdisjoint(given.forms) for form in said.forms)


def _other_fact(said: Part, given: Part) -> Difference | None:
    for fact in said.facts:
        if given.facts and not is_supported(fact, given.facts):
            return "number" if fact.kind in {"number", "code"} else "date"
    if said.digits and given.digits and said.digits.isdisjoint(given.digits) and not (said.facts and given.facts):
        return "number"
    return None


def _is_other_name(said: Part, given: Part) -> bool:
    """Whether a name was put in and another taken out, and neither abbreviates the other."""
    put_in = any((name.sure or said.first > 0) and not given.has_name(name) for name in said.names)
    return put_in and not all(map(said.has_name, given.names))


def _words(text: str) -> Iterator[WrittenWord]:
    for match in WORD.finditer(text):
        form = fold_name(match[0])
        if contracted := _CONTRACTED.fullmatch(form):
            first = contracted[1] or contracted[2]
            yield WrittenWord(_FULL.get(first, first), match.start(), match.end())
            yield WrittenWord("not", match.start(), match.end())
        elif not (form in _REPLIES and text[match.end() :].startswith((",", "."))):
            yield WrittenWord(form, match.start(), match.end())
