"""A separate service for a measurement: `clearance run` without a sample, a model or the user's settings.

`python -m app.local.scratch_instance FOLDER` runs the service until SIGTERM.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from app.client.errors import UserError
from app.db.bootstrap import libpq
from app.errors import Conflict
from app.local.administrator import create_first_administrator
from app.local.environment import INHERITED, MODEL_URL
from app.local.instance import Instance
from app.local.launcher import launch_command
from app.local.ports import responds
from app.local.postgres import SUPERUSER, free_port
from app.local.run import role_urls, run
from app.local.secrets import LocalSecrets, write_private

LOG = "service.log"
KEY = "administrator.key"
START_SECONDS, STOP_SECONDS = 180.0, 60.0
# The user's embedder, reranker and way of answering are part of what is measured; all other settings, such as the
# address of their database, stay out.
MEASURED_SETTINGS = ("CLEARANCE_EMBEDDER__", "CLEARANCE_RERANKER__", "CLEARANCE_ANSWER__")
MODEL_SETTINGS = "CLEARANCE_MODEL__"
# Nothing listens there: no question is answered, so no model has to be started.
NO_MODEL = "http://127.0.0.1:9/v1"
UNLIMITED = {
    "CLEARANCE_API__RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BULK_RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__PAGE_RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BURST": "10000",
    "CLEARANCE_API__CONCURRENT": "64",
}

# Read as the superuser: leaks can be counted only by somebody who sees every document.
PASSAGES = "select c.id, d.path from chunk c join document d on d.id = c.document_id"
DOCUMENTS = "select cast(public_id as text), path from document"


class DidNotStart(UserError):
    """The service for the measurement did not start."""


@dataclass(frozen=True)
class ScratchInstance:
    """A running service. `urls` has one for each database role (`clearance_app`, …) and for the superuser."""

    api_url: str
    admin_key: str = field(repr=False)
    identity_key: str = field(repr=False)
    urls: Mapping[str, str] = field(repr=False)

    def passages(self) -> dict[int, str]:
        """Path of each passage's document, by passage id; hidden ones too."""
        with psycopg.connect(libpq(make_url(self.urls[SUPERUSER]))) as connection:
            return dict(connection.execute(PASSAGES).fetchall())

    def documents(self) -> dict[str, str]:
        """Path of each document by public id; hidden ones too."""
        with psycopg.connect(libpq(make_url(self.urls[SUPERUSER]))) as connection:
            return dict(connection.execute(DOCUMENTS).fetchall())


@contextlib.contextmanager
def scratch_instance(home: Path, environ: Mapping[str, str], *, model: bool = False) -> Iterator[ScratchInstance]:
    """Start a service with its state in `home`, which may be that of an earlier run, and stop it at the end.

    With `model` it has the one that the environment names, or else the bundled one; without it none. Main thread only.
    Raises DidNotStart.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = home / LOG
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            launch_command([sys.executable, "-m", "app.local.scratch_instance", str(home)]),
            env=_environment(environ, model=model),
            stdout=out,
            stderr=out,
        )
        try:
            yield _connect(home, _wait_until_ready(process, home, log))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(environ: Mapping[str, str], *, model: bool) -> dict[str, str]:
    wanted = (*MEASURED_SETTINGS, MODEL_SETTINGS) if model else MEASURED_SETTINGS
    inherited = {name: value for name, value in environ.items() if name in INHERITED or name.startswith(wanted)}
    nowhere = {} if model else {MODEL_URL: NO_MODEL}
    return inherited | UNLIMITED | {"CLEARANCE_API__PORT": str(free_port())} | nowhere


def _wait_until_ready(process: "subprocess.Popen[bytes]", home: Path, log: Path) -> Instance:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        instance = Instance.running(home)
        if instance is not None and instance.postgres_port is not None and responds(f"{instance.api_url}/readyz"):
            return instance
        time.sleep(0.2)
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()[-3:]
    raise DidNotStart(f"the service for the measurement did not start; {log} ends with: {' | '.join(lines)}")


def _connect(home: Path, instance: Instance) -> ScratchInstance:
    """URLs and keys of the instance; creates its administrator if there is none."""
    secrets = LocalSecrets.open(home)
    passwords = secrets.role_passwords() | {SUPERUSER: secrets.superuser_password}
    urls = role_urls(passwords, instance.postgres_port)
    key = home / KEY
    try:
        write_private(key, create_first_administrator(urls["clearance_owner"]).secret)
    except Conflict:
        if not key.exists():
            raise DidNotStart(f"{home} belongs to another installation: it has an administrator") from None
    return ScratchInstance(instance.api_url, key.read_text("utf-8"), secrets.identity_key, urls)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), environ=os.environ))
