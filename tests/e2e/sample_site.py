"""The sample company on real processes: API, worker and sequencer on a database of its own; no model listens."""

import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from app.client.api import Client
from app.local.instance import Instance, process_start
from app.local.sample import sample_loader
from app.local.sample_cache import LoadTarget
from app.local.sample_people import read_people
from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY, TEMPLATE, Cluster, Db
from tests.support.environment import REPOSITORY
from tests.support.waiting import wait_for

NO_MODEL = "http://127.0.0.1:9/v1"  # the discard port: nothing listens


@dataclass(frozen=True)
class SampleSite:
    """A running instance: its folder is what `--home` takes."""

    home: Path
    base_url: str
    db: Db
    load_seconds: float
    environ: Mapping[str, str]  # as the doctor wants it

    def client(self, person: str) -> Client:
        """A client as this sample person."""
        return Client(self.base_url, read_people(self.home / "people.json")[person]["key"])


@contextlib.contextmanager
def sample_site(cluster: Cluster, home: Path, *, port: int) -> Iterator[SampleSite]:
    """Start everything, load the company through the API, and end what was started."""
    db = Db(cluster, f"s_{secrets.token_hex(6)}")
    name = sql.Identifier(db.name)
    cluster.execute(sql.SQL("create database {} template {}").format(name, sql.Identifier(TEMPLATE)))
    environments = _environments(db, port)
    try:
        with contextlib.ExitStack() as stack:
            python = [sys.executable, "-m"]
            api = [*python, "app"]
            process = stack.enter_context(_running(api, environments["api"], home / "api.log"))
            stack.enter_context(_running([*python, "ingest"], environments["worker"], home / "worker.log"))
            sequencer = [*python, "app.sequencer_process"]
            stack.enter_context(_running(sequencer, environments["sequencer"], home / "sequencer.log"))
            base_url = f"http://127.0.0.1:{port}"
            _wait(base_url, process, home / "api.log")
            Instance(pid=process.pid, born=process_start(process.pid) or 0, api_url=base_url, model_url=NO_MODEL).save(
                home
            )
            begin = time.monotonic()
            sample_loader(home)(LoadTarget(base_url, {"clearance_owner": db.url("owner")}))
            everything = environments["api"] | environments["worker"] | environments["sequencer"]
            yield SampleSite(home, base_url, db, time.monotonic() - begin, everything)
    finally:
        cluster.execute(sql.SQL("drop database {} with (force)").format(name))


def _environments(db: Db, port: int) -> dict[str, dict[str, str]]:
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        "api": {
            **base,
            "CLEARANCE_DATABASE__APP_URL": db.url("app"),
            "CLEARANCE_DATABASE__SEARCH_URL": db.url("search"),
            "CLEARANCE_IDENTITY__KEY": IDENTITY_KEY,
            "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
            "CLEARANCE_MODEL__BASE_URL": NO_MODEL,
            # The tests ask hundreds of questions with the same few keys.
            "CLEARANCE_API__RATE_PER_MINUTE": "100000",
            "CLEARANCE_API__BURST": "100000",
            "CLEARANCE_API__STRANGER_RATE_PER_MINUTE": "100000",
            "CLEARANCE_API__STRANGER_BURST": "100000",
            "CLEARANCE_API__PORT": str(port),
        },
        "worker": {**base, "CLEARANCE_DATABASE__INGEST_URL": db.url("ingest")},
        "sequencer": {**base, "CLEARANCE_DATABASE__SEQUENCER_URL": db.url("sequencer")},
    }


@contextlib.contextmanager
def _running(argv: list[str], environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(argv, cwd=REPOSITORY, env=environ, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()


def _wait(base_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    with Client(base_url, None) as client:
        wait_for(client.healthy, seconds=120, message=log.read_text, child=process)
