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
import os
import queue
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.synchronize import Event

import httpx2 as httpx
import numpy as np
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
    """What a person met: milliseconds of each question, failures, how far memory rose, and what strangers were told."""

    name: str
    times: list[float]
    failed: int
    grown_mb: float = 0.0
    told: dict[str, int] = field(default_factory=dict)

    @property
    def p95(self) -> float:
        return float(np.quantile(self.times, 0.95))

    def cells(self, idle: float) -> tuple[str, ...]:
        told = ", ".join(f"{what} × {number}" for what, number in sorted(self.told.items()))
        times = (f"{statistics.median(self.times):.0f}", f"{self.p95:.0f}", f"{self.p95 / idle:.2f}")
        return (self.name, told, *times, f"{self.failed} of {len(self.times)}", f"{self.grown_mb:.0f}")


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


def bodies(body: bytes, pause: float, port: int, stop: Event, answers: "Counter[str]") -> None:
    while not stop.is_set():
        post(port, body, answers)
        stop.wait(pause)


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


WIDE_BODIES, DEEP_BODIES = (partial(bodies, WIDE, 0), partial(bodies, DEEP, 0.02))
ATTACKS: dict[str, tuple[Callable[[int, Event, "Counter[str]"], None], ...]] = {
    "50 MB bodies": (WIDE_BODIES,) * 2,
    "deep JSON": (DEEP_BODIES,) * 2,
    "500 half-open": (half_open,),
    "1,000 wrong keys": (wrong_keys,),
    "all at once": (*(WIDE_BODIES, DEEP_BODIES) * 2, half_open, wrong_keys),
}


def strangers(port: int, name: str, stop: Event, said: "multiprocessing.Queue[dict[str, int]]") -> None:
    """All strangers of a phase, in a process of their own; what they were told goes to `said`."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    answers: Counter[str] = Counter()
    threads = [threading.Thread(target=act, args=(port, stop, answers), daemon=True) for act in ATTACKS.get(name, ())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PHASE_SECONDS + 60)
    said.put(dict(answers))


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


def run_phase(name: str, url: str, pid: int, key: str, questions: int) -> Phase:
    """The person asks while the strangers of this phase, if it has any, do what they can."""
    memory = psutil.Process(pid).memory_info
    stop, done, before = multiprocessing.Event(), threading.Event(), memory().rss
    said: multiprocessing.Queue[dict[str, int]] = multiprocessing.Queue()
    port = int(url.rsplit(":", 1)[-1])
    others = multiprocessing.Process(target=strangers, args=(port, name, stop, said), daemon=True)
    others.start()
    with ThreadPoolExecutor(1) as pool:
        peak = pool.submit(lambda: max([before, *(memory().rss for _ in iter(lambda: done.wait(0.05), True))]))
        time.sleep(1.0)
        times, failed = asked(url, key, questions)
        done.set()
    stop.set()
    told: dict[str, int] = {}
    with contextlib.suppress(queue.Empty):  # what they were told is a remark beside the figures
        told = said.get(timeout=60)
    others.terminate()
    others.join(10)
    return Phase(name, times, failed, (peak.result() - before) / MB, told)


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
            phases: list[Phase] = []
            for name in ATTACKS:
                idle.append(run_phase("none", *person, max(questions // 2, 2)))
                phases.append(run_phase(name, *person, questions))
                console.print(f"{name}: p95 {phases[-1].p95:.0f} ms, before it {idle[-1].p95:.0f} ms")
    peace = Phase("none", [t for one in idle for t in one.times], sum(p.failed for p in idle))
    columns = ("strangers", "they were told", "median ms", "p95 ms", "p95 / idle", "failed", "memory + MB")
    rows = [phase.cells(peace.p95) for phase in (peace, *phases)]
    show(f"a person who asks while strangers try; {load()}", columns, rows, left=2)


if __name__ == "__main__":
    main()
