"""Seventeen encodings that a reader, or one line of code, turns back into the value.

Each takes a value and returns it encoded. What needs more than that (reversed text, other digits for letters, ciphers)
is not here: nobody could tell it from other text.
"""

import base64
from urllib.parse import quote

from benchmarks.guardrail_quality.disguises import Disguise

_ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
_SPELLING = """
    alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november
    oscar papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu
"""
_NATO = _SPELLING.split()
_SIGNS = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus", "!": "exclamation"}
_GERMAN_SIGNS = {"@": "at", ".": "Punkt", "-": "Strich", "_": "Unterstrich", "+": "plus", "!": "Ausrufezeichen"}
_LOOK_ALIKES = str.maketrans("acekopxyABCEHIKMOPTX", "асекорхуΑΒСЕΗІΚМОРТХ") | {
    ord("0"): "О",
    ord("1"): "І",
    ord("3"): "З",
}


def _characters(template: str) -> Disguise:
    return lambda value: "".join(template.format(ord(character)) for character in value)


def _separated(separator: str) -> Disguise:
    return lambda value: separator.join(value.replace(" ", ""))


def _spoken(digits: list[str], signs: dict[str, str], letters: list[str] | None = None) -> Disguise:
    """Digits and signs as words, and letters too if there are words for them; runs of other letters stay."""

    def word(character: str) -> str:
        if character.isdigit():
            return f" {digits[int(character)]} "
        if letters and character.isascii() and character.isalpha():
            return f" {letters[ord(character.lower()) - ord('a')]} "
        return f" {signs[character]} " if character in signs else character

    return lambda value: " ".join("".join(map(word, value)).split())


ENCODINGS: dict[str, Disguise] = {
    "percent, all": _characters("%{:02X}"),
    "percent, special characters": lambda value: "".join(
        character if character.isalnum() else f"%{ord(character):02X}" for character in value
    ),
    "in the query of a URL": lambda value: f"https://x.example/find?q={quote(value, safe='')}",
    r"\u escapes": _characters("\\u{:04x}"),
    r"\x escapes": _characters("\\x{:02x}"),
    "quoted-printable": _characters("={:02X}"),
    "Base64": lambda value: base64.b64encode(value.encode()).decode(),
    "Base64 for URLs, no padding": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "hex": lambda value: value.encode().hex(),
    "hex with blanks": lambda value: value.encode().hex(" "),
    "blanks between characters": _separated(" "),
    "dashes between characters": _separated("-"),
    "dots between characters": _separated("."),
    "look-alike letters": lambda value: value.translate(_LOOK_ALIKES),
    "digits in English words": _spoken(_ENGLISH, _SIGNS),
    "digits in German words": _spoken(_GERMAN, _GERMAN_SIGNS),
    "spelling alphabet": _spoken(_ENGLISH, _SIGNS, _NATO),
}
