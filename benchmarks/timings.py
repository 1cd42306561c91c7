"""Medians and tails of what was measured, and how busy the machine was meanwhile."""

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]


def p50_p95(values: Sequence[float]) -> str:
    """`p50 / p95` with two digits."""
    return f"{statistics.median(values):.2f} / {quantile(values, 0.95):.2f}"


def load() -> str:
    """The CPUs and the load average of the last minute: tails mean little where the second exceeds the first."""
    return f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"


class Processor:
    """The processor time of this thread and of one PostgreSQL backend on this machine.

    Unlike the clock it leaves out the waiting for a CPU that others use; Linux alone counts it so finely.
    """

    def __init__(self, backend: int) -> None:
        self._backend = Path(f"/proc/{backend}/schedstat")

    def milliseconds(self) -> float:
        """Used so far; a difference of two readings is what lies between them."""
        return 1000 * time.thread_time() + int(self._backend.read_text().split()[0]) / 1e6
