"""Text to units: words, and the identifiers, numbers and addresses that are found whole and by their parts.

Characters are compared in NFKC and case-folded. A run of a script without spaces between words gives its pairs of
neighbours, so that none of it is lost.
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
    """A piece of text as it is looked up.

    A "word" is stemmed under a language. "exact" is looked up as it stands: identifiers, numbers, pairs of CJK.
    "joined" is a word made of the parts of a hyphenated one (`e-mail`: email), or as it is written where its base is a
    unit (`SLAs`: slas). `extra`: its parts or base are units as well, so it counts for the score alone, neither for
    length nor for coverage. `part`: it stands inside an identifier or the like, and says nothing about the language
    around it.
    """

    kind: Kind
    form: str
    extra: bool = False
    part: bool = False


def _ranges(wanted: str) -> str:
    """The characters of these general categories, for a character class."""
    points = [p for p in range(0x300, sys.maxunicode + 1) if unicodedata.category(chr(p)) in wanted.split()]
    runs = [[p for _, p in run] for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0])]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)


# `\w` lacks the vowel signs of Indic scripts and accents that stand alone: without them words would fall apart.
_W = rf"[\w{_ranges('Mn Mc')}]"
# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han, Hangul.
_DENSE = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Words joined by what stands inside identifiers, paths, addresses and versions; C++ and C# keep their signs.
COMPOUND = re.compile(rf"{_W}+(?:(?:::|->|:\\|(?<=\d),(?=\d{{3}}(?!\d))|[-./@:\\'#&~+]){_W}+)*(?:\+\+|#(?!\w))?")
DENSE_RUN = re.compile(f"[{_DENSE}]+")
_DROPPED = {0xAD: None, 0x200B: None, 0x200C: None, 0x200D: None, 0x2060: None, 0xFEFF: None, 0x2019: "'", 0x2BC: "'"}
_DROPPED |= {0x2010: "-", 0x2011: "-"}
_STRONG = re.compile(r"::|->|:\\|[/@:\\#&~+]")
_WEAK = re.compile(r"[-._]+")
_INSIDE = re.compile(r"[-._,:>/@\\#&~+]")
_WORDS = re.compile(rf"(?:(?!_){_W})+")
# The s of a plural (`SLAs`, `SLAsMet`) begins no word with the letter before it.
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s(?![a-z]))")
_PLURAL = re.compile(r"[A-Z]{2,}s")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
# Articles and pronouns that lose their vowel (French, Italian), and what English hangs on.
_ELIDED_WORDS = "l d j m n s t c qu jusqu lorsqu puisqu quoiqu dell all nell sull dall un quest quell"
_ELIDED = frozenset(_ELIDED_WORDS.split())
_HUNG = frozenset(["s", "t", "d", "m", "re", "ve", "ll"])
LONGEST = 200  # characters of an identifier that is kept whole


def canonical(text: str) -> str:
    """NFKC, with apostrophes and hyphens of one kind, and without characters that have no width."""
    return unicodedata.normalize("NFKC", text.translate(_DROPPED)).translate(_DROPPED)


def folded(text: str) -> str:
    """Case-folded; what is folded is in NFKC again."""
    return unicodedata.normalize("NFKC", text.casefold())


def surface(text: str) -> list[str]:
    """The words in their order as they are written, for exact phrases: no stems, no stop words, no punctuation."""
    found: list[str] = []
    for match in COMPOUND.finditer(canonical(text)):
        # "dog's" and "dogs" are one word here.
        for piece in _WORDS.findall(folded(match.group()).replace("'", "")):
            found += _characters(piece)
    return found


def units(text: str) -> Iterator[Unit]:
    """All units of a text in its order. Lazy: a question of a megabyte is read as far as it is used."""
    for match in COMPOUND.finditer(canonical(text)):
        token = match.group()
        if token.isalpha() and not _CAMEL.search(token) and not DENSE_RUN.search(token):
            yield from _plain(token)
        elif _INSIDE.search(token):
            yield from (Unit(u.kind, u.form, u.extra, part=True) for u in _compound(token))
        else:
            yield from _piece(token)


def plain_form(word: str) -> str | None:
    """The form of a text that is one plain word, the only unit it has; None for anything else."""
    token = canonical(word)
    if token.isalpha() and not (_CAMEL.search(token) or DENSE_RUN.search(token) or _PLURAL.fullmatch(token)):
        return folded(token)
    return None


def _compound(token: str) -> Iterator[Unit]:
    """An identifier, a number, a path, an address, or a hyphenated word."""
    if _GROUPED.fullmatch(token):
        yield Unit("exact", token.replace(",", ""))
        return
    segments = [s for s in _STRONG.split(token) if s.strip("_")]
    if token.endswith(("++", "#")):
        yield Unit("exact", folded(token), extra=True)
    elif len(segments) > 1 and _is_code(token):
        yield from _whole(token)
    for segment in segments:
        yield from _segment(segment)


def _segment(segment: str) -> Iterator[Unit]:
    """What stands between strong signs: `max_retry_count`, `on-call`, `v2.3.1`."""
    pieces = [p for p in _WEAK.split(segment) if p]
    if len(pieces) > 1 or (pieces and pieces[0] != segment):
        if len(pieces) > 1 and all(p.isalpha() for p in pieces) and set(_WEAK.findall(segment)) <= {"-"}:
            if not any(DENSE_RUN.search(p) for p in pieces):
                yield Unit("joined", folded("".join(pieces)), extra=True)
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
        yield Unit("exact" if _has_digit(piece) else "joined", folded(piece), extra=True)
        for hump in humps:
            yield from _plain(hump)
        return
    yield from _plain(piece)


def _plain(piece: str) -> Iterator[Unit]:
    """A word without anything inside; the plural of an acronym is found by the acronym, and as it is written."""
    if _PLURAL.fullmatch(piece):
        yield Unit("joined", folded(piece), extra=True)
        piece = piece[:-1]
    yield Unit("exact" if _has_digit(piece) else "word", folded(piece))


def _has_digit(piece: str) -> bool:
    return any(c.isdigit() for c in piece)


def _apostrophe(piece: str) -> Iterator[Unit]:
    parts = [p for p in folded(piece).split("'") if p]
    if len(parts) == 2 and parts[1] in _HUNG:
        # "don't" is on the list of stop words as it stands; "dog's" is a dog.
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
    at = 0
    for run in DENSE_RUN.finditer(piece):
        if run.start() > at:
            yield from _plain(piece[at : run.start()])
        text = folded(run.group())
        if len(text) == 1:
            yield Unit("exact", text)
        for pair in range(len(text) - 1):
            yield Unit("exact", text[pair : pair + 2])
        at = run.end()
    if at < len(piece):
        yield from _plain(piece[at:])


def _whole(token: str) -> Iterator[Unit]:
    """An identifier as it stands, without the signs around it."""
    form = folded(token).strip("-._/@:\\#&~+'")
    if 1 < len(form) <= LONGEST:
        yield Unit("exact", form, extra=True)


def _is_code(token: str) -> bool:
    """Whether a token joined by strong signs is an identifier, a path or an address, and not `and/or`."""
    return any(c.isdigit() or c in "_@\\#:&" for c in token) or len(_STRONG.findall(token)) > 1 or "." in token


def _characters(piece: str) -> list[str]:
    """A word, or the characters of a script without spaces."""
    found: list[str] = []
    at = 0
    for run in DENSE_RUN.finditer(piece):
        found += [piece[at : run.start()]] if run.start() > at else []
        found += list(run.group())
        at = run.end()
    return found + ([piece[at:]] if at < len(piece) else [])
