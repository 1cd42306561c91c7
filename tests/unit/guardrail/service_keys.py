"""Keys as services would issue them, made from the formats by a seeded generator."""

import random
import re
import string

from app.guardrail.checks.randomness import is_random
from app.guardrail.checks.service_formats import CLASSES, Format, FormatPart

_ALPHABETS = {
    name: [sign for sign in string.printable if re.match(f"[{signs}]", sign)] for name, signs in CLASSES.items()
}


def _make_part(part: FormatPart, seeded: random.Random) -> str:
    if part.texts:
        return seeded.choice(part.texts)
    size = part.least if part.most is None else seeded.randint(part.least, part.most)
    letters = seeded.choices(_ALPHABETS[part.name], k=size)
    for at in (0, -1) if letters else ():  # where a word begins, and where a sentence may end
        if not letters[at].isalnum():
            letters[at] = _ALPHABETS[part.name][0]
    return "".join(letters)


def make_key(one: Format, seed: int = 0) -> str:
    """A key of this format: the same one each time."""
    seeded = random.Random(f"{one.service} {seed}")
    for _ in range(200):
        key = "".join(_make_part(part, seeded) for part in one.parts)
        if is_random(key[len(one.begins[0]) :]) or (len(one.begins[0]) >= 4 and len(key) < 24):
            return key
    raise AssertionError(f"{one.service}: no key of this format looks random")
