"""Text to search terms: 64-bit hashes of stems under their language, and of identifiers as they stand. Pure.

A passage is stemmed in its own language, found by its stop words. A word of a question asks for its stem in every
language, each under that language's name, so that a passage is found whatever its language was taken for and no stem
meets one of another language. So the index holds one form of each word.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from app.indexing.analysis.language import language_of
from app.indexing.analysis.stems import LANGUAGES, is_latin, is_stop_word, script_of, script_stem, stem, stems
from app.indexing.analysis.tokens import Unit, plain_form, units

# Words of a question that are looked up; what follows is left out, so that its work is bounded.
MAX_WORDS = 48
# Units of a question that are read to find them.
_READ = 2_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a term stands in the title, in the headings and in the text of a passage."""

    title: int = 0
    headings: int = 0
    body: int = 0


@dataclass(frozen=True)
class PassageTerms:
    """The terms of a passage by field, and its length: the words of all fields that are no stop words."""

    counts: dict[int, Counts]
    length: int

    def total(self) -> int:
        """The length, as `Counter.total` gives it for terms without fields."""
        return self.length


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question: the terms it may stand as, of which a passage has one at most by its language.

    `extra`: its parts are words of the question too, so it adds to a score and not to coverage.
    """

    forms: tuple[int, ...]
    extra: bool = False
    keys: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What the forms are hashes of."""

    @property
    def sure(self) -> bool:
        """Whether it is a stop word nowhere: then the index holds it wherever a passage does."""
        return len(self.forms) in {1, len(LANGUAGES)}


def field_terms(title: str, headings: Sequence[str], body: str) -> PassageTerms:
    """The terms of a passage by field. Its language is that of the text; without evidence there, of its headings."""
    fields = [list(units(title)), [u for h in headings for u in units(h)], list(units(body))]
    language = _language(u for field in reversed(fields) for u in field)
    kept = [[(unit, key) for unit, key in _keys(field, language)] for field in fields]
    found = [Counter(key for _, key in field) for field in kept]
    each = dict.fromkeys(key for field in found for key in field)
    counts = {term_hash(key): Counts(*(field[key] for field in found)) for key in each}
    return PassageTerms(counts, sum(not unit.extra for field in kept for unit, _ in field))


def query_terms(text: str) -> tuple[Word, ...]:
    """The words of a question, each once, in the order of their terms; at most MAX_WORDS of them.

    Stop words of the question's language are left out: a question of nothing else has no words to search for.
    """
    read = list(islice(units(text), _READ))
    found: dict[str, Word] = {}
    for unit, key in _keys(read, _language(read)):
        if key not in found and len(found) < MAX_WORDS:
            keys = tuple(_forms(unit))
            found[key] = Word(tuple(map(term_hash, keys)), unit.extra, keys)
        elif key in found and not unit.extra:
            found[key] = replace(found[key], extra=False)
    return tuple(sorted(found.values(), key=lambda word: word.forms))


def terms(text: str) -> Counter[int]:
    """How often each term stands in the text under its own language; keys are signed 64-bit hashes."""
    read = list(units(text))
    return Counter(term_hash(key) for _, key in _keys(read, _language(read)))


def words(text: str, language: str | None = None) -> list[str]:
    """The stems of the text in order, stop words left out; under the language given, or its own."""
    read = list(units(text))
    return [key.partition(":")[2] for _, key in _keys(read, language or _language(read))]


def among(given: Sequence[str], words: Sequence[Word]) -> set[str]:
    """Those of these pieces of a text in which one of the words of a question stands, in any of its forms.

    Equal to asking for the `query_terms` of each, and much faster: plain words are stemmed many at once, and compared
    before anything is hashed.
    """
    wanted = {key for word in words for key in word.keys}
    plain = {piece: form for piece in given if (form := plain_form(piece)) is not None}
    found = {piece for piece in given if piece not in plain and _stands(piece, wanted)}
    latin = [piece for piece, form in plain.items() if script_of(form) is None and is_latin(form)]
    found |= {piece for piece in plain.keys() - set(latin) if _stands(piece, wanted)}
    # A question of nothing but an English stop word has no words.
    latin = [piece for piece in latin if not is_stop_word(plain[piece], LANGUAGES[0])]
    for language in LANGUAGES:
        ends = {key.partition(":")[2] for key in wanted if key.startswith(f"{language}:")}
        left = [piece for piece in latin if piece not in found] if ends else []
        for piece, end in zip(left, stems([plain[piece] for piece in left], language), strict=True):
            if end in ends and not is_stop_word(plain[piece], language):
                found.add(piece)
    return found


def _stands(piece: str, wanted: set[str]) -> bool:
    return any(key in wanted for word in query_terms(piece) for key in word.keys)


def text_language(text: str) -> str:
    """The language that the terms of this text are taken under."""
    return _language(units(text))


def term_hash(key: str) -> int:
    """The term as PostgreSQL's bigint."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def _language(read: Iterable[Unit]) -> str:
    return language_of(unit.form for unit in read if unit.kind == "word" and not unit.part)


def _keys(read: Iterable[Unit], language: str) -> Iterator[tuple[Unit, str]]:
    """The units that are no stop words of the language, each with its key there.

    An extra whose stem is that of the unit it comes with (`OKRs`: okrs, okr) is one with it.
    """
    held: tuple[Unit, str] | None = None
    for unit in read:
        if unit.kind == "exact" or not is_stop_word(unit.form, language):
            key = _key(unit, language)
            if held and not (held[0].extra and held[1] == key):
                yield held
            held = unit, key
    if held:
        yield held


def _key(unit: Unit, language: str) -> str:
    """`language:stem`, `SCRIPT:stem`, or `=:form` for what is looked up as it stands."""
    if unit.kind == "exact":
        return f"=:{unit.form}"
    if script := script_of(unit.form):
        return f"{script}:{script_stem(unit.form, script)}"
    if is_latin(unit.form):
        return f"{language}:{stem(unit.form, language)}"
    return f"=:{unit.form}"


def _forms(unit: Unit) -> list[str]:
    """All keys that a unit of a question may have in a passage, each once: those where it is no stop word."""
    return list(
        dict.fromkeys(_key(unit, x) for x in LANGUAGES if unit.kind == "exact" or not is_stop_word(unit.form, x))
    )
