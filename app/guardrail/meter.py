"""What the guardrail did in this process: numbers by kind and stage, never by document, person or text."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from app import log
from app.errors import GuardrailFailed

# Characters: the upper bounds of the histogram.
HELD_BOUNDS = (0, 16, 64, 128, 256, 512, 1024, 2048, 4096)


@dataclass
class HeldBack:
    """How many characters were held back after each piece of a stream: numbers by bound, the last without one."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(HELD_BOUNDS) + 1))
    total: int = 0

    def observe(self, characters: int) -> None:
        self.buckets[bisect_left(HELD_BOUNDS, characters)] += 1
        self.total += characters

    def add(self, other: "HeldBack") -> None:
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]
        self.total += other.total


class GuardrailMeter:
    """Safe to use from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._redactions: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._models_out: Counter[tuple[str, str]] = Counter()
        self._held = HeldBack()
        self._characters = 0
        self._cpu_seconds = 0.0

    def count(self, redactions: Mapping[str, int]) -> None:
        """What was redacted in something that was given out, by kind."""
        with self._lock:
            self._redactions.update(redactions)

    def streamed(self, held: HeldBack, *, characters: int, cpu_seconds: float) -> None:
        """What the filters of one answer took in, held back and cost."""
        with self._lock:
            self._held.add(held)
            self._characters += characters
            self._cpu_seconds += cpu_seconds

    def failed(self, error: GuardrailFailed) -> None:
        """Log and count a failure, once however often it is told."""
        with self._lock:
            if error.reported:
                return
            error.reported = True
            self._failures[error.stage] += 1
        log.get().error("guardrail.failed", stage=error.stage, error=error.cause, where=list(error.where))

    def ruled(self, category: str, action: str) -> None:
        """A question was refused, sent elsewhere or flagged, or could not be checked ("unchecked")."""
        with self._lock:
            self._refusals[category, action] += 1

    def model_out(self, model: str, cause: str) -> None:
        """Log and count that a guard model gave no verdict on a question."""
        with self._lock:
            self._models_out[model, cause] += 1
        log.get().error("guardrail.model_out", model=model, cause=cause)

    def refusals(self) -> dict[tuple[str, str], int]:
        """By category and action."""
        with self._lock:
            return dict(self._refusals)

    def models_out(self) -> dict[tuple[str, str], int]:
        """By model and cause."""
        with self._lock:
            return dict(self._models_out)

    def redactions(self) -> dict[str, int]:
        with self._lock:
            return dict(self._redactions)

    def failures(self) -> dict[str, int]:
        """By stage."""
        with self._lock:
            return dict(self._failures)

    def held(self) -> HeldBack:
        with self._lock:
            return HeldBack(list(self._held.buckets), self._held.total)

    def work(self) -> tuple[int, float]:
        """Characters that the filters took in, and the seconds of CPU that they took."""
        with self._lock:
            return self._characters, self._cpu_seconds
