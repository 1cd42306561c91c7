"""A database of the benchmark's own, filled through the product's own functions, and services that run over it."""

import contextlib
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import delete, make_url

from app.acl.rules import Grant, OwnRule
from app.acl.scopes import scope_for
from app.audit.encryption import Sealer
from app.client.api import Client
from app.db.bootstrap import LOGIN_ROLES, close_database, libpq, prepare
from app.db.engine import connect
from app.db.rls_probe import CANARY
from app.db.session import Database, Signer, WriteSession
from app.db.tables.access import Collection, Curator
from app.db.tables.library import IngestJob
from app.db.tables.people import ApiKey, Membership, Role, User
from app.embedding.hashed import HashedEmbedder
from app.identity.api_keys import make_key
from app.identity.authenticate import subject_of
from app.identity.subject import Capability, Label, Principal, Subject
from app.local.postgres import EmbeddedPostgres, free_port
from ingest.document import DocumentPassage
from ingest.embed import IndexedPassage, index_passages
from ingest.write import NewVersion, write_version

KEY, AUDIT_KEY, PASSWORD = "5c" * 32, "6d" * 32, "bench"
ROOT = Path(__file__).parents[1]
EMBEDDER = HashedEmbedder()
BATCH = 200  # documents in one transaction
ENDINGS = ("nd", "rm", "st", "lk", "mpo", "rga", "vin", "tul")
VOCABULARY = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ENDINGS]
WORDS = 120  # of a passage
# High enough that no limit of ours is measured.
NO_LIMITS = {"rate_per_minute": 1_000_000, "bulk_rate_per_minute": 1_000_000, "burst": 100_000, "concurrent": 64}
PLAIN = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Db:
    """A migrated database on a server of the benchmark's own."""

    server: EmbeddedPostgres
    name: str

    def url(self, role: str) -> str:
        """SQLAlchemy URL as `postgres`, the superuser, or as `app`, `owner`, `ingest`, `search` …"""
        return self.server.url(role if role == "postgres" else f"clearance_{role}", PASSWORD, self.name)

    def admin(self) -> psycopg.Connection[Any]:
        """A connection of the superuser, each statement in its own transaction."""
        return psycopg.connect(libpq(make_url(self.url("postgres"))), autocommit=True)

    def api(self, connections: int = 1) -> Database:
        """The API's way in; plans are kept, as the service does on a direct connection."""
        engine = connect(self.url("app"), pool_size=connections, prepare=True)
        sealer = Sealer(bytes.fromhex(AUDIT_KEY))
        return Database(engine, Signer(KEY, seconds=600), statement_timeout_ms=600_000, sealer=sealer)

    def copy(self, name: str) -> "Db":
        """A copy of a database that nobody is connected to. Its own privileges do not come with it."""
        with psycopg.connect(libpq(make_url(self.server.url("postgres", PASSWORD, "postgres"))), autocommit=True) as c:
            c.execute(f"create database {name} template {self.name}".encode())
            close_database(c, name)
        return Db(self.server, name)


@contextlib.contextmanager
def server(settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that is thrown away, with normal durability unless `settings` say otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user than root
        with EmbeddedPostgres(Path(folder) / "pg", password=PASSWORD, settings=settings) as running:
            yield running


def database(running: EmbeddedPostgres, name: str = "bench") -> Db:
    admin, passwords = running.url("postgres", PASSWORD, "postgres"), dict.fromkeys(LOGIN_ROLES, PASSWORD)
    prepare(admin_url=admin, database=name, passwords=passwords, identity_key=KEY)
    return Db(running, name)


@dataclass(frozen=True)
class Document:
    """What is put at `path` of a collection, under one of its scopes."""

    path: str
    collection: uuid.UUID
    scope: int
    passages: Sequence[IndexedPassage]


@dataclass(frozen=True)
class World:
    """Writes people, rules and documents. Everything is committed at once."""

    db: Db

    @cached_property
    def _engines(self) -> dict[str, Any]:
        return {role: connect(self.db.url(role), pool_size=2) for role in ("owner", "ingest")}

    @contextlib.contextmanager
    def session(self, role: str = "owner") -> Iterator[WriteSession]:
        """One transaction as a database role: owner or ingest."""
        with WriteSession(self._engines[role], expire_on_commit=False) as session, session.begin():
            yield session

    def role(self, name: str) -> uuid.UUID:
        return self._add(Role(name=name))

    def person(
        self,
        name: str,
        *,
        may: Sequence[Capability] = (Capability.ASK,),
        roles: Sequence[uuid.UUID] = (),
        curates: Sequence[uuid.UUID] = (),
        clearance: Label = Label.INTERNAL,
    ) -> uuid.UUID:
        user = self._add(User(name=name, display_name=name, clearance=int(clearance), capabilities=list(may)))
        with self.session() as session:
            session.add_all(Membership(user_id=user, role_id=role) for role in roles)
            session.add_all(Curator(user_id=user, collection_id=collection) for collection in curates)
        return user

    def key(self, user: uuid.UUID, may: Sequence[Capability] = (Capability.ASK,)) -> str:
        key = make_key()
        self._add(ApiKey(prefix=key.prefix, hash=key.hash, user_id=user, capabilities=list(may)))
        return key.secret

    def subject(self, user: uuid.UUID) -> Subject:
        """The user as the service knows them."""
        with self.session() as session:
            return subject_of(session, session.get_one(User, user))

    def collection(self, name: str, own: OwnRule) -> uuid.UUID:
        made = self._add(Collection(name=name, own_rule=own.to_json()))
        self.scope(made, OwnRule())
        return made

    def scope(self, collection: uuid.UUID, own: OwnRule) -> int:
        """The scope of documents with this own rule."""
        with self.session() as session:
            return scope_for(session, session.get_one(Collection, collection), own)

    def documents(self, documents: Iterable[Document]) -> list[uuid.UUID]:
        """Write them in their order, as the worker does; gives their public ids."""
        written, left = list[uuid.UUID](), iter(documents)
        while batch := list(islice(left, BATCH)):
            with self.session() as session:
                jobs = [_job(document) for document in batch]
                session.add_all(jobs)
                session.flush()
                ids = [job.id for job in jobs]
            with self.session("ingest") as session:
                for number, document in zip(ids, batch, strict=True):
                    version = NewVersion(document.path, "text/plain", document.path.encode())
                    job = session.get_one(IngestJob, number)
                    written.append(write_version(session, job, version, list(document.passages)).document)
            with self.session() as session:
                session.execute(delete(IngestJob).where(IngestJob.id.in_(ids)))
        return written

    def settle(self) -> None:
        """Statistics and a clean heap, as autovacuum leaves them; closes the connections of this object."""
        with self.db.admin() as connection:
            connection.execute("vacuum analyze")
        for engine in self._engines.values():
            engine.dispose()

    def _add(self, row: Any) -> uuid.UUID:
        with self.session() as session:
            session.add(row)
            session.flush()
            return uuid.UUID(str(row.id))


def _job(document: Document) -> IngestJob:
    content = document.path.encode()
    return IngestJob(
        collection_id=document.collection,
        scope_id=document.scope,
        path=document.path,
        uploaded_by=CANARY,
        size=len(content),
        sha256=hashlib.sha256(content).digest(),
        state="running",
    )


def allow(role: uuid.UUID, *, inherits: bool = False) -> OwnRule:
    """An internal rule that lets one role read."""
    return OwnRule(frozenset({Grant("allow", Principal("role", role))}), inherits=inherits, label=Label.INTERNAL)


def indexed(texts: Sequence[str], title: str = "") -> list[IndexedPassage]:
    """Passages with the hashed embedder's vectors, which takes no time."""
    passages = [DocumentPassage(body, (), None, n, EMBEDDER.count(body), title, title) for n, body in enumerate(texts)]
    return list(index_passages(passages, EMBEDDER))


def prose(rng: random.Random) -> str:
    """A passage whose words come as in prose: few often, many seldom."""
    drawn = (min(int(rng.paretovariate(0.9)) - 1, len(VOCABULARY) - 1) for _ in range(WORDS))
    return " ".join(VOCABULARY[n] for n in drawn) + "."


def question_about(passage: str) -> str:
    """A question with the eight rarest words of a passage."""
    words = sorted(set(passage.rstrip(".").split()), key=VOCABULARY.index)
    return f"What is said of {' '.join(words[-8:])}?"


@contextlib.contextmanager
def api_process(db: Db, module: str = "app", more: Mapping[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """The API with the hashed embedder, in a process of its own that runs this module: its URL and process id.

    `more` are settings besides, by the names of their variables.
    """
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environ = {name: os.environ[name] for name in PLAIN if name in os.environ} | {
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",  # two processes differ by it alone
        "CLEARANCE_DATABASE__APP_URL": db.url("app"),
        "CLEARANCE_IDENTITY__KEY": KEY,
        "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
        "CLEARANCE_EMBEDDER__KIND": "hashed",
        "CLEARANCE_API__PORT": port,
        **{f"CLEARANCE_API__{name.upper()}": str(value) for name, value in NO_LIMITS.items()},
        **(more or {}),
    }
    with tempfile.TemporaryFile() as log, Client(url, None) as client:
        process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not client.healthy():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(log.read().decode(errors="replace")[-2000:])
                time.sleep(0.1)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(20)
