"""A real service for benchmarks: embedded PostgreSQL, API in this process, worker and sequencer in their own."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import uvicorn
from sqlalchemy import make_url

from app.db.bootstrap import LOGIN_ROLES, libpq, prepare
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from app.local.administrator import make_first_administrator
from app.local.postgres import EmbeddedPostgres
from app.main import build, create
from app.settings import Settings

DATABASE = "bench"
# High enough that no limit is measured.
LIMITS = {
    "CLEARANCE_API__RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BULK_RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__CONCURRENT": "64",
}


@dataclass
class Service:
    """What runs, and what the recorded model was shown."""

    url: str
    admin_key: str
    owner_url: str
    log_files: list[Path]
    prompts: list[str] = field(default_factory=list)

    def count(self, table: str) -> int:
        """Rows of a table, less the canary's."""
        with psycopg.connect(libpq(make_url(self.owner_url))) as connection:
            row = connection.execute(f"select count(*) - 1 from {table}").fetchone()
        return int(row[0]) if row else 0

    def logs(self) -> str:
        """All that was logged so far."""
        return "\n".join(f.read_text("utf-8", errors="replace") for f in self.log_files)


@contextlib.contextmanager
def service(state: Path) -> Iterator[Service]:
    """Start all, with a model that says nothing but records its prompts; stop all."""
    state.mkdir(parents=True)
    passwords = {role: f"bench-{role}" for role in LOGIN_ROLES}
    with EmbeddedPostgres(state / "pg", password="bench", settings={"shared_buffers": "512MB"}) as server:
        prepare(
            admin_url=server.url("postgres", "bench", "postgres"),
            database=DATABASE,
            passwords=passwords,
            identity_key="5c" * 32,
        )
        urls = {role: server.url(role, password, DATABASE) for role, password in passwords.items()}
        os.environ.update(LIMITS, CLEARANCE_IDENTITY__KEY="5c" * 32, CLEARANCE_AUDIT__KEY="6d" * 32)
        os.environ["CLEARANCE_DATABASE__APP_URL"] = urls["clearance_app"]
        os.environ["CLEARANCE_DATABASE__INGEST_URL"] = urls["clearance_ingest"]
        os.environ["CLEARANCE_DATABASE__SEARCH_URL"] = urls["clearance_search"]
        os.environ["CLEARANCE_DATABASE__SEQUENCER_URL"] = urls["clearance_sequencer"]
        key = make_first_administrator(urls["clearance_owner"]).secret
        logs = [state / "worker.log", state / "sequencer.log", state / "api.log"]
        running = Service("", key, urls["clearance_owner"], logs)
        with _program("ingest", logs[0]), _program("app.sequencer_process", logs[1]), _api(running, logs[2]):
            yield running


@contextlib.contextmanager
def _program(module: str, log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", module], stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def _api(running: Service, log: Path) -> Iterator[None]:
    """The API in a thread; its log lines go to a file."""
    with log.open("w", encoding="utf-8") as out, contextlib.redirect_stderr(out):
        parts = build(Settings())

        def script(messages: Sequence[Message]) -> list[str]:
            running.prompts.extend(m.content for m in messages)
            return ["Recorded."]

        recorded = replace(parts, chat=ScriptedChat(parts.chat.endpoint, script))
        server = uvicorn.Server(uvicorn.Config(create(recorded), host="127.0.0.1", port=0, log_config=None))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        running.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(20)
