"""Whatever is done to a collection, in whatever order, each document stands under the rule that its place gives it."""

import random
import uuid
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine, select, text

from app.acl.placement import Upload, lock_document, remove_document, rule_document, submit
from app.acl.rule_changes import drop_folder, rule_collection, rule_folder
from app.acl.rule_store import rule_of
from app.acl.rules import Grant, OwnRule, Rule, effective
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection, Scope
from app.db.tables.library import Document
from app.embedding.hashed import HashedEmbedder
from app.identity.subject import FOR_PEOPLE, Label, Principal
from ingest import pipeline
from tests.support.environment import LAW_FACTOR, Report
from tests.support.library_db import LibraryDb
from tests.support.worker import extract_markdown

COLLECTIONS, STEPS = 4 * LAW_FACTOR, 40
FOLDERS = ["a", "a/b", "a/b/c", "ab", "b", "b/a"]
PATHS = [f"{folder}/{name}" for folder in FOLDERS for name in ("x.md", "y.md")] + ["x.md", "a.md", "ab.md"]


@dataclass
class Model:
    collection: OwnRule
    folders: dict[str, OwnRule] = field(default_factory=dict)
    documents: dict[str, OwnRule] = field(default_factory=dict)

    def rule_for(self, path: str) -> Rule:
        """The effective rule of the document at this path."""
        above = sorted((f for f in self.folders if path.startswith(f + "/")), key=len)
        return effective(self.collection, *(self.folders[f] for f in above), self.documents[path])


class Place:
    """A collection in the database, and the model beside it. Uploads may wait while other things happen."""

    def __init__(self, library: LibraryDb, database: Database, seed: int) -> None:
        self.library, self.database, self.chance = library, database, random.Random(seed)
        self.roles = [library.role(f"role-{seed}-{n}") for n in range(4)]
        self.model = Model(OwnRule(inherits=False, label=Label.INTERNAL))
        self.id = library.collection(f"collection-{seed}")
        self.root = library.person(f"root-{seed}", may=sorted(FOR_PEOPLE), curates=[self.id], clearance=Label.PUBLIC)
        self.subject = library.subject(self.root)
        self.waiting: list[tuple[str, OwnRule, uuid.UUID]] = []
        self.embedder = HashedEmbedder()

    def any_rule(self, *, inherits: bool | None = None) -> OwnRule:
        """A small rule; about half of them are equal to an earlier one, so that scopes are shared."""
        grants = {Grant(self.chance.choice(["allow", "deny"]), Principal("role", r)) for r in
                  self.chance.sample(self.roles, self.chance.randint(0, 2))}  # fmt: skip
        label = self.chance.choice([None, None, Label.CONFIDENTIAL])
        flag = self.chance.random() < 0.7 if inherits is None else inherits
        return OwnRule(frozenset(grants), flag, label)

    def step(self, engine: Engine) -> str:
        act = self.chance.choices(
            ["upload", "work", "collection", "folder", "folder gone", "document", "document gone", "collect"],
            [6, 4, 1, 4, 2, 3, 1, 1],
        )[0]
        match act:
            case "upload":
                path, own = self.chance.choice(PATHS), self.any_rule()
                with self.database.writing(self.root) as session:
                    upload = Upload(path, f"# T\n\n{self.chance.random()}".encode(), own)
                    job, _ = submit(session, self.subject, session.get_one(Collection, self.id), upload)
                self.waiting.append((path, own, job))
            case "work":
                self.work(engine)
            case "collection":
                self.model.collection = self.any_rule(inherits=False)
                self.model.collection = OwnRule(
                    self.model.collection.grants, False, self.model.collection.label or Label.INTERNAL
                )
                with self.database.writing(self.root) as session:
                    collection = session.get_one(Collection, self.id)
                    rule_collection(session, self.subject, collection, self.model.collection)
            case "folder":
                path, own = self.chance.choice(FOLDERS), self.any_rule()
                self.model.folders[path] = own
                with self.database.writing(self.root) as session:
                    rule_folder(session, self.subject, session.get_one(Collection, self.id), path, own)
            case "folder gone" if self.model.folders:
                path = self.chance.choice(sorted(self.model.folders))
                del self.model.folders[path]
                with self.database.writing(self.root) as session:
                    drop_folder(session, self.subject, session.get_one(Collection, self.id), path)
            case "document" | "document gone" if self.model.documents:
                self.touch(self.chance.choice(sorted(self.model.documents)), gone=act == "document gone")
            case "collect":
                self.library.run("ingest", "select clearance.collect_scopes('0 s')")
        return act

    def touch(self, path: str, *, gone: bool) -> None:
        """Give a document another rule, or take it away. A rule given beats the tags of uploads that wait."""
        with self.library.changing(self.database, self.root) as session:
            here = (Document.path == path) & (Document.collection_id == self.id)
            place = lock_document(session, self.subject, session.scalars(select(Document.public_id).where(here)).one())
            if gone:
                remove_document(session, self.subject, place)
                del self.model.documents[path]
                return
            own = self.any_rule()
            rule_document(session, self.subject, place, own)
        self.model.documents[path] = own
        self.waiting = [(p, own if p == path else o, j) for p, o, j in self.waiting]

    def work(self, engine: Engine) -> None:
        for path, own, job in self.waiting:
            pipeline.work(pipeline.WorkerComponents(engine, self.embedder, extract_markdown), job)
            self.model.documents[path] = own
        self.waiting = []

    def check(self, session: WriteSession) -> int:
        """Every document is under its rule, alone in its kind of scope, with all that was derived from it."""
        rows = session.execute(select(Document.path, Scope.rule_id).join(Scope, Scope.id == Document.scope_id)
                               .where(Document.collection_id == self.id)).all()  # fmt: skip
        assert {r.path for r in rows} == set(self.model.documents)
        for row in rows:
            assert rule_of(session, row.rule_id) == self.model.rule_for(row.path), row.path
        astray = text(
            "select count(*) from chunk c join document d on d.id = c.document_id where c.scope_id <> d.scope_id"
        )
        assert session.scalar(astray) == 0
        return len(rows)


@pytest.mark.timeout(600)
def test_every_document_is_under_its_rule(library: LibraryDb, database: Database, report: Report) -> None:
    """Random acts on random collections; the oracle is asked after each one."""
    acts, documents = 0, 0
    for seed in range(COLLECTIONS):
        collection = Place(library, database, seed)
        done: list[str] = []
        for _ in range(STEPS):
            done.append(collection.step(library.engine("ingest")))
            with library.session("owner") as session:
                try:
                    documents += collection.check(session)
                except AssertionError as error:
                    pytest.fail(f"collection {seed} after {done}: {error}")
        acts += len(done)
    report(f"folders: {COLLECTIONS} collections, {acts} acts, {documents} documents looked at")
    assert documents > 100 * COLLECTIONS
