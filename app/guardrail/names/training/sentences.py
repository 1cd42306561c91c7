"""Makes texts with names in them whose places are known, and texts without any. The same for the same seed. Pure."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from app.guardrail.names.training.made_names import MadeNames, NameMaterial

_SLOT = re.compile(r"\{(\w+)\}")
_NAMES = {"person", "given", "surname", "last_first"}
_ORDINARY = ("noun", "adjective", "role", "past", "nation")


@dataclass(frozen=True, slots=True)
class MadeText:
    """A text, and where the names in it stand."""

    text: str
    names: tuple[tuple[int, int], ...]


class TrainingTexts:
    """Texts from the templates of `sentences.yaml`."""

    def __init__(self, material: NameMaterial, seed: int) -> None:
        told = _templates()
        self.texts: dict[str, list[str]] = told["texts"]
        self._shares: dict[str, int] = told["share"]
        self._slots: dict[str, list[str]] = told["slots"]
        self._random = random.Random(seed)  # noqa: S311  # texts, no secrets
        self._makers = MadeNames(material, told["forms"], self._slots["city"], self._random).makers()

    def __iter__(self) -> Iterator[MadeText]:
        kinds, shares = list(self._shares), list(self._shares.values())
        while True:
            kind = self._random.choices(kinds, shares)[0]
            yield self.filled(self._random.choice(self.texts[kind]))

    def filled(self, template: str) -> MadeText:
        """A text of this template."""
        parts: list[str] = []
        names: list[tuple[int, int]] = []
        self._fill(template, parts, names)
        return MadeText("".join(parts), tuple(names))

    def _fill(self, template: str, parts: list[str], names: list[tuple[int, int]]) -> None:
        """Append what the template says to the parts; they keep their lengths, which the places count on."""
        for number, part in enumerate(_SLOT.split(template)):
            if number % 2 == 0:
                parts.append(part.replace("{{", "{").replace("}}", "}"))
                continue
            begin, slot = len(parts), part.lower()
            if slot in self._makers:
                at, made = sum(map(len, parts)), self._makers[slot]()
                if slot in _NAMES:
                    names.append((at, at + len(made)))
                parts.append(made)
            else:
                self._fill(str(self._random.choice(self._slots[slot])), parts, names)
            _write_large(parts, begin, whole=part.isupper(), first=part[0].isupper())


def _write_large(parts: list[str], begin: int, *, whole: bool, first: bool) -> None:
    """All of the parts from `begin` on in capitals, or their first letter; letters that become two stay small."""
    at = next((n for n in range(begin, len(parts)) if parts[n]), None)
    if at is None:
        return
    if whole:
        parts[begin:] = ["".join(map(_large, part)) for part in parts[begin:]]
    elif first:
        parts[at] = _large(parts[at][0]) + parts[at][1:]


def _large(letter: str) -> str:
    return letter.upper() if len(letter.upper()) == 1 else letter


def vocabulary() -> list[str]:
    """Words and phrases that the templates use as what they are in the language, and not as names."""
    slots = _templates()["slots"]
    return [str(each) for slot in _ORDINARY for each in slots[slot]]


def _templates() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("sentences.yaml").read_text("utf-8"))
    return told
