"""What the machine did meanwhile: its load, and processor time beside the clock."""

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def load() -> str:
    """The CPUs and the load average of the last minute: tails mean little where the second exceeds the first."""
    return f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"


class Stopwatch:
    """Milliseconds of a call by the clock (`ms`) and of processor time (`cpu`): this process and PostgreSQL backends.

    Processor time leaves out the waiting for a CPU that others use. Linux alone counts it finely enough.
    """

    def __init__(self, backends: Sequence[int] = ()) -> None:
        self._files = [Path(f"/proc/{pid}/schedstat") for pid in backends]
        self.ms = self.cpu = 0.0

    def time(self, call: Callable[[], T]) -> T:
        """Run it; `ms` and `cpu` are those of the last call."""
        before, here, began = self._elsewhere(), time.process_time_ns(), time.perf_counter_ns()
        answer = call()
        ended, used = time.perf_counter_ns(), time.process_time_ns()
        self.ms = (ended - began) / 1e6
        self.cpu = (used - here) / 1e6 + self._elsewhere() - before
        return answer

    def _elsewhere(self) -> float:
        return sum(int(file.read_text().split()[0]) for file in self._files) / 1e6


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection inside a timed call."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
