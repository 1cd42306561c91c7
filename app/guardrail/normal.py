"""Fold typography to plain characters for matching, one character at a time, keeping a map back to the raw text.

Every raw character becomes exactly one folded character or none, whatever stands around it: so any cutting of the
text folds to the same thing, and the map is just the list of places where a character was dropped.
"""

import unicodedata

from app.guardrail.cues import unspaced_characters

# Bold and italic markers cut numbers and words in half ("4111 **1111**"), so matching never sees them.
_DROPPED = {"*", "\u034f", "\u20e3", "\u3164", "\u115f", "\u1160", "\u2800"}
_FOLDED = {
    "\t": " ",
    "\r": " ",
    "\x0b": " ",
    "\x0c": " ",
    "\x85": "\n",
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u201b": "'",
    "\u2032": "'",
    "\u00b4": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u201f": '"',
    "\u2033": '"',
    "\u00ab": '"',
    "\u00bb": '"',
    "\u300c": '"',
    "\u300d": '"',
    "\u300e": '"',
    "\u300f": '"',
    "\u300a": '"',
    "\u300b": '"',
    "\u3010": "[",
    "\u3011": "]",
    "\u2212": "-",
    "\u2043": "-",
    "\u02d7": "-",
    "\u00b7": ".",
    "\u2022": ".",
    "\u2027": ".",
    "\u3002": ".",
    "\uff61": ".",
    "\u2044": "/",
    "\u2215": "/",
    "\u2236": ":",
    "\ua789": ":",
}
_SPACING = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-"}
# Scripts written without spaces: each character ends a word, else a page of Chinese would be one word to hold back.
_UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0xD7FF), (0x20000, 0x3FFFF))
# But for those that say in these scripts that a value follows.
_CUES = frozenset(unspaced_characters())
# Marks that can be laid over a digit without changing what a reader sees: accents, strike-through, keycaps, variants.
_OVERLAYS = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _fold(character: str) -> str | None:
    """The plain form of one character: itself, another character, or None where matching must not see it."""
    code = ord(character)
    if character in _FOLDED:
        return _FOLDED[character]
    category = unicodedata.category(character)
    if character in _DROPPED or category == "Cf" or _within(code, _OVERLAYS):
        return None
    if category == "Cc":
        return "\n" if character == "\n" else None
    return character if code < 128 else _fold_foreign(character, category)


def _fold_foreign(character: str, category: str) -> str:
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in _SPACING:
        return _SPACING[category]
    compatible = unicodedata.normalize("NFKC", character)
    # Superscripts stay: a footnote mark behind a number is not one of its digits.
    if len(compatible) == 1 and compatible.isascii() and not unicodedata.decomposition(character).startswith("<su"):
        return compatible
    return "\n" if _within(ord(character), _UNSPACED) and character not in _CUES else character


class _Folding(dict[int, str | None]):
    """A table for `str.translate`. It keeps no character that it was asked for: time would tell what texts had it."""

    def __missing__(self, code: int) -> str | None:
        return _fold(chr(code))


# Latin, Greek and Cyrillic letters, and punctuation: those that texts are full of.
_FOLDING = _Folding({code: _fold(chr(code)) for span in (range(0x530), range(0x1E00, 0x2300)) for code in span})


_MAX_DROPPED = 32  # in a row; what is beyond leaves the text, or a number could hold back any amount of nothing


def fold(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each dropped character the folded position before which it stood (ascending)."""
    if text.isascii() and text.isprintable() and "*" not in text:
        return text, []
    folded = text.translate(_FOLDING)
    if len(folded) == len(text):
        return folded, []
    drops = []
    kept = 0
    for character in text:
        if _FOLDING[ord(character)] is None:
            drops.append(kept)
        else:
            kept += 1
    return folded, drops


class Normaliser:
    """Folds a stream. Of dropped characters in a row, those beyond a bound leave the raw text too."""

    def __init__(self) -> None:
        self._dropped = 0  # in a row, up to here

    def feed(self, token: str) -> tuple[str, str, list[int]]:
        """The raw text that stays, the folded text and its drops as `fold` gives them."""
        folded, drops = fold(token)
        if not drops:
            self._dropped = 0 if token else self._dropped
            return token, folded, drops
        raw: list[str] = []
        kept_drops: list[int] = []
        at = 0
        for character in token:
            if _FOLDING[ord(character)] is not None:
                self._dropped = 0
                at += 1
            else:
                self._dropped += 1
                if self._dropped > _MAX_DROPPED:
                    continue
                kept_drops.append(at)
            raw.append(character)
        return "".join(raw), folded, kept_drops
