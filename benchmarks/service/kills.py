"""How long after a part dies is the next question answered? `python -m benchmarks.service.kills [--rounds 20]`.

Runs `clearance run` with its sample company, asks without a pause in two threads, and kills one part after the other
with SIGKILL, each again only when it has run for a minute, as one that works. Seconds from the kill to the end of the
first good answer that was asked after it; beside it the requests that failed meanwhile. At the end the log is verified:
every answer that was given is in it, opened and closed.
"""

import argparse
import contextlib
import functools
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from rich.progress import track

from app.evidence.verify import verify
from benchmarks.machine import load
from benchmarks.service.running import find_part, running
from benchmarks.stats import quantile
from benchmarks.tables import show

# A part, and what it runs as.
PARTS = {"api": "app", "model": "app.local.model_server", "postgres": "postgres", "worker": "ingest",
         "sequencer": "app.sequencer_process"}  # fmt: skip
QUESTION = {"question": "What is the budget for the Rotterdam project?", "mode": "quote"}
ASKING, PATIENCE, STABLE = 2, 60.0, 62.0  # threads; seconds


@dataclass
class Asked:
    """What two threads asked: when each question began and ended, and whether it was answered."""

    done: list[tuple[float, float, bool]] = field(default_factory=list)
    trails: set[str] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)

    def ask(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as client:
            while not self.stopping.is_set():
                begun, trail = time.monotonic(), ""
                with contextlib.suppress(httpx2.HTTPError, ValueError, KeyError):
                    answer = client.post("/api/v1/ask", json=QUESTION).raise_for_status().json()
                    trail = str(answer["trail"]) if answer["outcome"] == "quoted" else ""
                self.done.append((begun, time.monotonic(), bool(trail)))
                self.trails |= {trail} - {""}
                time.sleep(0.1 if trail else 0.2)

    def good_after(self, moment: float) -> float | None:
        """When the first good answer ended that was asked after this moment."""
        return min((end for begun, end, good in self.done if begun >= moment and good), default=None)

    def failed_since(self, moment: float) -> int:
        return sum(end >= moment and not good for _, end, good in self.done)


def kill(run: subprocess.Popen[bytes], part: str) -> float:
    """Kill this part; gives the moment."""
    victim = find_part(run, part)
    begun = time.monotonic()
    victim.kill()
    return begun


def start_model(url: str, key: str) -> None:
    """Ask a question of the model, which starts with the first."""
    headers = {"Authorization": f"Bearer {key}"}
    body = QUESTION | {"mode": "generate"}
    httpx2.post(f"{url}/api/v1/ask", json=body, headers=headers, trust_env=False, timeout=120).raise_for_status()


def measure(
    run: subprocess.Popen[bytes], asked: Asked, rounds: int, wake_model: Callable[[], None]
) -> dict[str, list[tuple[float, int]]]:
    """For each part the seconds to the next good answer, and the requests that failed, of each kill."""
    wake_model()
    found: dict[str, list[tuple[float, int]]] = {part: [] for part in PARTS}
    last = dict.fromkeys(PARTS, time.monotonic())
    for part in track([part for _ in range(rounds) for part in PARTS], description="kills"):
        time.sleep(max(3.0, last[part] + STABLE - time.monotonic()))
        last[part] = begun = kill(run, PARTS[part])
        while (good := asked.good_after(begun)) is None:
            if time.monotonic() > begun + PATIENCE or run.poll() is not None:
                raise SystemExit(f"no answer within {PATIENCE:.0f} s after {part} was killed")
            time.sleep(0.05)
        found[part].append((good - begun, asked.failed_since(begun)))
        if part == "model":
            wake_model()
    return found


def check_log(url: str, key: str, trails: set[str], folder: Path) -> tuple[int, int, bool]:
    """Answers given, those of them that the log has opened and closed, and whether it verifies as a whole."""
    time.sleep(5)  # what was given last is put in order
    path = folder / "log.jsonl"
    headers = {"Authorization": f"Bearer {key}"}
    path.write_bytes(httpx2.get(f"{url}/api/v1/audit/export", headers=headers, trust_env=False, timeout=120).content)
    kinds: dict[str, set[str]] = {}
    for line in path.read_text("utf-8").splitlines()[1:-1]:
        record = json.loads(json.loads(line)["record"])
        kinds.setdefault(record["trail"] or "", set()).add(record["kind"])
    whole = sum({"answer.opened", "answer.closed"} <= kinds.get(trail, set()) for trail in trails)
    return len(trails), whole, verify(path).ok


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    if rounds < 2:  # of one there is no median and worst
        parser.error("--rounds must be at least 2")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with running(home) as run:
            people = json.loads((home / "people.json").read_text("utf-8"))
            asked, asker = Asked(), (run.url, people["jonas"]["key"])
            threads = [
                threading.Thread(target=asked.ask, args=(run.url, people["jonas"]["key"])) for _ in range(ASKING)
            ]
            for thread in threads:
                thread.start()
            try:
                found = measure(run.process, asked, rounds, functools.partial(start_model, *asker))
            finally:
                asked.stopping.set()
            for thread in threads:
                thread.join()
            given, whole, verified = check_log(run.url, people["oskar"]["key"], asked.trails, Path(folder))
    rows = [
        (part, str(len(of)), str(quantile([s for s, _ in of], 0.5)), f"{max(s for s, _ in of):.1f}",
         str(sum(failed for _, failed in of)))
        for part, of in found.items()
    ]  # fmt: skip
    show(f"seconds to the next good answer; {load()}", ("part", "kills", "median", "worst", "requests failed"), rows)
    print(f"{given} answers were given; the log has {whole} of them opened and closed, and verifies: {verified}.")


if __name__ == "__main__":
    main()
