"""A person asks while strangers do what they can: `python -m benchmarks.service.strangers`, on loopback and bounded.

Each attack alone, then all at once: bodies of 50 MB, deep JSON, 500 connections that never finish a request, 1,000
wrong keys, all from the person's own address. Printed are the person's median and p95, the p95 by that of the idle
service, and how far the memory of the API process rose. Before each attack the person asks in peace; all of that
together is the idle service. Strangers have only the cycles that nobody else wants: they stand for other machines.
"""

import argparse
import contextlib
import http.client
import multiprocessing
import multiprocessing.queues
import os
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import TypeAlias

import httpx2 as httpx
import psutil

from app.acl.rules import OwnRule
from app.identity.api_keys import make_key
from benchmarks.machine import load
from benchmarks.tables import console, show
from benchmarks.world import Db, Document, World, allow, api_process, database, indexed, server

QUESTION = {"question": "How many weeks of parental leave does every employee get?", "mode": "quote"}
LEAVE = "Every employee gets twenty-six weeks of parental leave after the first year."
WIDE = b'{"question": [' + b"[]," * (17 * 1024 * 1024) + b"[]]}"
DEEP = b'{"question": ' + b"[" * 32_000 + b"]" * 32_000 + b"}"
HALF_OPEN, WRONG_KEYS = 500, 1_000
PHASE_SECONDS = 60.0
MB = 1024 * 1024


@dataclass(frozen=True)
class Phase:
    """What a person met: milliseconds of each question, questions that failed, and how far the API's memory rose."""

    name: str
    times: list[float]
    failed: int
    grown_mb: float

    @property
    def p95(self) -> float:
        """The 95th percentile, in milliseconds."""
        return statistics.quantiles(self.times, n=20)[-1] if len(self.times) > 1 else float("inf")


def post(port: int, body: bytes, answers: "Counter[str]") -> None:
    """One request with a wrong key and this body, given up as soon as an answer comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {make_key().secret}", "Content-Type": "application/json"}
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/api/v1/ask", body, headers)
        answers[str(connection.getresponse().status)] += 1
    except (OSError, http.client.HTTPException) as error:
        answers[type(error).__name__] += 1
    finally:
        connection.close()


def bodies(port: int, stop: Event, answers: "Counter[str]") -> None:
    """Large bodies, one after another."""
    while not stop.is_set():
        post(port, WIDE, answers)


def deep(port: int, stop: Event, answers: "Counter[str]") -> None:
    """Small and deep ones."""
    while not stop.is_set():
        post(port, DEEP, answers)
        stop.wait(0.02)


def half_open(port: int, stop: Event, answers: "Counter[str]") -> None:
    """Connections with half a head; what is closed is opened again, within reason."""
    made: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
                one.sendall(b"POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nX-Half: ")
                made.append(one)
            stop.wait(0.002 if len(made) < HALF_OPEN else 0.1)
        answers["opened"] += len(made)


def wrong_keys(port: int, stop: Event, answers: "Counter[str]") -> None:
    """A thousand of them, then a few a second."""
    for number in range(1_000_000):
        if stop.is_set():
            return
        post(port, b"{}", answers)
        stop.wait(0 if number < WRONG_KEYS else 0.1)


Told: TypeAlias = "multiprocessing.queues.Queue[dict[str, int]]"
Attack = Callable[[int, Event, "Counter[str]"], None]
ATTACKS: dict[str, tuple[Attack, ...]] = {
    "50 MB bodies": (bodies, bodies),
    "deep JSON": (deep, deep),
    "500 half-open": (half_open,),
    "1,000 wrong keys": (wrong_keys,),
    "all at once": (bodies, bodies, deep, deep, half_open, wrong_keys),
}


def strangers(
    port: int, attacks: tuple[Attack, ...], stop: Event, said: "multiprocessing.Queue[dict[str, int]]"
) -> None:
    """All strangers of a phase, in a process of their own."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    answers: Counter[str] = Counter()
    threads = [threading.Thread(target=attack, args=(port, stop, answers), daemon=True) for attack in attacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PHASE_SECONDS + 60)
    said.put(dict(answers))


@contextlib.contextmanager
def attacked(port: int, name: str) -> Iterator[dict[str, int]]:
    """The strangers of this phase while the block runs; then what they were answered."""
    answers: dict[str, int] = {}
    if name not in ATTACKS:
        yield answers
        return
    stop = multiprocessing.Event()
    said: multiprocessing.Queue[dict[str, int]] = multiprocessing.Queue()
    process = multiprocessing.Process(target=strangers, args=(port, ATTACKS[name], stop, said), daemon=True)
    process.start()
    time.sleep(1.0)
    try:
        yield answers
    finally:
        stop.set()
        with contextlib.suppress(Exception):  # what they were told is a remark beside the figures
            answers.update(said.get(timeout=60))
        process.terminate()
        process.join(10)


def asked(url: str, key: str, questions: int) -> tuple[list[float], int]:
    """Milliseconds of each question, each on a connection of its own, and how many got no answer."""
    times, failed, deadline = [], 0, time.monotonic() + PHASE_SECONDS
    for _ in range(questions):
        begun = time.perf_counter()
        try:
            with httpx.Client(trust_env=False, timeout=30) as client:
                headers = {"Authorization": f"Bearer {key}"}
                ok = client.post(f"{url}/api/v1/ask", json=QUESTION, headers=headers).status_code == httpx.codes.OK
        except httpx.TransportError:
            ok = False
        failed += not ok
        times.append(1000 * (time.perf_counter() - begun))
        if time.monotonic() > deadline:
            break
    return times, failed


def watched(pid: int, stop: threading.Event, peak: list[int]) -> None:
    """The largest resident memory of the process while the phase runs."""
    process = psutil.Process(pid)
    while not stop.wait(0.05):
        peak.append(process.memory_info().rss)


def run_phase(name: str, url: str, pid: int, key: str, questions: int) -> tuple[Phase, dict[str, int]]:
    """A phase, and what its strangers were answered."""
    before = psutil.Process(pid).memory_info().rss
    stop, peak = threading.Event(), [before]
    watcher = threading.Thread(target=watched, args=(pid, stop, peak))
    watcher.start()
    with attacked(int(url.rsplit(":", 1)[-1]), name) as answers:
        times, failed = asked(url, key, questions)
    stop.set()
    watcher.join()
    return Phase(name, times, failed, (max(peak) - before) / MB), answers


def found(db: Db) -> str:
    """Write a document and a person who may read it; gives the person's key."""
    world = World(db)
    role = world.role("staff")
    collection = world.collection("handbook", allow(role))
    scope = world.scope(collection, OwnRule())
    world.documents([Document("leave.md", collection, scope, indexed([LEAVE], "Parental leave"))])
    key = world.key(world.person("ben", roles=[role]))
    world.settle()
    return key


def main() -> None:
    """Ask in peace and under load, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=100, help="of the person in each phase")
    questions = parser.parse_args().questions
    with server() as running:
        db = database(running)
        key = found(db)
        # The limits on strangers are what is measured: those of the product.
        with api_process(db) as (url, pid):
            person = (url, pid, key)
            run_phase("warm-up", *person, 10)
            idle: list[Phase] = []
            phases: list[tuple[Phase, dict[str, int]]] = []
            for name in ATTACKS:
                idle.append(run_phase("none", *person, max(questions // 2, 2))[0])
                phases.append(run_phase(name, *person, questions))
                console.print(f"{name}: p95 {phases[-1][0].p95:.0f} ms, before it {idle[-1].p95:.0f} ms")
    peace = Phase("none", [t for one in idle for t in one.times], sum(p.failed for p in idle), 0.0)
    rows = [
        (
            phase.name,
            ", ".join(f"{what} × {number}" for what, number in sorted(answers.items())),
            f"{statistics.median(phase.times):.0f}",
            f"{phase.p95:.0f}",
            f"{phase.p95 / peace.p95:.2f}",
            f"{phase.failed} of {len(phase.times)}",
            f"{phase.grown_mb:.0f}",
        )
        for phase, answers in ((peace, dict[str, int]()), *phases)
    ]
    columns = ("strangers", "they were told", "median ms", "p95 ms", "p95 / idle", "failed", "memory + MB")
    show(f"a person who asks while strangers try; {load()}", columns, rows, left=2)


if __name__ == "__main__":
    main()
