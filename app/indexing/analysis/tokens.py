"""Tokenizer: text to words, and to identifiers, numbers and addresses, which are found whole and by their parts.

Characters are compared in NFKC and case-folded. A run of a script without spaces between words is cut into overlapping
pairs of characters.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Kind = Literal["word", "exact", "joined"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A token as it is indexed and looked up.

    A "word" is stemmed under a language. "exact" is looked up as it stands: identifiers, numbers, pairs of CJK.
    "joined" is a hyphenated word without its hyphens (`e-mail`: email), or the written form where the base is a unit
    too (`SLAs`: slas). `extra`: its parts or base are units as well, so it adds to the score alone, not to length or
    coverage. `part`: it stands inside an identifier or the like, and is no evidence of the language around it.
    """

    kind: Kind
    form: str
    extra: bool = False
    part: bool = False


def _ranges(wanted: str) -> str:
    """The characters of these general categories as ranges for a character class."""
    points = [p for p in range(0x300, sys.maxunicode + 1) if unicodedata.category(chr(p)) in wanted.split()]
    runs = [[p for _, p in run] for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0])]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)


# `\w` lacks the vowel signs of Indic scripts and accents that stand alone: without them words would fall apart.
_W = rf"[\w{_ranges('Mn Mc')}]"
# A letter, digit or mark of one.
LETTER = rf"(?:(?!_){_W})"
# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han, Hangul.
_DENSE = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Words joined by what stands inside identifiers, paths, addresses and versions; C++ and C# keep their signs.
COMPOUND = re.compile(rf"{_W}+(?:(?:::|->|:\\|(?<=\d),(?=\d{{3}}(?!\d))|[-./@:\\'#&~+]){_W}+)*(?:\+\+|#(?!\w))?")
# The same for a text that is ASCII, for which it is several times faster.
_ASCII_COMPOUND = re.compile(
    r"[A-Za-z0-9_]+(?:(?:::|->|:\\|(?<=\d),(?=\d{3}(?!\d))|[-./@:\\'#&~+])[A-Za-z0-9_]+)*(?:\+\+|#(?![A-Za-z0-9_]))?",
    re.ASCII,
)
DENSE_RUN = re.compile(f"([{_DENSE}]+)")
_DROPPED = {0xAD: None, 0x200B: None, 0x200C: None, 0x200D: None, 0x2060: None, 0xFEFF: None, 0x2019: "'", 0x2BC: "'"}
_DROPPED |= {0x2010: "-", 0x2011: "-"}
_STRONG = re.compile(r"::|->|:\\|[/@:\\#&~+]")
_WEAK = re.compile(r"[-._]+")
_INSIDE = re.compile(r"[-._,:>/@\\#&~+]")
_WORDS = re.compile(rf"{LETTER}+")
# The s of a plural (`SLAs`, `SLAsMet`) begins no word with the letter before it.
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s(?![a-z]))")
_PLURAL = re.compile(r"[A-Z]{2,}s")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
# Articles and pronouns that lose their vowel (French, Italian), and the endings of English contractions.
_ELIDED_WORDS = "l d j m n s t c qu jusqu lorsqu puisqu quoiqu dell all nell sull dall un quest quell"
_ELIDED = frozenset(_ELIDED_WORDS.split())
_CONTRACTED = frozenset(["s", "t", "d", "m", "re", "ve", "ll"])
MAX_WHOLE = 200  # characters of an identifier that becomes a unit as a whole


def canonical(text: str) -> str:
    """NFKC, with apostrophes and hyphens of one kind, and without characters that have no width."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_DROPPED)).translate(_DROPPED)


def fold(text: str) -> str:
    """Case-folded, and normalised to NFKC again."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text.casefold())


def compounds(text: str) -> Iterator[re.Match[str]]:
    """The words of a canonical text, joined where they stand inside identifiers and the like."""
    return (_ASCII_COMPOUND if text.isascii() else COMPOUND).finditer(text)


def surface(text: str) -> list[str]:
    """The written words in order, for exact phrases: not stemmed, stop words included, without punctuation."""
    found: list[str] = []
    for match in compounds(canonical(text)):
        # "dog's" and "dogs" are one word here.
        for piece in _WORDS.findall(fold(match.group()).replace("'", "")):
            for part in filter(None, DENSE_RUN.split(piece)):
                found += list(part) if DENSE_RUN.match(part) else [part]
    return found


def units(text: str) -> Iterator[Unit]:
    """The units of a text in order. Lazy: of a megabyte only as much is tokenized as the caller consumes."""
    for match in compounds(canonical(text)):
        token = match.group()
        if token.isalpha() and not _CAMEL.search(token) and not DENSE_RUN.search(token):
            yield from _plain(token)
        elif _INSIDE.search(token):
            yield from (Unit(u.kind, u.form, u.extra, part=True) for u in _compound(token))
        else:
            yield from _piece(token)


def plain_form(word: str) -> str | None:
    """The form of a text that is a single plain word, and so its only unit; None for anything else."""
    token = canonical(word)
    if token.isalpha() and not (_CAMEL.search(token) or DENSE_RUN.search(token) or _PLURAL.fullmatch(token)):
        return fold(token)
    return None


def dense_form(piece: str) -> str | None:
    """The form of one or two characters of a script without spaces, which are a single unit; None for anything else.

    A character that Unicode has not assigned as yet, though it lies in the range of a script, is part of no word.
    """
    token = canonical(piece)
    if len(token) > 2 or any(unicodedata.category(character) == "Cn" for character in token):
        return None
    if DENSE_RUN.fullmatch(token) and len(form := fold(token)) == len(token):
        return form
    return None


def _compound(token: str) -> Iterator[Unit]:
    """An identifier, a number, a path, an address, or a hyphenated word."""
    if _GROUPED.fullmatch(token):
        yield Unit("exact", token.replace(",", ""))
        return
    segments = [s for s in _STRONG.split(token) if s.strip("_")]
    if token.endswith(("++", "#")):
        yield Unit("exact", fold(token), extra=True)
    elif len(segments) > 1 and _is_code(token):
        yield from _whole(token)
    for segment in segments:
        yield from _segment(segment)


def _segment(segment: str) -> Iterator[Unit]:
    """The text between strong signs: `max_retry_count`, `on-call`, `v2.3.1`."""
    pieces = [p for p in _WEAK.split(segment) if p]
    if len(pieces) > 1 or (pieces and pieces[0] != segment):
        if len(pieces) > 1 and all(p.isalpha() for p in pieces) and set(_WEAK.findall(segment)) <= {"-"}:
            if not any(DENSE_RUN.search(p) for p in pieces):
                yield Unit("joined", fold("".join(pieces)), extra=True)
        else:
            yield from _whole(segment)
    for piece in pieces:
        yield from _piece(piece)


def _piece(piece: str) -> Iterator[Unit]:
    """One word, or one with an apostrophe, in camel case or of a script without spaces."""
    if "'" in piece:
        yield from _apostrophe(piece)
        return
    if DENSE_RUN.search(piece):
        yield from _dense(piece)
        return
    humps = _CAMEL.split(piece)
    if len(humps) > 1:
        yield Unit("exact" if _has_digit(piece) else "joined", fold(piece), extra=True)
        for hump in humps:
            yield from _plain(hump)
        return
    yield from _plain(piece)


def _plain(piece: str) -> Iterator[Unit]:
    """A plain word; the plural of an acronym gives the acronym too."""
    if _PLURAL.fullmatch(piece):
        yield Unit("joined", fold(piece), extra=True)
        piece = piece[:-1]
    yield Unit("exact" if _has_digit(piece) else "word", fold(piece))


def _has_digit(piece: str) -> bool:
    return any(c.isdigit() for c in piece)


def _apostrophe(piece: str) -> Iterator[Unit]:
    parts = [p for p in fold(piece).split("'") if p]
    if len(parts) == 2 and parts[1] in _CONTRACTED:
        # "don't" is a stop word as it stands; of "dog's" the dog is kept.
        yield Unit("word", "'".join(parts) if parts[1] != "s" or parts[0] in _PRONOUNS else parts[0])
    elif len(parts) == 2 and parts[0] in _ELIDED:
        yield from _piece(parts[1])
    elif len(parts) > 1:
        yield Unit("joined", "".join(parts), extra=True)
        for part in parts:
            yield from _piece(part)
    elif parts:
        yield from _piece(parts[0])


_PRONOUNS = frozenset(["he", "she", "it", "that", "what", "where", "when", "who", "why", "how", "there", "here", "let"])


def _dense(piece: str) -> Iterator[Unit]:
    for part in filter(None, DENSE_RUN.split(piece)):
        if not DENSE_RUN.match(part):
            yield from _plain(part)
            continue
        text = fold(part)
        if len(text) == 1:
            yield Unit("exact", text)
        for pair in range(len(text) - 1):
            yield Unit("exact", text[pair : pair + 2])


def _whole(token: str) -> Iterator[Unit]:
    """An identifier as a whole, without the signs around it."""
    form = fold(token).strip("-._/@:\\#&~+'")
    if 1 < len(form) <= MAX_WHOLE:
        yield Unit("exact", form, extra=True)


def _is_code(token: str) -> bool:
    """Whether a token joined by strong signs is an identifier, a path or an address, and not `and/or`."""
    return any(c.isdigit() or c in "_@\\#:&" for c in token) or len(_STRONG.findall(token)) > 1 or "." in token
