"""A passage as a model reads it in spite of disguise, each character with its place in the passage.

Lower case, compatible forms folded, invisible characters and markers of Markdown gone; letters of another script in a
Latin word, and digits that stand for letters, are the letters that they look like; letters set apart stand together.
"""

import re
import unicodedata
from dataclasses import dataclass

from app.lookalikes import RESEMBLING

_DIGIT_LETTERS = str.maketrans("01345790@$!", "oieastgoasi")
_MARKERS = "*`"
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_LATIN = re.compile(r"[a-z]")
_NOT_LATIN = re.compile(r"[\u0370-\u058f]")
# A digit or a sign among letters, with letters behind it: "prev10us" is one, "base64" is none.
_DISGUISED = re.compile(
    r"(?<![\w@$!])(?=[a-z@$!]{0,20}[0-9@$!]{1,20}[a-z])(?=[0-9@$!]{0,20}[a-z]+[0-9@$!a-z]{0,20}[a-z])"
    r"[a-z0-9@$!]{4,40}(?![\w@$!]|\.[a-z])"
)
_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .\-_]{1,3}){5,}[^\W\d_](?![^\W_])")
# A line break within a sentence, and a tab.
_SOFT_BREAK = re.compile(r"(?<=[^\n.!?:;])\n(?=[a-zß-öø-ÿа-яё])|\t")
_MORE_BLANKS = re.compile(r"(?<=[ \n]) +")
_GAPS = re.compile(r"(?<=[^\W\d_])[ .\-_](?=[^\W\d_](?:[ .\-_]|\Z))")


@dataclass(frozen=True)
class PlainText:
    """The folded `text`; `places[n]` is where its character n stands in the raw text, and one more for the end."""

    text: str
    places: list[int] | range

    def without(self, spans: list[tuple[int, int]]) -> "PlainText":
        """The same without these stretches."""
        if not spans:
            return self
        kept = [
            (a, b) for a, b in zip([0, *(e for _, e in spans)], [*(s for s, _ in spans), len(self.text)], strict=True)
        ]
        places = [place for a, b in kept for place in self.places[a:b]]
        return PlainText("".join(self.text[a:b] for a, b in kept), [*places, self.places[-1]])


def plain(raw: str) -> PlainText:
    """The passage folded; a line break before a small letter is a blank."""
    raw = _SOFT_BREAK.sub(" ", raw)
    if raw.isascii():
        folded = PlainText(raw.lower(), range(len(raw) + 1))
    else:
        pieces: list[str] = []
        places: list[int] = []
        for place, character in enumerate(raw):
            piece = character if character.isascii() else _plain_character(character)
            pieces.append(piece)
            places.extend([place] * len(piece))
        folded = PlainText("".join(pieces).lower(), [*places, len(raw)])
        if len(folded.text) != len(places):  # a letter whose small form is two characters
            folded = PlainText("".join(p if len(p.lower()) != len(p) else p.lower() for p in pieces), folded.places)
        folded = PlainText(_same_script(folded.text), folded.places)
    folded = folded.without([match.span() for match in re.finditer(rf"[{_MARKERS}]+", folded.text)])
    folded = PlainText(_DISGUISED.sub(lambda match: match[0].translate(_DIGIT_LETTERS), folded.text), folded.places)
    apart = [gap for match in _APART.finditer(folded.text) for gap in _gaps(folded.text, *match.span())]
    folded = folded.without(apart)
    return folded.without([match.span() for match in _MORE_BLANKS.finditer(folded.text)])


def _gaps(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The gaps between letters set apart, and not those between their words, which are wider if there are any."""
    return [(m.start() + start, m.end() + start) for m in _GAPS.finditer(text[start:end])]


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if (
        category in ("Cf", "Co", "Cn")
        or character in "\u034f\u115f\u1160\u3164\uffa0"
        or "\ufe00" <= character <= "\ufe0f"
    ):
        return ""
    if category == "Zs":
        return " "
    return _TYPOGRAPHY.get(character) or unicodedata.normalize("NFKC", character)


_TYPOGRAPHY = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"',
               "\u00bb": '"', "\u2010": "-", "\u2011": "-", "\u3002": ".", "\uff0c": ",", "\u3001": ","}  # fmt: skip


def _same_script(text: str) -> str:
    """The text with words of two scripts in one."""
    if not _NOT_LATIN.search(text):
        return text
    return _WORD.sub(lambda match: match[0].translate(RESEMBLING) if _mixed(match[0]) else match[0], text)


def _mixed(word: str) -> bool:
    return bool(_LATIN.search(word) and _NOT_LATIN.search(word))
