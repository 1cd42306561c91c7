"""Stems of words under a language. Scripts that belong to one stemmer have it whatever the language around them.

Nothing is remembered from one call to the next: whose word was there before would show in the time that it takes.
"""

import threading
import unicodedata
from collections.abc import Sequence
from typing import Any

import Stemmer

from app.indexing.analysis.irregular import BASES
from app.indexing.analysis.stop_words import STOP_WORDS

# English first: it wins ties, and is what a text without any evidence is taken for.
ALGORITHMS = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "nl": "dutch",
    "pt": "portuguese", "sv": "swedish", "da": "danish", "fi": "finnish", "no": "norwegian",
}  # fmt: skip
LANGUAGES = tuple(ALGORITHMS)
SCRIPTS = {"CYRILLIC": "russian", "GREEK": "greek", "ARABIC": "arabic"}
# Letters of their own there, not accents.
KEEPS_SIGNS = frozenset(("sv", "da", "fi", "no"))
_local = threading.local()


def script_of(word: str) -> str | None:
    """The script with a stemmer of its own, by the first letter; None for Latin and all others."""
    if word.isascii():
        return None
    name = unicodedata.name(word[0], "").partition(" ")[0]
    return name if name in SCRIPTS else None


def is_latin(word: str) -> bool:
    """Whether the first letter is of the Latin script."""
    return word[:1].isascii() or unicodedata.name(word[0], "").startswith("LATIN")


def is_stop_word(word: str, language: str) -> bool:
    """Whether the word (case-folded) says nothing in this language."""
    return word in STOP_WORDS[language]


def stem(word: str, language: str) -> str:
    """The stem of a case-folded Latin word, in English that of its base (`paid`: `pay`).

    Accents go where they are no letters of their own.
    """
    return stems([word], language)[0]


def stems(words: Sequence[str], language: str) -> list[str]:
    """`stem` for each of these words: many at once take a fraction of the time."""
    bases = [BASES.get(word, word) for word in words] if language == "en" else words
    stemmed: list[str] = _stemmer(ALGORITHMS[language]).stemWords(bases)
    return stemmed if language in KEEPS_SIGNS else [_plain(word) for word in stemmed]


def script_stem(word: str, script: str) -> str:
    """The stem of a word in a script with a stemmer of its own."""
    return str(_stemmer(SCRIPTS[script]).stemWord(word))


def _stemmer(algorithm: str) -> Any:
    # One of each a thread: a stemmer keeps its word in itself while it works. Without its own memory of words (size 0).
    kept: dict[str, Any] = _local.__dict__
    if algorithm not in kept:
        kept[algorithm] = Stemmer.Stemmer(algorithm, 0)
    return kept[algorithm]


def _plain(word: str) -> str:
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))
