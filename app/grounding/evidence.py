"""The passages of a context, prepared once an answer, so that a sentence can be looked up in them. Pure.

A passage falls into sentences, and runs of neighbouring sentences are windows: what an answer says in one sentence a
document often says in two or three. The title and headings of a passage belong to each of its windows.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from app.grounding.facts import Fact
from app.grounding.names import WORD, Name, fold_name, holds_name, initials, names
from app.grounding.polarity import Polarity, polarity
from app.grounding.quantities import facts
from app.grounding.substitution import Token
from app.indexing.analysis.sentences import sentence_spans
from app.indexing.analysis.stems import is_stop_word, stem
from app.indexing.terms import text_language, words

# A window grows to this many sentences, and on to SHORT words: the items of a list are sentences too.
MAX_SENTENCES = 3
SHORT = 40
PREFIX = 5  # letters that two stems must share to count as forms of one word


class EvidenceText(Protocol):
    """What a passage has to give to be evidence."""

    @property
    def title(self) -> str: ...

    @property
    def heading_path(self) -> tuple[str, ...]: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Sentence:
    """A text with what is compared of it. `start` and `end` are characters of its passage."""

    text: str
    language: str
    start: int
    end: int

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The stems in order, without stop words."""
        return tuple(words(self.text, self.language))

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(self.terms)

    @cached_property
    def facts(self) -> list[Fact]:
        return facts(self.text, self.language)

    @cached_property
    def surface(self) -> frozenset[str]:
        """The words as written, folded, and the parts of joined ones: what names are looked up in."""
        found = {fold_name(m[0]) for m in WORD.finditer(self.text)}
        return frozenset(
            found | {part for word in found for part in word.replace("'", "-").replace("&", "-").split("-")}
        )

    @cached_property
    def initials(self) -> str:
        return initials(self.text)

    @cached_property
    def polarity(self) -> Polarity:
        return polarity(self.text, self.language, self.stem)

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The content words in order, with names and numbers told apart."""
        found = []
        named = {name.start for name in names(self.text) if name.sure}
        counted = {fact.start: fact for fact in self.facts if fact.kind == "number" and not fact.soft}
        for match in WORD.finditer(self.text):
            form = fold_name(match[0])
            number = counted.get(match.start())
            known = form if number else self.stem(form)
            if known is not None and (number or not form.isdigit()):
                found.append(Token(form, known, match.start() in named, number))
        return tuple(found)

    def has_name(self, name: Name) -> bool:
        """Whether a name stands here, as a word, a part of one, or the first letters of some."""
        return holds_name(name.form, self.surface, self.initials)

    def stem(self, word: str) -> str | None:
        """The stem of a word in the language of the sentence, None if it is a stop word."""
        return None if is_stop_word(word, self.language) else stem(word, self.language)


@dataclass(frozen=True)
class Window:
    """Sentences `first` to `last` of a passage, both included."""

    passage: "PassageEvidence"
    first: int
    last: int

    @property
    def sentences(self) -> Sequence[Sentence]:
        return self.passage.sentences[self.first : self.last + 1]

    @property
    def around(self) -> Sequence[Sentence]:
        """Where its subject may be named: title and headings, how the passage begins, and the sentences beside it."""
        told = self.passage.sentences
        return [self.passage.header, *told[:1], *told[max(0, self.first - 2) : self.last + 2]]

    @property
    def text(self) -> str:
        """The sentences, under title and headings."""
        return "\n".join([self.passage.header.text, " ".join(sentence.text for sentence in self.sentences)])


@dataclass(frozen=True)
class PassageEvidence:
    """A passage by its number in the context: title and headings as one text, and its sentences."""

    number: int
    title: str
    header: Sentence
    sentences: tuple[Sentence, ...]

    @classmethod
    def of(cls, number: int, passage: EvidenceText) -> "PassageEvidence":
        language = text_language(passage.text)
        above = ". ".join(dict.fromkeys([passage.title, *passage.heading_path]))
        return cls(number, passage.title, Sentence(above, language, 0, 0), tuple(split(passage.text, language)))

    def is_section_beside(self, other: "PassageEvidence") -> bool:
        """Whether both seem to be of one document, under different headings."""
        return self.title == other.title and self.header.text != other.header.text

    def has_name(self, name: Name) -> bool:
        """Whether a name stands in it or above it."""
        return any(s.has_name(name) for s in (*self.sentences, self.header))

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return self.header.stems.union(*(s.stems for s in self.sentences))

    @property
    def whole(self) -> Window:
        """All its sentences as one."""
        return Window(self, 0, len(self.sentences) - 1)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        return tuple(self._windows())

    def _windows(self) -> Iterator[Window]:
        for first in range(len(self.sentences)):
            length = 0
            for last in range(first, len(self.sentences)):
                length += len(self.sentences[last].terms)
                if last - first >= MAX_SENTENCES and length > SHORT:
                    break
                yield Window(self, first, last)


class Evidence:
    """All passages of a context. Term weights are counted over their sentences alone."""

    def __init__(self, passages: Sequence[EvidenceText]) -> None:
        self.passages = tuple(PassageEvidence.of(n, p) for n, p in enumerate(passages, start=1))

    @cached_property
    def _frequency(self) -> Counter[str]:
        """In how many sentences each stem stands."""
        return Counter(stem for p in self.passages for s in p.sentences for stem in s.stems)

    @cached_property
    def _count(self) -> int:
        return sum(len(p.sentences) for p in self.passages)

    @cached_property
    def _by_prefix(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for known in set().union(*(p.vocabulary for p in self.passages)):
            if len(known) >= PREFIX:
                found.setdefault(known[:PREFIX], set()).add(known)
        return found

    def weight(self, stem: str) -> float:
        """How much a word tells: more the fewer sentences it stands in, and as much as a rare one if it is in none."""
        return math.log(1 + (self._count + 1) / (max(self._frequency[stem], 1) + 0.5))

    def forms(self, stem: str) -> frozenset[str]:
        """The stems of the context that may be forms of the same word."""
        alike = {
            known
            for known in self._by_prefix.get(stem[:PREFIX], ())
            if abs(len(known) - len(stem)) <= 4 and (len(known) <= len(stem) + 4)
        }
        return frozenset(alike | {stem})


def split(text: str, language: str) -> Iterator[Sentence]:
    """The sentences of a text; a line break ends one too, unless the next line goes on in lower case."""
    for start, end in _paragraphs(text):
        for first, last in sentence_spans(text[start:end]):
            yield Sentence(text[start + first : start + last], language, start + first, start + last)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = at = 0
    while (cut := text.find("\n", at)) >= 0:
        rest = text[cut + 1 : cut + 2]
        if not rest.islower():
            yield start, cut
            start = cut + 1
        at = cut + 1
    yield start, len(text)
