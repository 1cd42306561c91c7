"""Ways to say a password, a code and a token, and sentences about them that give nothing away.

The tables in `sentences/` were written by hand without a look at the rules, and stand for people who never look either:
a change of the rules is no reason to change them. Values stand between ⟪ and ⟫; `{a32}` in one stands for 32 random
characters, so that the repository holds nothing that looks like a key. Whether a value is hidden, `readback` says.
"""

import re
import string
from collections.abc import Iterator
from pathlib import Path

from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.masks import Masker, left
from benchmarks.guardrail_quality.readback import readable
from benchmarks.guardrail_quality.values import random_text

_TABLES = Path(__file__).parent / "sentences"
_VALUE = re.compile("⟪(.*?)⟫")
_RANDOM = re.compile(r"\{([abdhu])(\d+)\}")
_CHARACTERS = {
    "a": string.ascii_letters + string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "d": string.digits,
    "h": "0123456789abcdef",
    "u": string.ascii_uppercase + "234567",
}


def said(masks: Masker) -> Row:
    figures, misses = [], []
    for name, what in (("passwords", "passwords"), ("codes", "codes, PINs, answers"), ("tokens", "tokens, keys")):
        cases = list(_cases(name))
        missed = [case for case in cases if _readable(masks, *case)]
        figures.append(
            Figure(f"ways to say {what}: hidden", 1 - len(missed) / len(cases), 0.9, note=f"of {len(cases)}")
        )
        misses += [_miss(what, text, _readable(masks, text, values)) for text, values in missed]
    harmless = [text for text, _ in _cases("harmless")]
    alarms = [
        Case("harmless", text, mask.start, mask.end, mask.end - mask.start) for text in harmless for mask in masks(text)
    ]
    masked = len({alarm.text for alarm in alarms})
    figures.append(Figure("harmless sentences about them: masked", masked, 0, at_most=True, of=len(harmless)))
    return Row(figures, misses, alarms)


def _cases(name: str) -> Iterator[tuple[str, list[str]]]:
    """The texts of a table, with the values in each."""
    for number, entry in enumerate((_TABLES / f"{name}.txt").read_text("utf-8").rstrip("\n").split("\n--\n")):
        filled = _filled(entry, f"{name} {number}")
        yield _VALUE.sub(r"\1", filled), _VALUE.findall(filled)


def _filled(entry: str, seed: str) -> str:
    return _RANDOM.sub(
        lambda found: random_text(f"{seed} {found.start()}", int(found[2]), _CHARACTERS[found[1]]), entry
    )


def _readable(masks: Masker, text: str, values: list[str]) -> list[str]:
    """Which of the values can be read back."""
    rest = left(text, masks(text))
    return [value for value in values if readable(value, value, rest)]


def _miss(what: str, text: str, values: list[str]) -> Case:
    at = text.index(values[0])
    return Case(what, text, at, at + len(values[0]), sum(map(len, values)))
