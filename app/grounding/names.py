"""Names in a text: words written with a capital where the language does not ask for one, and acronyms. Pure."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.grounding.number_words import ARTICLES, UNITS
from app.indexing.analysis.stop_words import STOP_WORDS

WORD = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")
# Behind these a capital begins a sentence, a list item or a label.
_START = re.compile(r"(?:^|[.!?…:;\n\"“„«»|*#>/]|(?:^|\s)[-–—•]|\d[.)])[\s\"“„«*_`(\[]*$")
_STOP = frozenset(word for language in ("en", "de", "fr", "es") for word in STOP_WORDS[language])
_NO_NAMES = _STOP | set(ARTICLES) | set(UNITS)
# What a name may have at its end in one text and not in the other.
_ENDINGS = frozenset(["s", "'s", "n", "an", "ian", "ans", "ians", "es", "ese", "ish", "ic", "er", "en"])


@dataclass(frozen=True, slots=True)
class Name:
    """A word of a name, folded, and where it stands. `sure` unless it may be a word that begins a sentence."""

    form: str
    start: int
    end: int
    sure: bool = True


def names(text: str, language: str = "en") -> list[Name]:
    """The words of names in order. In German, where every noun has a capital, acronyms and words in a row alone."""
    return [name for name in capitals(text, language) if len(name.form) > 1 and name.form not in _NO_NAMES]


def capitals(text: str, language: str = "en") -> list[Name]:
    """The words that may be names in their place, if others are: small words ("Plus") and letters ("Annex B") too."""
    found = list(_candidates(text))
    if language == "de":
        found = [name for name in found if _is_marked(text[name.start : name.end])]
    return found


def _candidates(text: str) -> Iterator[Name]:
    for match in WORD.finditer(text):
        word = match[0]
        if not word[0].isupper() or word == "I" or any(c.isdigit() for c in word):
            continue
        begins = _START.search(text, max(0, match.start() - 12), match.start()) is not None
        yield Name(fold_name(word), match.start(), match.end(), sure=not begins or _is_marked(word))


def _is_marked(word: str) -> bool:
    """Whether capitals inside show that it is a name or an acronym."""
    return sum(c.isupper() for c in word) > 1


def fold_name(word: str) -> str:
    folded = word.casefold().replace("’", "'")
    return folded.removesuffix("'s").removesuffix("'").replace(".", "")


def holds_name(form: str, words: Collection[str], initials: str) -> bool:
    """Whether a name stands among these folded words, in another ending, or as the first letters of words in a row."""
    if form in words:
        return True
    parts = [part for part in re.split(r"[-&']", form) if part]
    if len(parts) > 1 and (all(part in words for part in parts) or "".join(parts) in words):
        return True
    if 2 <= len(form) <= 6 and form in initials:
        return True
    return len(form) > 3 and any(_differ_by_ending(form, word) for word in words)


def _differ_by_ending(a: str, b: str) -> bool:
    shorter, longer = (a, b) if len(a) <= len(b) else (b, a)
    return len(shorter) > 3 and longer.startswith(shorter) and longer[len(shorter) :] in _ENDINGS


def initials(text: str) -> str:
    """The first letters of words with a capital, folded, runs of such words apart: an acronym stands in one as a part.

    Small words ("of", "and") do not end a run.
    """
    letters = []
    for match in WORD.finditer(text):
        if match[0][0].isupper():
            letters.append(match[0][0].casefold())
        elif match[0].casefold() not in _STOP:
            letters.append(" ")
    return "".join(letters)
