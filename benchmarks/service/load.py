"""What a request costs, and how many a machine answers: `python -m benchmarks.service.load [--processes 1 2]`.

Runs `clearance run` with its sample company and asks for searches and for quoted answers with 1, 8, 32 and 64 clients,
each of which sends its next request when it has its answer. Prints requests a second, p50 and p95, and the CPU of a
request: the API's, and PostgreSQL's. The clients run on the same machine and take some of it themselves.
`--soak N` asks N questions more and prints the API's memory (PSS) on the way.
"""

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from rich.progress import track

from benchmarks.machine import load
from benchmarks.service.running import running
from benchmarks.stats import quantile
from benchmarks.tables import show

CLIENTS = (1, 8, 32, 64)
WARM, SECONDS = 3.0, 12.0
QUESTIONS = [each["question"] for each in yaml.safe_load(Path("sample/questions.yaml").read_text("utf-8"))["questions"]]
# Kinds of requests: the path, the field of the text, and the others.
KINDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "search": ("/api/v1/search", "query", {"limit": 10}),
    "ask": ("/api/v1/ask", "question", {"mode": "quote"}),
}


@dataclass(frozen=True)
class Figures:
    """Of one kind of request with so many clients: seconds of each request, how many failed, and CPU seconds."""

    clients: int
    seconds: float
    taken: list[float]
    failed: int
    api_cpu: float
    database_cpu: float

    def row(self, kind: str) -> tuple[str, ...]:
        count = len(self.taken)
        milliseconds = [1000 * taken for taken in self.taken]
        return (
            kind, str(self.clients), f"{count / self.seconds:.0f}",
            f"{quantile(milliseconds, 0.5)}", f"{quantile(milliseconds, 0.95)}",
            f"{1000 * self.api_cpu / count:.1f}", f"{1000 * self.database_cpu / count:.1f}", str(self.failed),
        )  # fmt: skip


def request_bytes(kind: str, text: str, key: str) -> bytes:
    """The request as it goes over the wire: made once, so that the clients take little of the machine."""
    path, field, others = KINDS[kind]
    payload = json.dumps({field: text, **others}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


async def client(port: int, requests: Sequence[bytes], until: float, taken: list[float]) -> int:
    """Sends one request after the other until this moment; gives how many were not answered with 200."""
    failed = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(1_000_000):
        begun = time.monotonic()
        if begun >= until:
            break
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        if length := [int(line[15:]) for line in lines if line.startswith("content-length:")]:
            await reader.readexactly(length[0])
        else:
            while size := int((await reader.readuntil(b"\r\n")), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        taken.append(time.monotonic() - begun)
        failed += not head.startswith(b"HTTP/1.1 200")
    writer.close()
    return failed


def cpu(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds that these have used, with the children that they waited for."""
    found = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # one that its parent has waited for is among the parent's
            times = process.cpu_times()
            found += times.user + times.system + times.children_user + times.children_system
    return found


def processes_of(run: psutil.Process) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Those of the API, and those of PostgreSQL."""
    api = [each for each in run.children() if each.cmdline()[-2:] == ["-m", "app"]]
    postgres = [each for each in run.children() if "postgres" in each.name()]
    return (
        [*api, *(child for each in api for child in each.children(recursive=True))],
        [*postgres, *(child for each in postgres for child in each.children(recursive=True))],
    )


def measure(run: psutil.Process, port: int, kind: str, keys: Sequence[str], clients: int, seconds: float) -> Figures:
    async def all_of(until: float) -> tuple[list[float], int]:
        taken: list[float] = []
        requests = [[request_bytes(kind, text, key) for text in QUESTIONS] for key in keys]
        tasks = []
        for number in range(clients):
            own = requests[number % len(keys)]
            turn = number % len(own)
            tasks.append(client(port, own[turn:] + own[:turn], until, taken))
        return taken, sum(await asyncio.gather(*tasks))

    asyncio.run(all_of(time.monotonic() + WARM))
    api, postgres = processes_of(run)
    before, begun = (cpu(api), cpu(postgres)), time.monotonic()
    taken, failed = asyncio.run(all_of(begun + seconds))
    lasted = time.monotonic() - begun
    return Figures(clients, lasted, taken, failed, cpu(api) - before[0], cpu(postgres) - before[1])


def pss(processes: Sequence[psutil.Process]) -> float:
    """Megabytes, with each page that processes share counted in parts."""
    return sum(each.memory_full_info().pss for each in processes) / 1e6


def soak(run: psutil.Process, port: int, keys: Sequence[str], requests: int) -> Iterator[tuple[str, ...]]:
    """Ask so many questions, with 8 clients; the API's memory on the way."""
    api, _ = processes_of(run)
    asked = 0
    yield str(asked), f"{pss(api):.0f}"
    while asked < requests:
        asked += len(measure(run, port, "ask", keys, 8, 10.0).taken)
        yield str(asked), f"{pss(api):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="API processes")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--soak", type=int, default=0, help="questions to ask while memory is read")
    given = parser.parse_args()
    rows, memory = list[tuple[str, ...]](), list[tuple[str, ...]]()
    for count in given.processes:
        os.environ["CLEARANCE_API__PROCESSES"] = str(count)
        os.environ["CLEARANCE_API__CONCURRENT"] = "64"
        with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home") as started:
            people = json.loads((Path(folder) / "home" / "people.json").read_text("utf-8"))
            keys = [people[name]["key"] for name in ("jonas",)]
            run, port = psutil.Process(started.process.pid), int(started.url.rsplit(":", 1)[1])
            for kind in KINDS:
                for clients in track(given.clients, f"{kind}, {count} processes"):
                    rows.append((str(count), *measure(run, port, kind, keys, clients, given.seconds).row(kind)))
            memory += [(str(count), *row) for row in soak(run, port, keys, given.soak)] if given.soak else []
    columns = (
        "processes",
        "kind",
        "clients",
        "a second",
        "p50 ms",
        "p95 ms",
        "API CPU ms",
        "database CPU ms",
        "failed",
    )
    show(f"on this machine with its clients; {load()}", columns, rows)
    if memory:
        show("the API's memory", ("processes", "requests", "PSS MB"), memory)


if __name__ == "__main__":
    main()
