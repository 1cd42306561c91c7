"""What the stream guardrail costs: time for 100 tokens and characters held back, by kind of text.

Run: python -m benchmarks.streaming.gate [--repeats N]. One process, one core. Token = 4 characters.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from app.guardrail.checks import default_checks
from app.guardrail.citations import CitationFilter
from app.guardrail.gate import Gate
from benchmarks.tables import show

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
    "cue words": "password key token is: ",
}


class Guardrail:
    """Citations, then the gate: what an answer goes through."""

    def __init__(self) -> None:
        self._citations = CitationFilter(8)
        self._gate = Gate(default_checks())

    @property
    def held(self) -> int:
        return self._citations.held + self._gate.held

    def feed(self, token: str) -> str:
        return self._gate.feed(self._citations.feed(token))

    def flush(self) -> str:
        return self._gate.feed(self._citations.flush()) + self._gate.flush()


def timed(start: Callable[[], Gate | Guardrail], tokens: list[str], repeats: int) -> list[float]:
    """CPU milliseconds of 100 tokens of a whole stream, a token at a time."""
    each = []
    for _ in range(repeats):
        transform = start()
        began = time.process_time()
        for token in tokens:
            transform.feed(token)
        transform.flush()
        each.append((time.process_time() - began) * 1_000 / len(tokens) * 100)
    return each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="streams of each text")
    repeats = parser.parse_args().repeats
    rows = []
    for name, unit in TEXTS.items():
        text = (unit * (SIZE // len(unit) + 1))[:SIZE]
        tokens = [text[at : at + TOKEN] for at in range(0, SIZE, TOKEN)]
        gate = timed(lambda: Gate(default_checks()), tokens, repeats)
        both = statistics.median(timed(Guardrail, tokens, repeats))
        guardrail, held = Guardrail(), []
        for token in tokens:
            guardrail.feed(token)
            held.append(guardrail.held)
        cells = (f"{statistics.median(gate):.2f}", f"{min(gate):.2f}–{max(gate):.2f}", f"{both:.2f}")
        quantiles = (f"{characters:.0f}" for characters in np.quantile(held, (0.5, 0.95, 1)))
        rows.append((name, *cells, *quantiles))
    title = f"CPU ms per 100 tokens of {TOKEN} characters; {SIZE:,} characters a stream, {repeats} repeats"
    show(title, ("text", "gate", "span", "citations + gate", "held p50", "p95", "max"), rows)


if __name__ == "__main__":
    main()
