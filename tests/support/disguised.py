"""Values as a text can hide them from a filter and still show them to a reader: each way takes a value and returns it.

`PAINTED` changes its characters, `LAID_OUT` puts markup and line breaks into it, `ENCODED` says it in another notation.
"""

import base64
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

Way = Callable[[str], str]
_CUTS = re.compile(r"[ \-.@]")


def _each(template: str) -> Way:
    return lambda value: "".join(template.format(c, ord(c)) for c in value)


def _digits(zero: int) -> Way:
    return lambda value: "".join(chr(zero + int(c)) if c in "0123456789" else c for c in value)


def _swapped(old: str, new: str) -> Way:
    return lambda value: re.sub(f"[{re.escape(old)}]", new, value)


def _split(value: str) -> tuple[str, str]:
    """The two halves, cut at the sign that is nearest to the middle; a blank there goes to neither."""
    cuts = [found.start() for found in _CUTS.finditer(value, 1)]
    at = min(cuts, key=lambda cut: abs(2 * cut - len(value)), default=len(value) // 2)
    at = at if 4 * abs(2 * at - len(value)) < 2 * len(value) else len(value) // 2
    return value[:at], value[at:]


def _marked(before: str, after: str) -> Way:
    def way(value: str) -> str:
        left, right = _split(value)
        return f"{before}{left}{after}{right}"

    return way


def _cut(between: str) -> Way:
    def way(value: str) -> str:
        left, right = _split(value)
        return f"{left}{between}{right.lstrip(' ')}"

    return way


PAINTED: Mapping[str, Way] = {
    "zero-width spaces": "\u200b".join,
    "zero-width joiners": "\u200d".join,
    "word joiners": "\u2060".join,
    "soft hyphens": "\u00ad".join,
    "Hangul fillers": "\u3164".join,
    "forty zero-width spaces": ("\u200b" * 40).join,
    "direction isolates": _each("\u2066{0}\u2069"),
    "tag characters": _each("{0}\U000e0041"),
    "variation selectors": _each("{0}\ufe0f"),
    "struck through": _each("{0}\u0336"),
    "keycaps": lambda value: re.sub(r"(\d)", "\\1\ufe0f\u20e3", value),
    "no-break blanks and hyphens": lambda value: value.replace("-", "\u2011").replace(" ", "\u202f"),
    "dashes": _swapped("-", "\u2012"),
    "full width": lambda value: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
    "mathematical digits": _digits(0x1D7D8),
    "Devanagari digits": _digits(0x0966),
    "half bold": _marked("**", "**"),
}
LAID_OUT: Mapping[str, Way] = {
    "escaped signs": lambda value: re.sub(r"([^\w\s]|_)", r"\\\1", value),
    "half in underscores": _marked("_", "_"),
    "half struck through": _marked("~~", "~~"),
    "half as code": _marked("`", "`"),
    "half in <strong>": _marked("<strong>", "</strong>"),
    "half in a styled element": _marked('<font color="red">', "</font>"),
    "<br/>": _cut("<br/>"),
    "<wbr>": _marked("", "<wbr>"),
    "a comment": _marked("", "<!-- continued -->"),
    "decimal entities": _each("&#{1};"),
    "hexadecimal entities": _each("&#x{1:X};"),
    "doubled blanks": _swapped(" ", "  "),
    "a line break": _cut("\n"),
    "a line break in a quote": _cut("\n> "),
    "two cells": _cut(" | "),
    "two items": _cut("\n- "),
    "a citation": _cut(" [2] "),
}
_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_EINS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
_RADIO = [
    "alfa",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliett",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
    "romeo",
    "sierra",
    "tango",
    "uniform",
    "victor",
    "whiskey",
    "x-ray",
    "yankee",
    "zulu",
]
_SIGNS = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus", "!": "exclamation"}
_ALIKE = str.maketrans("aceopxKMT", "\u0430\u0441\u0435\u043e\u0440\u0445\u041a\u041c\u0422")


def _said(digits: list[str], letters: list[str] | None = None) -> Way:
    def word(c: str) -> str:
        if c.isdigit():
            return f" {digits[int(c)]} "
        if letters and c.isalpha():
            return f" {letters[ord(c.lower()) - ord('a')]} "
        return f" {_SIGNS[c]} " if c in _SIGNS else c

    return lambda value: " ".join("".join(map(word, value)).split())


ENCODED: Mapping[str, Way] = {
    "percent": _each("%{1:02X}"),
    "percent where it must be": lambda value: quote(value, safe=""),
    "in a query": lambda value: f"https://x.example/look?for={quote(value, safe='')}",
    "quoted-printable": _each("={1:02X}"),
    "\\u": _each("\\u{1:04x}"),
    "\\x": _each("\\x{1:02x}"),
    "Base64": lambda value: base64.b64encode(value.encode()).decode(),
    "Base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "hexadecimal": lambda value: value.encode().hex(),
    "hexadecimal in pairs": lambda value: value.encode().hex(" "),
    "blanks between": lambda value: " ".join(value.replace(" ", "")),
    "hyphens between": lambda value: "-".join(value.replace(" ", "")),
    "look-alike letters": lambda value: value.translate(_ALIKE),
    "look-alike digits": lambda value: value.translate(str.maketrans("013", "\u041e\u0406\u0417")),
    "said in English": _said(_ONES),
    "said in German": _said(_EINS),
    "said by radio": _said(_ONES, _RADIO),
}
