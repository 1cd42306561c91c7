"""What is known of words beside the model: which are names somewhere, and which are words of the language or company.

It lies in the folder of a model that `clearance guard train-names` made; a model of spaCy has none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.guardrail.names.spelling import COMMON, keys

_GIVEN, _SURNAMES, _ORDINARY, _LEARNT = "given.txt", "surnames.txt", "ordinary.txt", "learnt.txt"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Keys of words."""

    given: frozenset[str] = frozenset()
    surnames: frozenset[str] = frozenset()
    ordinary: frozenset[str] = COMMON

    def __bool__(self) -> bool:
        return bool(self.given)

    def is_name(self, word: str) -> bool:
        """Whether somebody is called so, whatever else it means."""
        return word in self.given or word in self.surnames

    def is_only_name(self, word: str) -> bool:
        """Whether it is the name of somebody and nothing else."""
        return word not in self.ordinary and self.is_name(word)


def words_of(names: Iterable[str]) -> frozenset[str]:
    """The keys of the words of names, but for letters alone."""
    return frozenset(word for name in names for word in keys(name) if len(word.rstrip(".")) > 1)


def write(folder: Path, lexicon: Lexicon) -> None:
    """Put it into the folder of a model."""
    _write(folder / _GIVEN, lexicon.given)
    _write(folder / _SURNAMES, lexicon.surnames)
    _write(folder / _ORDINARY, lexicon.ordinary)


def write_learnt(folder: Path, words: Iterable[str]) -> None:
    """Put the words that a company's documents use into the folder of a model, in place of those of before."""
    _write(folder / _LEARNT, words)


def read(folder: Path) -> Lexicon:
    """That of a folder; without one, only the common words. Raises OSError where some of it cannot be read."""
    if not (folder / _GIVEN).exists():
        return Lexicon()
    learnt = _read(folder / _LEARNT) if (folder / _LEARNT).exists() else frozenset[str]()
    return Lexicon(_read(folder / _GIVEN), _read(folder / _SURNAMES), COMMON | _read(folder / _ORDINARY) | learnt)


def _write(file: Path, words: Iterable[str]) -> None:
    file.write_text("".join(f"{word}\n" for word in sorted(words)), "utf-8")


def _read(file: Path) -> frozenset[str]:
    return frozenset(file.read_text("utf-8").split())
