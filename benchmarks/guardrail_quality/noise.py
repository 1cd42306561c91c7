"""A made text full of numbers and codes that are nobody's: hashes, versions, part numbers, logs, tables.

`noise.txt` has a line of each kind. `{d7}` in it stands for seven digits, `h` for hexadecimal ones, `u` for capitals,
`{n900}` for a number up to 900, `{t:…}` for a time in that format. A seed fixes what stands there.
"""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

_WORDS = ("valve", "bracket", "housing", "filter", "relay", "sensor", "pump", "gasket", "coupling", "bearing")
_CHARACTERS = {"d": "0123456789", "h": "0123456789abcdef", "u": "ABCDEFGHJKLMNPRSTUVWXYZ"}
_BLANK = re.compile(r"\{(?:(?P<kind>[dhun])(?P<size>\d+)|t:(?P<format>[^}]+)|(?P<name>\w+))\}")
_SECONDS = 150_000_000  # nearly five years from 2021 on


def noise(words: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Lines of every kind in turn, each with its kind, until there are so many words."""
    chance, count = random.Random(seed), 0
    lines = (Path(__file__).parent / "noise.txt").read_text("utf-8").splitlines()
    while count < words:
        for line in lines:
            kind, template = line.split("\t")
            text = _BLANK.sub(lambda blank: _filled(blank, chance), template.replace(r"\n", "\n"))
            count += len(text.split())
            yield kind, text


def _filled(blank: re.Match[str], chance: random.Random) -> str:
    if blank["kind"] == "n":
        return str(chance.randint(0, int(blank["size"])))
    if blank["kind"]:
        return "".join(chance.choices(_CHARACTERS[blank["kind"]], k=int(blank["size"])))
    if blank["format"]:
        return (datetime(2021, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(_SECONDS))).strftime(
            blank["format"]
        )
    return _isbn(chance) if blank["name"] == "isbn" else chance.choice(_WORDS)


def _isbn(chance: random.Random) -> str:
    digits = "978" + "".join(chance.choices(_CHARACTERS["d"], k=9))
    check = -sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(digits)) % 10
    return f"{digits[:3]}-{digits[3]}-{digits[4:8]}-{digits[8:]}-{check}"
