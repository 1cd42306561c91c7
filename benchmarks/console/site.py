"""A scratch service with a small company of its own making, and people who are signed in there by links."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.client.access_file import Tags
from app.client.api import Client
from app.client.upload import UploadItem, upload
from app.local.scratch_instance import scratch_instance
from benchmarks.console.model import PacedModel, paced_model

SUBJECTS = [
    "leave",
    "travel",
    "kitchen",
    "parking",
    "training",
    "security",
    "holidays",
    "laptops",
    "meetings",
    "visitors",
]
DOCUMENTS = 40
TEXT = """# {title}

Every employee may ask for {title} from the first day on. The request goes to the office of {title} on floor {number}.

## Deadlines

A request for {title} is answered within {number} working days. Whoever waits longer writes to the head of {title}.

## Costs

The company pays up to {number}00 euros a year for {title}, and nothing beyond that without a written agreement.
"""


def _title(number: int) -> str:
    return f"{SUBJECTS[number % len(SUBJECTS)]} {number}"


def question_of(person: int) -> str:
    """What this person asks: each has a question of their own, which one document answers."""
    return f"Within how many working days is a request for {_title(person % DOCUMENTS)} answered?"


QUESTION = question_of(4)


@dataclass(frozen=True)
class ConsoleSite:
    """Where the service is, an administrator's key, the key of somebody who may ask, and the model behind it all."""

    url: str
    admin_key: str
    reader_key: str
    model: PacedModel

    def link(self, person: str) -> str:
        with Client(self.url, self.admin_key) as client:
            return str(client.post(f"/users/{person}/links", {})["url"]).replace("localhost", "127.0.0.1")

    def session(self, person: str) -> httpx2.Client:
        """A browser's client, signed in as this person."""
        client = httpx2.Client(
            base_url=self.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=120, trust_env=False
        )
        token = self.link(person).partition("token=")[2]
        answer = client.post("/sign-in/link", data={"token": token})
        if answer.status_code >= httpx2.codes.BAD_REQUEST:
            answer.raise_for_status()
        return client


@contextlib.contextmanager
def console_site(people: int) -> Iterator[ConsoleSite]:
    """A service with `people` readers, reader-0 and so on, and some hundred passages; its model says what they say."""
    with tempfile.TemporaryDirectory() as folder, paced_model() as model:
        environ = dict(os.environ) | {"CLEARANCE_MODEL__BASE_URL": model.url, "CLEARANCE_MODEL__NAME": "scripted"}
        home = Path(folder) / "home"
        with scratch_instance(home, environ, model=True) as instance:
            reader = _found(instance.api_url, instance.admin_key, people)
            site = ConsoleSite(instance.api_url, instance.admin_key, reader, model)
            _stock(site, Path(folder))
            yield site


def _found(url: str, admin_key: str, people: int) -> str:
    with Client(url, admin_key) as client:
        client.post("/collections", {"name": "handbook", "label": "internal", "grants": [{"everyone": True}]})
        for number in range(people):
            client.post("/users", {"name": f"reader-{number}", "capabilities": ["ask", "download"]})
        client.post("/users", {"name": "librarian", "capabilities": ["curate"]})
        client.put("/collections/handbook/curators/librarian")
        key = client.post("/keys", {"user": "reader-0", "capabilities": ["ask", "download"]})
        return str(key["secret"])


def _stock(site: ConsoleSite, folder: Path) -> None:
    with Client(site.url, site.admin_key) as client:
        key = str(client.post("/keys", {"user": "librarian", "capabilities": ["curate"]})["secret"])
    items = []
    for number in range(DOCUMENTS):
        title = _title(number)
        file = folder / f"page-{number}.md"
        file.write_text(TEXT.format(title=title, number=number + 2), "utf-8")
        items.append(UploadItem(file, "handbook", f"pages/page-{number}.md", Tags((), label="internal", inherits=True)))
    with Client(site.url, key) as client:
        failed = [outcome for outcome in upload(client, items, on_end=lambda _: None) if outcome.state == "failed"]
    if failed:
        raise SystemExit(f"{len(failed)} documents failed: {failed[0].reason}")
