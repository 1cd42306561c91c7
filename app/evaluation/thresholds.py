"""Bounds that an evaluation must keep, such as `recall@10=.9`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.evaluation.measures import Mean


class WrongThreshold(ValueError):
    """The bound cannot be understood, or is of a measure that is not measured; the message says what can be."""


@dataclass(frozen=True)
class Threshold:
    """The mean of a measure must not be below `least`."""

    measure: str
    least: float

    def missed(self, means: Mapping[str, Mean]) -> bool:
        return means[self.measure].mean < self.least


def parse_thresholds(written: Iterable[str], measures: Sequence[str]) -> list[Threshold]:
    """Bounds as `MEASURE=NUMBER`; `measures` are those there will be. Case and the kind of blank do not matter."""
    known = {_plain(name): name for name in measures}
    found = []
    for text in written:
        name, _, number = text.rpartition("=")
        if _plain(name) not in known:
            raise WrongThreshold(
                f"{text!r} names no measure of this run: write MEASURE=NUMBER, of {', '.join(measures)}"
            )
        try:
            least = float(number)
        except ValueError:
            raise WrongThreshold(f"{number!r} in {text!r} is no number") from None
        if not 0 <= least <= 1:
            raise WrongThreshold(f"{text!r}: a measure is between 0 and 1")
        found.append(Threshold(known[_plain(name)], least))
    return found


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", " ").replace("_", " ")
