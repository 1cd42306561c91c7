"""The sample company on real processes: API, worker and sequencer on a database of its own; no model listens."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.client.api import Client
from app.local.instance import Instance, process_start
from app.local.sample import sample_loader
from app.local.sample_cache import LoadTarget
from app.local.sample_people import read_people
from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY, TEMPLATE, Cluster, Db, copied
from tests.support.log_keys import LOG_KEY
from tests.support.processes import api, sequencer, worker

NO_MODEL = "http://127.0.0.1:9/v1"  # the discard port: nothing listens
# The tests ask hundreds of questions with the same few keys.
UNLIMITED = {
    f"CLEARANCE_API__{name}": "100000"
    for name in ("RATE_PER_MINUTE", "BURST", "STRANGER_RATE_PER_MINUTE", "STRANGER_BURST")
}


@dataclass(frozen=True)
class SampleSite:
    """A running instance: its folder is what `--home` takes."""

    home: Path
    base_url: str
    db: Db

    def client(self, person: str) -> Client:
        """A client as this sample person."""
        return Client(self.base_url, read_people(self.home / "people.json")[person]["key"])

    @property
    def environ(self) -> dict[str, str]:
        """As the doctor wants it."""
        roles = ("app", "search", "ingest", "sequencer")
        keys = {"IDENTITY__KEY": IDENTITY_KEY, "AUDIT__KEY": AUDIT_KEY, "MODEL__BASE_URL": NO_MODEL}
        settings = {f"DATABASE__{role.upper()}_URL": self.db.url(role) for role in roles} | keys
        return {f"CLEARANCE_{name}": value for name, value in settings.items()}


# After every record, so that no test waits a minute.
SIGNED = {"CLEARANCE_AUDIT__SIGNING_KEY": LOG_KEY.secret(), "CLEARANCE_AUDIT__CHECKPOINT_ENTRIES": "1"}


@contextlib.contextmanager
def sample_site(cluster: Cluster, home: Path) -> Iterator[SampleSite]:
    """Start everything, load the company through the API, and end what was started."""
    with (
        copied(cluster, TEMPLATE) as db,
        api(home, db, model_url=NO_MODEL, CLEARANCE_EMBEDDER__KIND="onnx", **UNLIMITED) as (served, url),
        worker(home, db),
        sequencer(home, db, close_after=600, **SIGNED),
    ):
        pid = served.child.pid
        Instance(pid=pid, born=process_start(pid) or 0, api_url=url, model_url=NO_MODEL).save(home)
        sample_loader(home)(LoadTarget(url, {"clearance_owner": db.url("owner")}))
        yield SampleSite(home, url, db)
