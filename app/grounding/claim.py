"""A sentence of an answer, by what is looked up of it: its facts, its names, and the words that say something. Pure."""

import re
from functools import cached_property

from app.grounding.evidence import Sentence
from app.grounding.facts import Fact
from app.grounding.names import Name, names
from app.grounding.phrases import LIGHT, OWN_NUMBER
from app.indexing.analysis.stems import LANGUAGES, stems
from app.indexing.terms import text_language, words

MAX_COUNTED = 3  # content words behind a number that say what it counts
_LIGHT = {language: frozenset(stems(sorted(LIGHT), language)) for language in LANGUAGES}
_MARKUP = re.compile(r"[*`#>|]+|(?<!\w)_+|_+(?!\w)|\]\([^)\s]*\)|\[(?=[^\]]*\])|\]")
_CLAUSE_END = re.compile(r"[,.;:()]")
_LIST_MARK = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,3}[.)])\s+")


class Claim(Sentence):
    """A sentence of the answer, without its markup and citations."""

    @classmethod
    def of(cls, text: str) -> "Claim":
        plain = OWN_NUMBER.sub(" ", _MARKUP.sub(" ", _LIST_MARK.sub("", text)))
        return cls(plain, text_language(plain), 0, len(plain))

    @cached_property
    def checked(self) -> list[Fact]:
        return [fact for fact in self.facts if not fact.soft]

    @cached_property
    def named(self) -> list[Name]:
        """The words of names that are no part of a date or another fact."""
        taken = [(fact.start, fact.end) for fact in self.facts]
        found = names(self.text, self.language)
        return [name for name in found if not any(a <= name.start < b for a, b in taken)]

    def counted(self, fact: Fact) -> list[str]:
        """The stems of the words right behind a number with its unit, within the clause: what it counts."""
        behind = _CLAUSE_END.split(self.text[fact.end :], maxsplit=1)[0]
        return words(behind, self.language)[:MAX_COUNTED] if fact.kind == "number" else []

    @cached_property
    def content(self) -> tuple[str, ...]:
        """The stems that are looked up, each once: no facts and no words that say nothing."""
        masked = list(self.text)
        for fact in self.checked:
            masked[fact.start : fact.end] = " " * (fact.end - fact.start)
        return tuple(dict.fromkeys(w for w in words("".join(masked), self.language) if w not in _LIGHT[self.language]))


def is_denial(text: str) -> bool:
    """Whether a sentence denies something."""
    return any(negation.governed for negation in Claim.of(text).polarity.negations)
