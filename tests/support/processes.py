"""The real processes of the service, each started as an operator does, and a model server that speaks slowly."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY, Db
from tests.support.environment import REPOSITORY, free_port
from tests.support.http_stub import Request, http_stub
from tests.support.waiting import wait_for

PIECE = {
    "id": "1",
    "object": "chat.completion.chunk",
    "created": 0,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "These are words. "}, "finish_reason": None}],
}
PLAIN = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class Process:
    """A running process and where it logs."""

    child: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """kill -9."""
        self.child.kill()
        self.child.wait(10)


@contextlib.contextmanager
def process(folder: Path, module: list[str], settings: Mapping[str, str]) -> Iterator[Process]:
    """`python -m …` with these settings and nothing else of ours; ended when the block ends."""
    environ = {name: os.environ[name] for name in PLAIN if name in os.environ} | dict(settings)
    log = folder / f"{module[0]}-{time.monotonic_ns()}.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=REPOSITORY,
            env=environ,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield Process(child, log)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def worker(folder: Path, db: Db, **settings: str) -> Iterator[Process]:
    """The ingest worker, ready."""
    given = {
        "CLEARANCE_DATABASE__INGEST_URL": db.url("ingest"),
        "CLEARANCE_WORKER__STALLED_AFTER_SECONDS": "3",
        **settings,
    }
    with process(folder, ["ingest"], given) as made:
        wait_for(lambda: "worker.ready" in made.said, seconds=60, message=lambda: made.said)
        yield made


@contextlib.contextmanager
def sequencer(folder: Path, db: Db, *, close_after: int, **settings: str) -> Iterator[Process]:
    """The audit sequencer."""
    given = {
        "CLEARANCE_DATABASE__SEQUENCER_URL": db.url("sequencer"),
        "CLEARANCE_AUDIT__CLOSE_AFTER_SECONDS": str(close_after),
        **settings,
    }
    with process(folder, ["app.sequencer_process"], given) as made:
        yield made


@contextlib.contextmanager
def api(folder: Path, db: Db, *, model_url: str, module: str = "app", **settings: str) -> Iterator[tuple[Process, str]]:
    """The API, ready, and its URL; `module` is what starts it."""
    port = free_port()
    given = {
        "CLEARANCE_DATABASE__APP_URL": db.url("app"),
        "CLEARANCE_DATABASE__SEARCH_URL": db.url("search"),
        "CLEARANCE_IDENTITY__KEY": IDENTITY_KEY,
        "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
        "CLEARANCE_EMBEDDER__KIND": "hashed",
        "CLEARANCE_MODEL__BASE_URL": model_url,
        "CLEARANCE_API__PORT": str(port),
        **settings,
    }
    command = [module]
    url = f"http://127.0.0.1:{port}"
    with process(folder, command, given) as made:
        wait_for(lambda: is_ready(url), seconds=60, message=lambda: made.said)
        yield made, url


def is_ready(url: str) -> bool:
    """Whether /readyz answers 200."""
    try:
        return httpx.get(f"{url}/readyz", trust_env=False, timeout=15).status_code == 200
    except httpx.TransportError:
        return False


@contextlib.contextmanager
def speaking_model(*, pieces: int, delay: float) -> Iterator[str]:
    """The base URL of an OpenAI-compatible server that says a sentence so many times."""

    def speak(handler: Request) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for _ in range(pieces):
            handler.wfile.write(f"data: {json.dumps(PIECE)}\n\n".encode())
            time.sleep(delay)
        handler.wfile.write(b"data: [DONE]\n\n")

    with http_stub(speak) as url:
        yield f"{url}/v1"
