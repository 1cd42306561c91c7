"""Checksums of numbers, as their issuers define them. All take a string of ASCII digits."""

import re
from collections.abc import Iterator

_OTHERS = re.compile(r"[^0-9]+")
_GROUP = re.compile(r"[0-9]+\)?")

_PERMUTED = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)
_PRODUCT = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)


def digits(text: str) -> str:
    """Only the ASCII digits of a text."""
    return _OTHERS.sub("", text)


def shortened(text: str) -> Iterator[str]:
    """A number in groups, then without its last group, without its last two, and so on."""
    for end in reversed([match.end() for match in _GROUP.finditer(text)]):
        yield text[:end]


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B: payment cards, Canadian and Swedish personal numbers."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mod_97(text: str) -> bool:
    """ISO 7064 MOD 97-10 over digits and upper-case letters: IBAN, first four characters moved to the end already."""
    return int("".join(str(int(character, 36)) for character in text)) % 97 == 1


def mod_11_10(number: str) -> bool:
    """ISO 7064 MOD 11,10: German tax ids."""
    product = 10
    for digit in number[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(number[-1])


def weighted(number: str, weights: tuple[int, ...], modulus: int) -> int:
    """The weighted sum of the digits, modulo `modulus`."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % modulus


def verhoeff(number: str) -> bool:
    """Verhoeff's checksum over the dihedral group D5: Indian Aadhaar numbers."""
    state = 0
    for place, digit in enumerate(reversed(number)):
        state = int(_PRODUCT[state][int(_PERMUTED[place % 8][int(digit)])])
    return state == 0
