"""How soon is `clearance run` ready, and what memory does it take? `python -m benchmarks.service.start [--starts 5]`.

Starts it in a new home, which loads the sample company, ends it, and starts it again from the same home, again and
again. Seconds from the start of the process to its welcome, and those of each step as it prints them. Then, after some
idle seconds, the memory of each process as its proportional set size (PSS), where a page that several share counts once
among them all. Run it as root: each process hides its memory from others of its user.
"""

import argparse
import re
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

from benchmarks.machine import load
from benchmarks.service.running import Running, part_of, running
from benchmarks.stats import quantile
from benchmarks.tables import show

STEP = re.compile(r"^✓ (\S+(?: \S+)*) +([0-9.]+) s$", re.MULTILINE)
TOTAL = "until the welcome"


def seconds_of(run: Running) -> dict[str, float]:
    """Seconds of each step, and of the whole start."""
    return {name: float(seconds) for name, seconds in STEP.findall(run.said)} | {TOTAL: run.seconds}


def memory_of(run: Running) -> dict[str, tuple[int, float]]:
    """For each part of the run how many processes it has, and their proportional set size in MB."""
    found: dict[str, list[float]] = defaultdict(list)
    main = psutil.Process(run.process.pid)
    for process in (main, *main.children(recursive=True)):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        [pss] = [int(line.split()[1]) for line in lines if line.startswith("Pss:")]
        found[part_of(process)].append(pss / 1000)
    return {part: (len(each), sum(each)) for part, each in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5, help="starts from a home that is there")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds before memory is measured")
    options = parser.parse_args()
    starts: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        for number in range(options.starts + 1):
            with running(home) as run:
                starts.append(seconds_of(run))
                if number in (0, options.starts):
                    time.sleep(options.idle)
                    report_memory(f"start {number + 1}, idle for {options.idle:.0f} s", memory_of(run))
    report_seconds(starts)


def report_seconds(starts: list[dict[str, float]]) -> None:
    """A line for each step: the first start, and the middle and the ends of those that follow."""
    first, again = starts[0], starts[1:]
    rows = []
    for step in first:
        later = sorted(start[step] for start in again if step in start)
        middle = (f"{quantile(later, 0.5).value:.1f}", f"{later[0]:.1f}–{later[-1]:.1f}") if later else ("", "")
        rows.append((step, f"{first[step]:.1f}", *middle))
    show(f"seconds of a start; {load()}", ("step", "first", f"median of {len(again)} more", "least and most"), rows)


def report_memory(title: str, memory: dict[str, tuple[int, float]]) -> None:
    """A line for each part, and their sum."""
    rows = [(part, str(count), f"{size:.0f}") for part, (count, size) in memory.items()]
    total = (sum(count for count, _ in memory.values()), sum(size for _, size in memory.values()))
    show(title, ("part", "processes", "PSS, MB"), [*rows, ("all", str(total[0]), f"{total[1]:.0f}")])


if __name__ == "__main__":
    main()
