"""How a name is compared: without case, diacritics and what joins its words, so that its spellings are one. Pure."""

import html
import re
import unicodedata
from importlib.resources import files

import yaml

from app.lookalikes import LOOKALIKES

# Letters, also as HTML names them.
WORD = re.compile(
    r"(?:[^\W\d_]|&(?:[A-Za-z](?:uml|acute|grave|circ|tilde|cedil|ring|slash|caron)|szlig|(?:ae|AE|oe|OE)lig);)+"
)
# Letters that no decomposition takes apart, as those who lack the key write them.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"})


def key(word: str) -> str:
    """What the spellings of a word have in common: "Müller", "Mueller" and "MULLER" are "muller".

    A letter with a diacritic is often written as two, so those two are one letter wherever they stand: "Samuel" is
    "samul", in the list as in the text.
    """
    small = (html.unescape(word) if "&" in word else word).lower()
    if not small.isascii():
        plain = unicodedata.normalize("NFKD", small.translate(LOOKALIKES).translate(_LETTERS))
        small = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return small.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("aa", "a")


def keys(text: str) -> tuple[str, ...]:
    """The keys of the words of a text."""
    return tuple(key_at(text, match) for match in WORD.finditer(text))


def key_at(text: str, word: re.Match[str]) -> str:
    """The key of a word where it stands; that of an initial has its full stop in it."""
    return f"{key(word[0])}." if is_initial(text, word) else key(word[0])


def is_initial(text: str, word: re.Match[str]) -> bool:
    """Whether it is one capital with a full stop."""
    return word.end() - word.start() == 1 and text[word.end() : word.end() + 1] == "." and word[0].isupper()


def is_capital(word: str) -> bool:
    """Whether the word begins with a capital."""
    return html.unescape(word)[0].isupper() if word[0] == "&" else word[0].isupper()


_WORDS: dict[str, str] = yaml.safe_load(files("app.guardrail.names").joinpath("common_words.yaml").read_text("utf-8"))
FUNCTION_WORDS = frozenset(map(key, _WORDS["function_words"].split()))
COMMON = FUNCTION_WORDS | frozenset(map(key, _WORDS["nouns_and_adjectives"].split()))
