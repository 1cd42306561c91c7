"""Sixteen invisible and typographic disguises: a value looks the same, or nearly, and its characters are others.

Each takes a value and returns it disguised. Models write some of these unasked, and anyone can ask for the others.
"""

from collections.abc import Callable

Disguise = Callable[[str], str]


def _between(character: str) -> Disguise:
    return character.join


def _after_each(character: str) -> Disguise:
    return lambda value: "".join(each + character for each in value)


def _instead(old: str, new: str) -> Disguise:
    return lambda value: "".join(new if each in old else each for each in value)


def _digits_from(zero: int) -> Disguise:
    return lambda value: "".join(chr(zero + int(each)) if each.isdecimal() else each for each in value)


def _full_width(value: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in value)


def _half_bold(value: str) -> str:
    middle = len(value) // 2
    return f"**{value[:middle]}**{value[middle:]}"


def _keycaps(value: str) -> str:
    return "".join(f"{each}\ufe0f\u20e3" if each.isdecimal() else each for each in value)


def _tags(value: str) -> str:
    return "".join(each + chr(0xE0000 + ord("a") + number % 26) for number, each in enumerate(value))


def _bidirectional(value: str) -> str:
    """Each character in an isolate of its own, left to right, which changes nothing on the page."""
    return "".join(f"\u2066{each}\u2069" for each in value)


DISGUISES: dict[str, Disguise] = {
    "zero-width spaces": _between("\u200b"),
    "soft hyphens": _between("\u00ad"),
    "no-break hyphens": _instead("-", "\u2011"),
    "no-break hyphens for blanks": _instead(" -", "\u2011"),
    "narrow no-break spaces": _instead(" ", "\u202f"),
    "figure dashes": _instead(" -", "\u2012"),
    "full width": _full_width,
    "mathematical bold digits": _digits_from(0x1D7CE),
    "Arabic-Indic digits": _digits_from(0x0660),
    "half bold": _half_bold,
    "combining overlays": _after_each("\u0336"),
    "tag characters": _tags,
    "variation selectors": _after_each("\ufe0f"),
    "bidirectional isolates": _bidirectional,
    "word joiners": _between("\u2060"),
    "keycaps": _keycaps,
}
