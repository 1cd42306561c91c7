"""Text to search terms: 64-bit hashes of stems with their language, and of identifiers unstemmed. Pure.

A passage is stemmed in its own language, detected by its stop words, so the index holds one form of each word. A word
of a question is looked up by its stem in every language, each with the language's name: a passage is found whatever
language was detected for it, and stems of different languages never meet.
"""

import hashlib
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import islice

from app.indexing.analysis.irregular import BASES
from app.indexing.analysis.language import language_of
from app.indexing.analysis.stems import LANGUAGES, is_latin, is_stop_word, script_of, script_stem, stem, stems
from app.indexing.analysis.tokens import Unit, canonical, dense_form, fold, plain_form, units

# Words of a question that are looked up; the rest is ignored, to bound the work.
MAX_WORDS = 48
# Units of a question that are tokenized to find them.
_MAX_UNITS = 2_000
# Where a word may begin within a piece: behind a sign, and at a capital.
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\d+")


@dataclass(frozen=True, slots=True)
class Counts:
    """Occurrences of a term in the title, in the headings and in the text of a passage."""

    title: int = 0
    headings: int = 0
    body: int = 0


@dataclass(frozen=True)
class PassageTerms:
    """The terms of a passage with their counts by field, and its length: the words of all fields but stop words."""

    counts: dict[int, Counts]
    length: int

    def total(self) -> int:
        """The length, under the name that `Counter` has for it."""
        return self.length


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question: the terms it may have in a passage, which has at most one of them, by its language.

    `extra`: its parts are words of the question too, so it adds to a score and not to coverage. `weight`: how much it
    counts beside the others, 1 for a word that was asked for.
    """

    forms: tuple[int, ...]
    extra: bool = False
    keys: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The keys that the forms are hashes of."""
    form: str = field(default="", compare=False, repr=False)
    """The word as it stands in the question, case-folded."""
    weight: float = 1.0

    @property
    def sure(self) -> bool:
        """Whether it is a stop word in no language, so that the index has it for every passage that does."""
        return len(self.forms) in {1, len(LANGUAGES)}


def field_terms(title: str, headings: Sequence[str], body: str) -> PassageTerms:
    """The terms of a passage by field. The language is that of the text; without evidence there, of the headings."""
    fields = [list(units(title)), [u for h in headings for u in units(h)], list(units(body))]
    language = _language(u for field in reversed(fields) for u in field)
    keyed = [list(_keys(field, language)) for field in fields]
    totals = [Counter(key for _, key in field) for field in keyed]
    keys = dict.fromkeys(key for field in totals for key in field)
    counts = {term_hash(key): Counts(*(field[key] for field in totals)) for key in keys}
    return PassageTerms(counts, sum(not unit.extra for field in keyed for unit, _ in field))


def query_terms(text: str) -> tuple[Word, ...]:
    """The words of a question, each once, in the order of their terms; at most MAX_WORDS of them.

    Stop words of the question's language are left out; a question of nothing else has no words.
    """
    tokens = list(islice(units(text), _MAX_UNITS))
    found: dict[str, Unit] = {}
    for unit, key in _keys(tokens, _language(tokens)):
        if key not in found and len(found) < MAX_WORDS:
            found[key] = unit
        elif key in found and not unit.extra:
            found[key] = replace(found[key], extra=False)
    words = [
        Word(tuple(map(term_hash, keys)), unit.extra, keys, unit.form)
        for unit, keys in zip(found.values(), _forms(list(found.values())), strict=True)
    ]
    return tuple(sorted(words, key=lambda word: word.forms))


def terms(text: str) -> Counter[int]:
    """The terms of a text in its own language with their counts; keys are signed 64-bit hashes."""
    tokens = list(units(text))
    return Counter(term_hash(key) for _, key in _keys(tokens, _language(tokens)))


def words(text: str, language: str | None = None) -> list[str]:
    """The stems of the text in order, without stop words; in the language given, or its own."""
    tokens = list(units(text))
    return [key.partition(":")[2] for _, key in _keys(tokens, language or _language(tokens))]


def words_in(pieces: Iterable[str], words: Sequence[Word]) -> dict[str, frozenset[int]]:
    """Those pieces that contain some of a question's words, in any of their forms, with the numbers of these words.

    Equal to comparing the `query_terms` of each piece, and much faster: plain words are stemmed in bulk, and compared
    before anything is hashed. A piece that has the beginning of no word is passed over: of
    the thousand words of a context some dozens are left.
    """
    numbers: dict[str, set[int]] = {}
    for number, word in enumerate(words):
        for key in word.keys:
            numbers.setdefault(key, set()).add(number)
    starts = {_start(key.partition(":")[2]) for key in numbers}
    likely = [piece for piece in dict.fromkeys(pieces) if _begins(piece, starts)]
    found: dict[str, set[int]] = {}
    for piece, key in _matches(likely, numbers.keys()):
        found.setdefault(piece, set()).update(numbers[key])
    return {piece: frozenset(own) for piece, own in found.items()}


def may_hold(words: Sequence[Word]) -> Callable[[str], bool]:
    """A quick test of a run of characters without white space: False only where none of these words stands in it.

    A run of plain letters, whatever marks stand around it, holds a word only with the beginning of one of its stems.
    """
    starts = {_start(key.partition(":")[2]) for word in words for key in word.keys}
    irregular = {form[:2] for form, base in BASES.items() if not starts.isdisjoint((base[:1], base[:2]))}
    beginnings = tuple(starts | irregular)

    def test(run: str) -> bool:
        if not (run.isascii() and run.strip(string.punctuation).isalpha()):
            return True
        folded = run.lower()
        for each in beginnings:  # noqa: SIM110  # twice as fast; and a pattern would be kept by `re` for all callers
            if each in folded:
                return True
        return False

    return test


def _matches(pieces: Iterable[str], wanted: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Each of these distinct pieces with each key of its own that is wanted."""
    latin: dict[str, str] = {}
    for piece in pieces:
        plain, dense = plain_form(piece), dense_form(piece)
        if plain is not None and script_of(plain) is None and is_latin(plain):
            # An English stop word on its own is no word of a question.
            if not is_stop_word(plain, LANGUAGES[0]):
                latin[piece] = plain
        elif plain is None and dense is not None:
            if f"=:{dense}" in wanted:
                yield piece, f"=:{dense}"
        else:
            yield from ((piece, key) for word in query_terms(piece) for key in word.keys if key in wanted)
    for language in LANGUAGES:
        prefix = f"{language}:"
        if not any(key.startswith(prefix) for key in wanted):
            continue
        for (piece, form), end in zip(latin.items(), stems(list(latin.values()), language), strict=True):
            if prefix + end in wanted and not is_stop_word(form, language):
                yield piece, prefix + end


def _begins(piece: str, starts: AbstractSet[str]) -> bool:
    """Whether a word of the piece may have a form that begins so; stemmers keep beginnings, but for accents."""
    if piece.isascii() and piece.isalpha() and (piece[1:].islower() or len(piece) == 1):
        form = piece.lower()
        return form[:2] in starts or form[0] in starts or (form in BASES and BASES[form][:2] in starts)
    whole = canonical(piece)
    if not whole.isascii():
        form = _unaccented(fold(whole))
        return any(start in form for start in starts)
    parts = [part.lower() for part in _PARTS.findall(whole)]
    wholes = (*parts, "".join(parts), whole.lower(), *(BASES.get(p, "") for p in parts))
    # A stem may be one letter long where the word has two.
    beginnings = {part[:length] for part in wholes for length in (1, 2)}
    return not beginnings.isdisjoint(starts)


def _start(form: str) -> str:
    return _unaccented(form)[:2]


def _unaccented(form: str) -> str:
    if form.isascii():
        return form
    return "".join(c for c in unicodedata.normalize("NFD", form) if not unicodedata.combining(c))


def text_language(text: str) -> str:
    """The language in which the terms of this text are formed."""
    return _language(units(text))


def term_hash(key: str) -> int:
    """The term as PostgreSQL's bigint."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def _language(tokens: Iterable[Unit]) -> str:
    return language_of(unit.form for unit in tokens if unit.kind == "word" and not unit.part)


def _keys(tokens: Iterable[Unit], language: str) -> Iterator[tuple[Unit, str]]:
    """The units that are no stop words of the language, each with its key there.

    An extra unit with one of the same stem right behind it (`OKRs`: okrs, okr) is dropped. Behind a stop word, such a
    unit is of another token (`_OF _OF`: of, OF, of, OF), and both count.
    """
    previous: tuple[Unit, str] | None = None
    for unit in tokens:
        stop = unit.kind != "exact" and is_stop_word(unit.form, language)
        key = "" if stop else _key(unit, language)
        if previous and not (previous[0].extra and previous[1] == key):
            yield previous
        previous = None if stop else (unit, key)
    if previous:
        yield previous


def _key(unit: Unit, language: str) -> str:
    """`language:stem`, `SCRIPT:stem`, or `=:form` for what is not stemmed."""
    if unit.kind == "exact":
        return f"=:{unit.form}"
    if script := script_of(unit.form):
        return f"{script}:{script_stem(unit.form, script)}"
    if is_latin(unit.form):
        return f"{language}:{stem(unit.form, language)}"
    return f"=:{unit.form}"


def _forms(units: Sequence[Unit]) -> list[tuple[str, ...]]:
    """The keys that each unit of a question may have in a passage, each once; none where it is a stop word."""
    latin = [u.form for u in units if u.kind != "exact" and script_of(u.form) is None and is_latin(u.form)]
    stemmed = {language: dict(zip(latin, stems(latin, language), strict=True)) for language in LANGUAGES}

    def keys(unit: Unit) -> Iterator[str]:
        for language in LANGUAGES:
            if unit.kind != "exact" and is_stop_word(unit.form, language):
                continue
            if unit.kind == "exact" or unit.form not in stemmed[language]:
                yield _key(unit, language)
            else:
                yield f"{language}:{stemmed[language][unit.form]}"

    return [tuple(dict.fromkeys(keys(unit))) for unit in units]
