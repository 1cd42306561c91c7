"""A whole service of its own for a measurement: `clearance run` without a sample, a model or the person's settings.

Run as a module it is the service: `python -m app.local.scratch_instance FOLDER`, until SIGTERM.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psycopg
from sqlalchemy import make_url

from app.client.errors import UserError
from app.db.bootstrap import libpq
from app.errors import Conflict
from app.local.administrator import make_first_administrator
from app.local.environment import MODEL_URL, PLAIN
from app.local.instance import Instance
from app.local.launcher import command
from app.local.postgres import SUPERUSER
from app.local.run import DATABASE, run
from app.local.secrets import LocalSecrets, write_private

LOG = "service.log"
KEY = "administrator.key"
START_SECONDS, STOP_SECONDS = 180.0, 60.0
# How the person chose to embed and to order is part of what is measured; where their database lies must not even be
# known here.
MEASURED = ("CLEARANCE_EMBEDDER__", "CLEARANCE_RERANKER__")
# Nobody listens there: nothing is answered, so no model has to be started.
NO_MODEL = "http://127.0.0.1:9/v1"
UNLIMITED = {
    "CLEARANCE_API__RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BULK_RATE_PER_MINUTE": "1000000",
    "CLEARANCE_API__BURST": "10000",
    "CLEARANCE_API__CONCURRENT": "64",
}

# Where passages and documents stand, for the judge of leaks: it must know what nobody it judges can see.
PASSAGES = "select c.id, d.path from chunk c join document d on d.id = c.document_id"
DOCUMENTS = "select cast(public_id as text), path from document"


class DidNotStart(UserError):
    """The service for the measurement did not come up."""


@dataclass(frozen=True)
class Temporary:
    """A running service. URLs are those of its database roles (`clearance_app`, …) and of its superuser."""

    api_url: str
    admin_key: str = field(repr=False)
    identity_key: str = field(repr=False)
    urls: Mapping[str, str] = field(repr=False)

    def passages(self) -> dict[int, str]:
        """The path of the document of each passage, hidden ones too."""
        with psycopg.connect(libpq(make_url(self.urls[SUPERUSER]))) as connection:
            return dict(connection.execute(PASSAGES).fetchall())

    def documents(self) -> dict[str, str]:
        """The path of each document by its public id, hidden ones too."""
        with psycopg.connect(libpq(make_url(self.urls[SUPERUSER]))) as connection:
            return dict(connection.execute(DOCUMENTS).fetchall())


@contextlib.contextmanager
def temporary(home: Path, environ: Mapping[str, str]) -> Iterator[Temporary]:
    """Start a service whose state lies in `home`, and stop it at the end. Main thread only; raises DidNotStart.

    What was ingested into `home` before is there again.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = home / LOG
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            command([sys.executable, "-m", "app.local.scratch_instance", str(home)]),
            env=_environment(environ),
            stdout=out,
            stderr=out,
        )
        try:
            yield _described(home, _ready(process, home, log))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name in PLAIN or name.startswith(MEASURED)}
    return kept | UNLIMITED | {"CLEARANCE_API__PORT": str(_free_port()), MODEL_URL: NO_MODEL}


def _ready(process: "subprocess.Popen[bytes]", home: Path, log: Path) -> Instance:
    """The instance, once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        instance = Instance.running(home)
        if instance is not None and instance.postgres_port is not None and _answers(instance.api_url):
            return instance
        time.sleep(0.2)
    said = log.read_text("utf-8", errors="replace").strip().splitlines()[-3:]
    raise DidNotStart(f"the service for the measurement did not start; {log} ends with: {' | '.join(said)}")


def _described(home: Path, instance: Instance) -> Temporary:
    secrets = LocalSecrets.open(home)
    passwords = secrets.role_passwords() | {SUPERUSER: secrets.superuser_password}
    urls = {
        role: f"postgresql+psycopg://{role}:{password}@127.0.0.1:{instance.postgres_port}/{DATABASE}"
        for role, password in passwords.items()
    }
    key = home / KEY
    try:
        write_private(key, make_first_administrator(urls["clearance_owner"]).secret)
    except Conflict:
        if not key.exists():
            raise DidNotStart(f"{home} belongs to another installation: it has an administrator") from None
    return Temporary(instance.api_url, key.read_text("utf-8"), secrets.identity_key, urls)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=5.0, trust_env=False).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), environ=os.environ))
