"""Stems of words in a language. Scripts with one stemmer use it whatever the language around them.

Nothing is cached between calls: the time would tell whose words were stemmed before (promise N3).
"""

import threading
import unicodedata
from collections.abc import Sequence
from typing import Any

import Stemmer

from app.indexing.analysis.irregular import BASES
from app.indexing.analysis.stop_words import STOP_WORDS

# English first: it wins ties, and is assumed for a text without stop words.
ALGORITHMS = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "nl": "dutch",
    "pt": "portuguese", "sv": "swedish", "da": "danish", "fi": "finnish", "no": "norwegian",
}  # fmt: skip
LANGUAGES = tuple(ALGORITHMS)
SCRIPTS = {"CYRILLIC": "russian", "GREEK": "greek", "ARABIC": "arabic"}
# Languages in which å, ä, ö and the like are letters, not accents.
KEEPS_ACCENTS = frozenset(("sv", "da", "fi", "no"))
_local = threading.local()


def script_of(word: str) -> str | None:
    """The script of the first letter if it has a stemmer; None for Latin and all others."""
    if word.isascii():
        return None
    name = unicodedata.name(word[0], "").partition(" ")[0]
    return name if name in SCRIPTS else None


def is_latin(word: str) -> bool:
    """Whether the first letter is of the Latin script."""
    return word[:1].isascii() or unicodedata.name(word[0], "").startswith("LATIN")


def is_stop_word(word: str, language: str) -> bool:
    """Whether the case-folded word is a stop word in this language."""
    return word in STOP_WORDS[language]


def stem(word: str, language: str) -> str:
    """The stem of a case-folded Latin word, in English that of its base (`paid`: `pay`).

    Accents are dropped unless the language is in KEEPS_ACCENTS.
    """
    return stems([word], language)[0]


def stems(words: Sequence[str], language: str) -> list[str]:
    """`stem` for each of these words, in a fraction of the time that single calls take."""
    bases = [BASES.get(word, word) for word in words] if language == "en" else words
    stemmed: list[str] = _stemmer(ALGORITHMS[language]).stemWords(bases)
    return stemmed if language in KEEPS_ACCENTS else [_without_accents(word) for word in stemmed]


def script_stem(word: str, script: str) -> str:
    return str(_stemmer(SCRIPTS[script]).stemWord(word))


def _stemmer(algorithm: str) -> Any:
    # One per thread, since a stemmer holds state while it works; cache size 0 (see above).
    stemmers: dict[str, Any] = _local.__dict__
    if algorithm not in stemmers:
        stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
    return stemmers[algorithm]


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))
