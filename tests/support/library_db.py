"""People, collections and documents in a test database, written by the code that writes them in the product."""

import contextlib
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.rules import Grant, OwnRule
from app.acl.scopes import scope_for
from app.db.engine import connect
from app.db.rls_probe import CANARY
from app.db.session import RECORD_SEALER, Database, WriteSession
from app.db.tables.access import Collection, Curator
from app.db.tables.library import IngestJob
from app.db.tables.people import Membership, Role, RoleInside, User
from app.embedding.hashed import HashedEmbedder
from app.identity.authenticate import subject_of
from app.identity.subject import Capability, Label, Principal, Subject
from ingest.document import DocumentPassage
from ingest.embed import index_passages
from ingest.write import NewVersion, write_version
from tests.support.cluster import Db
from tests.support.sealing import SEALER

EMBEDDER = HashedEmbedder()
TEXT_TABLES = ("document", "original", "chunk", "vector_row", "posting")


@dataclass
class LibraryDb:
    """One test database, its engines by database role, and short ways to fill it. Everything is committed at once."""

    db: Db
    pool_size: int = 4
    _engines: dict[str, Engine] = field(default_factory=dict)

    def engine(self, role: str) -> Engine:
        """The engine of a database role: owner, app, ingest, sequencer, backup, admin."""
        return self._engines.setdefault(role, connect(self.db.url(role), pool_size=self.pool_size))

    @contextlib.contextmanager
    def session(self, role: str) -> Iterator[WriteSession]:
        """One transaction as this database role."""
        with (
            WriteSession(self.engine(role), expire_on_commit=False, info={RECORD_SEALER: SEALER}) as session,
            session.begin(),
        ):
            yield session

    def person(
        self,
        name: str,
        *,
        clearance: Label = Label.INTERNAL,
        may: Sequence[Capability] = (Capability.ASK,),
        roles: Sequence[uuid.UUID] = (),
        curates: Sequence[uuid.UUID] = (),
    ) -> uuid.UUID:
        with self.session("owner") as session:
            user = User(name=name, display_name=name, clearance=int(clearance), capabilities=[c.value for c in may])
            session.add(user)
            session.flush()
            session.add_all(Membership(user_id=user.id, role_id=role) for role in roles)
            session.add_all(Curator(user_id=user.id, collection_id=collection) for collection in curates)
            return user.id

    def role(self, name: str, *, inside: Sequence[uuid.UUID] = ()) -> uuid.UUID:
        with self.session("owner") as session:
            role = Role(name=name)
            session.add(role)
            session.flush()
            session.add_all(RoleInside(role_id=role.id, inside_id=outer) for outer in inside)
            return role.id

    def collection(self, name: str, *grants: Grant, label: Label = Label.INTERNAL) -> uuid.UUID:
        """A new collection with its plain scope."""
        own = OwnRule(frozenset(grants), inherits=False, label=label)
        with self.session("owner") as session:
            made = Collection(name=name, own_rule=own.to_json())
            session.add(made)
            session.flush()
            scope_for(session, made, OwnRule())
            return made.id

    def scope(self, collection: uuid.UUID, own: OwnRule | None = None) -> int:
        """The scope of this own rule on this collection."""
        with self.session("owner") as session:
            return scope_for(session, session.get_one(Collection, collection), own or OwnRule())

    def document(self, collection: uuid.UUID, path: str, *texts: str, own: OwnRule | None = None) -> int:
        """A document with one passage a text, written as the worker writes it; gives its number."""
        passages = [DocumentPassage(t, (), None, n, EMBEDDER.count(t)) for n, t in enumerate(texts)]
        content = "\n".join(texts).encode()
        scope = self.scope(collection, own)
        with self.uploading(collection, {path: (scope, content)}) as (session, [job]):
            written = write_version(
                session, job, NewVersion(path, "text/plain", content), index_passages(passages, EMBEDDER)
            )
        return int(self.value("owner", "select id from document where public_id = :id", id=written.document))

    @contextlib.contextmanager
    def uploading(
        self, collection: uuid.UUID, files: Mapping[str, tuple[int, bytes]]
    ) -> Iterator[tuple[Session, list[IngestJob]]]:
        """The worker's session, with an upload for each path, of its scope and content, that it is working on."""
        with self.session("owner") as session:
            jobs = [
                IngestJob(
                    collection_id=collection,
                    scope_id=scope,
                    path=path,
                    uploaded_by=CANARY,
                    size=len(content),
                    sha256=hashlib.sha256(content).digest(),
                    state="running",
                )
                for path, (scope, content) in files.items()
            ]
            session.add_all(jobs)
            session.flush()
            ids = [job.id for job in jobs]
        with self.session("ingest") as session:
            yield session, [session.get_one(IngestJob, job) for job in ids]
        with self.session("owner") as session:
            session.execute(delete(IngestJob).where(IngestJob.id.in_(ids)))

    def subject(self, user: uuid.UUID) -> Subject:
        """The user as a subject with all his capabilities."""
        with self.session("owner") as session:
            return subject_of(session, session.get_one(User, user))

    @contextlib.contextmanager
    def changing(self, database: Database, user: uuid.UUID) -> Iterator[WriteSession]:
        """A transaction of the API as this user that changes access, and is judged as the routes have it."""
        with database.writing(user) as session:
            guard_change(session, self.subject(user))
            yield session

    def value(self, role: str, statement: str, **values: object) -> int:
        """The one number that a statement gives, as this database role without identity."""
        with self.session(role) as session:
            return int(session.execute(text(statement), values).scalar_one())

    def text(self, statement: str, **values: object) -> str:
        """The one text that a statement gives the owner."""
        with self.session("owner") as session:
            return str(session.execute(text(statement), values).scalar_one())

    def run(self, role: str, statement: str, **values: object) -> int:
        """Run a statement as this database role without identity; gives the number of rows it touched."""
        with self.session(role) as session:
            return touched(session, statement, **values)

    def check_refused(self, why: str, role: str, statement: str, /, **values: object) -> None:
        """Fail unless a statement of this database role, without identity, is refused for this reason."""
        with pytest.raises(DBAPIError, match=why):
            self.run(role, statement, **values)
            pytest.fail(f"{role} may: {statement}")

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()


def touched(session: Session, statement: str, **values: object) -> int:
    """Run a statement; gives the number of rows it touched or gave."""
    result = session.execute(text(statement), values)
    return int(getattr(result, "rowcount", 0))


def check_refused(database: Database, user: uuid.UUID, why: str, statement: str, /, **values: object) -> None:
    """Fail unless a statement of the API's as this user is refused for this reason."""
    with pytest.raises(DBAPIError, match=why), database.writing(user) as session:
        touched(session, statement, **values)
        pytest.fail(f"not refused: {statement}")


def counts(session: Session, tables: Sequence[str] = TEXT_TABLES) -> dict[str, int]:
    """How many rows of each table this session sees."""
    return {t: int(session.scalar(text(f"select count(*) from {t}")) or 0) for t in tables}


def allow(kind: str, principal: uuid.UUID) -> Grant:
    """An allow without times to a role or user."""
    return Grant("allow", Principal("role" if kind == "role" else "user", principal))


def deny(kind: str, principal: uuid.UUID) -> Grant:
    """A deny to a role or user."""
    return Grant("deny", Principal("role" if kind == "role" else "user", principal))


@contextlib.contextmanager
def library_of(db: Db) -> Iterator[LibraryDb]:
    """A library that closes its connections."""
    with contextlib.closing(LibraryDb(db)) as library:
        yield library
