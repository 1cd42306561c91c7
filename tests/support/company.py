"""A small company, made over HTTP and by the worker's own pipeline, with a model that says what it is told."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from fastapi.testclient import TestClient
from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from app.audit.encryption import open_address, unseal
from app.db.engine import connect
from app.evidence.records import sealed_for
from app.local.administrator import create_first_administrator
from tests.support.cluster import Db, copied, database_in
from tests.support.sealing import SEALER
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

CARD = "4111 1111 1111 1111"
API_KEY = "AKIA" + "Z7QX4MPLW2RT6VNB"
DEPLOY = f"The deploy key of the build server is {API_KEY} and the travel card is {CARD}."
LEAVE = "Every employee gets twenty-six weeks of parental leave after the first year."
SALARY = "The salary band of level five is ninety-one thousand florins."
MERGER = "The merger with Quillfeather closes in November at the price of nine hundred million."
# Texts by collection and path: a first line `# Title`, then paragraphs.
DOCUMENTS = {
    ("handbook", "leave.md"): f"# Parental leave\n\n{LEAVE}\n\nThe form is on the intranet under people.",
    ("handbook", "travel.md"): f"# Travel card {CARD}\n\n{DEPLOY}\n\nAsk the travel office about the deploy key.",
    ("handbook", "kitchen.md"): "# Kitchen\n\nThe coffee machine is cleaned on Fridays by the kitchen team.",
    ("hr", "salaries.md"): f"# Salary bands\n\n{SALARY}",
    ("board", "merger.md"): f"# Merger\n\n{MERGER}",
}
# What nobody but the readers of hr and board may ever be shown a word of.
SECRETS = ("florins", "ninety-one", "Quillfeather", "nine hundred million", "salaries.md", "merger.md")
ROLES = ("hr", "engineering", "managers")
# Name: capabilities, clearance, roles.
PEOPLE: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "ada": (("ask", "download"), "confidential", ("hr",)),
    "ben": (("ask",), "internal", ("engineering",)),
    "mia": (("ask", "download"), "restricted", ("managers",)),
    "cleo": (("ask", "curate"), "internal", ()),
    "hank": (("ask", "curate"), "confidential", ("hr",)),
    "audrey": (("audit", "open", "export"), "internal", ()),
    "nora": ((), "internal", ()),
}
COLLECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "handbook": ("internal", {"everyone": True}),
    "hr": ("confidential", {"role": "hr"}),
    "board": ("restricted", {"role": "managers"}),
}
CURATES = (("handbook", "cleo"), ("hr", "cleo"), ("board", "cleo"), ("hr", "hank"))


@dataclass
class Company:
    """The database, the keys of its people, and its documents by collection and path."""

    db: Db
    keys: dict[str, str] = field(default_factory=dict)
    documents: dict[tuple[str, str], uuid.UUID] = field(default_factory=dict)

    def headers(self, name: str) -> dict[str, str]:
        """The header that makes a request one of this person's."""
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """What a query gives as the superuser: the truth, past every lock."""
        with psycopg.connect(self.db.libpq("admin"), row_factory=dict_row) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def execute(self, statement: str) -> None:
        """Run statements as the superuser."""
        with psycopg.connect(self.db.libpq("admin"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The audit records of this kind, in the order of their making, each with its actor's name and address, which
        the log has not in the clear; without an address once the key is gone.
        """
        statement = """
          select l.body::json as body, u.name from audit_leaf l left join app_user u on u.id = l.actor
          where l.kind = %s order by l.at, l.id
        """
        found = []
        for row in self.rows(statement, [kind]):
            actor = row["body"]["actor"]
            if actor["address"] is not None:
                key = SEALER.nobodys_key if actor["user"] is None else self._key(actor["user"])
                actor["address"] = None if key is None else open_address(key, actor["address"])
            found.append({**row["body"], "actor": actor if actor["user"] is None else {**actor, "name": row["name"]}})
        return found

    def unsealed(self, record: Mapping[str, Any], name: str) -> str:
        """A sealed text of a record, opened."""
        person = sealed_for(record, name)
        assert person is not None
        key = self._key(person)
        assert key is not None
        opened = unseal(key, record[name], record=uuid.UUID(record["id"]), field=name)
        assert opened.text is not None
        return opened.text

    def _key(self, person: str) -> bytes | None:
        engine = connect(self.db.url("app"), pool_size=1)
        try:
            with Session(engine) as session:
                return SEALER.find_key(session, uuid.UUID(person))
        finally:
            engine.dispose()


def upload(client: TestClient, company: Company, who: str, **given: Any) -> dict[str, Any]:
    """Upload one document and check that it was taken; returns the job."""
    answer = client.post(
        f"/api/v1/collections/{given['collection']}/documents",
        headers=company.headers(who),
        files={"file": ("file.md", given["content"])},
        data={"path": given["path"], "roles": given["roles"]},
    )
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def found(db: Db, *, stocked: bool = True) -> Company:
    """Found the company in an empty database: everything over HTTP, the documents through the worker's pipeline.

    Not `stocked`, its collections are empty.
    """
    company = Company(db)
    company.keys["root"] = create_first_administrator(db.url("owner")).secret
    parts = parts_of(db)
    with client_of(parts) as client:
        send = administering(client, company)
        for role in ROLES:
            send("POST", "/roles", {"name": role})
        for name, (capabilities, clearance, roles) in PEOPLE.items():
            send("POST", "/users", {"name": name, "capabilities": capabilities, "clearance": clearance})
            for role in roles:
                send("PUT", f"/roles/{role}/members/{name}", None)
            company.keys[name] = send("POST", "/keys", {"user": name, "capabilities": capabilities})["secret"]
        for name, (label, grant) in COLLECTIONS.items():
            send("POST", "/collections", {"name": name, "label": label, "grants": [grant]})
        for collection, curator in CURATES:
            send("PUT", f"/collections/{collection}/curators/{curator}", None)
        _make_dead_keys(company, send)
        for (collection, path), text in DOCUMENTS.items() if stocked else ():
            tag = "everyone" if collection == "handbook" else COLLECTIONS[collection][1]["role"]
            upload(client, company, "cleo", collection=collection, path=path, content=text.encode(), roles=[tag])
    work_queued(db)
    places = company.rows(
        "select d.public_id, d.path, c.name from document d join collection c on c.id = d.collection_id"
        " where c.name not like '\\_%%'"
    )
    company.documents = {(row["name"], row["path"]): row["public_id"] for row in places}
    assert set(company.documents) == (set(DOCUMENTS) if stocked else set())
    return company


def administering(client: TestClient, company: Company) -> Callable[[str, str, Any], Any]:
    """Sends an administrator's requests: method, path under /api/v1, body."""

    def send(method: str, path: str, body: Any) -> Any:
        answer = client.request(method, f"/api/v1{path}", json=body, headers=company.headers("root"))
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    return send


def _make_dead_keys(company: Company, send: Callable[[str, str, Any], Any]) -> None:
    """A key past its end and a revoked one, both of a person who may do everything with a living one."""
    every = ["ask", "download", "curate", "administer", "audit", "open", "export", "erase", "hold", "reveal"]
    send("POST", "/users", {"name": "max", "capabilities": every, "clearance": "restricted"})
    past = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).isoformat()
    company.keys["expired"] = send("POST", "/keys", {"user": "max", "capabilities": every, "expires_at": past})[
        "secret"
    ]
    revoked = send("POST", "/keys", {"user": "max", "capabilities": every})
    send("DELETE", f"/keys/{revoked['id']}", None)
    company.keys["revoked"] = revoked["secret"]
    company.keys["max"] = send("POST", "/keys", {"user": "max", "capabilities": every})["secret"]


@contextlib.contextmanager
def copied_company(company: Company) -> Iterator[Company]:
    """The same in a database of its own, with keys and documents that may be added to."""
    with copied(company.db.cluster, company.db.name) as db:
        yield Company(db, dict(company.keys), dict(company.documents))


@contextlib.contextmanager
def company_in(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Company]:
    """The company on a server of its own."""
    with database_in(folder, settings) as db:
        yield found(db)
