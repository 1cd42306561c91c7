"""What the stream guardrail costs: time for 100 tokens and characters held back, by kind of text.

Run: python -m benchmarks.guardrail_stream [--repeats N]. One process, one core. Token = 4 characters.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.table import Table

from app.guardrail.checks import default_checks
from app.guardrail.citations import CitationFilter
from app.guardrail.gate import Gate

TOKEN = 4
SIZE = 40_000

_PROSE = (
    "Everyone may take up to twenty-five days of leave a year [1]. Ask your manager two weeks before, and enter the "
    "days in the calendar of your team [2]. If you are ill, tell us on the first day; from the fourth day on we need a "
    "note from your doctor. Travel above 500 euros needs the approval of your head of department. Receipts are handed "
    "in by the 10th of the next month, for example as a photo (see section 4.2).\n\n"
)
_DENSE = (
    "Alice Martin, alice.martin@example.com, +44 20 7946 0958, card 4111 1111 1111 1111, IBAN "
    "DE89 3704 0044 0532 0130 00; Bob: bob@example.org, (415) 555-0132, SSN 536-22-8731, from 10.20.30.41. "
    "The password is hunter2! and the key is "
    "ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2 for postgres://app:hunter2@db:5432/main.\n"
)
TEXTS = {
    "prose": _PROSE,
    "dense personal data": _DENSE,
    "prose and bold": _PROSE.replace("leave", "**leave**").replace("days", "da\u00adys").replace("-", "\u2011"),
    "digits without end": "0123456789" * 4_000,
    "single digits": "1 2 3 4 ",
    "a@ without end": "a@" * 20_000,
    "one word without end": "abcdefghij" * 4_000,
    "dots and hyphens": "a.b-c_d/",
    "cue words": "password key token is: ",
    "open brackets": "[[[[1, ((((+",
    "quotes": "\"'`x",
    "colons": "ab:cd::12",
    "key prefixes": "sk-ghp_AKIAeyJ-----BEGIN ",
}


class Transform(Protocol):
    """A stream transform."""

    def feed(self, token: str) -> str:
        """Take a piece; return what can be released."""

    def flush(self) -> str:
        """The end; return the rest."""


class NoGate:
    """Passes everything on: what a stream costs anyway."""

    def feed(self, token: str) -> str:
        """The piece itself."""
        return token

    def flush(self) -> str:
        """Nothing."""
        return ""


class Guardrail:
    """Citations, then the gate: what an answer goes through."""

    def __init__(self) -> None:
        self._citations = CitationFilter(8)
        self._gate = Gate(default_checks())

    @property
    def held(self) -> int:
        """Characters held back by both."""
        return self._citations.held + self._gate.held

    def feed(self, token: str) -> str:
        """Both, one after the other."""
        return self._gate.feed(self._citations.feed(token))

    def flush(self) -> str:
        """Both, one after the other."""
        return self._gate.feed(self._citations.flush()) + self._gate.flush()


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds for 100 tokens: median of the repeats, and the span from lowest to highest."""

    median: float
    low: float
    high: float


def _tokens(text: str) -> list[str]:
    return [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]


def timed(make: Callable[[], Transform], tokens: list[str], repeats: int) -> Timing:
    """CPU time of a whole stream, a token at a time."""
    each = []
    for _ in range(repeats):
        transform = make()
        started = time.process_time()
        for token in tokens:
            transform.feed(token)
        transform.flush()
        each.append((time.process_time() - started) * 1_000 / len(tokens) * 100)
    return Timing(statistics.median(each), min(each), max(each))


def held_back(tokens: list[str]) -> tuple[int, int, int]:
    """Characters held after each token: p50, p95 and the most."""
    guardrail = Guardrail()
    held = []
    for token in tokens:
        guardrail.feed(token)
        held.append(guardrail.held)
    held.sort()
    return held[len(held) // 2], held[len(held) * 95 // 100], held[-1]


def main(repeats: Annotated[int, typer.Option(min=1, help="streams of each text")] = 7) -> None:
    """Print one table."""
    table = Table(title=f"CPU ms per 100 tokens of {TOKEN} characters; {SIZE:,} characters a stream, {repeats} repeats")
    for column in ("text", "gate", "span", "citations + gate", "× no gate", "held p50", "p95", "max"):
        table.add_column(column, justify="left" if column == "text" else "right")
    for name, unit in TEXTS.items():
        tokens = _tokens((unit * (SIZE // len(unit) + 1))[:SIZE])
        nothing = timed(NoGate, tokens, repeats)
        gate = timed(lambda: Gate(default_checks()), tokens, repeats)
        both = timed(Guardrail, tokens, repeats)
        p50, p95, most = held_back(tokens)
        table.add_row(
            name,
            f"{gate.median:.2f}",
            f"{gate.low:.2f}–{gate.high:.2f}",
            f"{both.median:.2f}",
            f"{both.median / nothing.median:.0f}",
            str(p50),
            str(p95),
            str(most),
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
