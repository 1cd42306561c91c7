"""A log of records of different ages, with rules of how long they are kept."""

import uuid
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import sequencing
from app.audit.events.answers import AnswerClosed, SearchDone
from app.audit.events.base import Actor, Event, SealedText
from app.audit.events.log_reading import ExportFormat
from app.audit.export import export_log
from app.audit.export_forms.forms import FORMS
from app.audit.log import record
from app.audit.pruning import prune_batch
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb, opened
from tests.support.cluster import Db

AGE = """
    update audit_leaf set at = clock_timestamp() - make_interval(days => :days) where id = :id
"""
RULE = """
    insert into retention_rule (kind, label, days, reason, requested_by, decided_by, decided_at, approved)
    values (:kind, :label, :days, 'A policy of ours.', gen_random_uuid(), gen_random_uuid(), clock_timestamp(), true)
"""
LEFT = "select seq from audit_entry order by seq"
GONE = "select seq from audit_pruned order by seq"


class AgedLog:
    """Records of people, each of which was written so many days ago."""

    def __init__(self, db: Db) -> None:
        self.world = AuditDb(db)
        may = {"au": [Capability.AUDIT], "ada": [], "bob": []}
        self.people = {name: self.world.person(name, may=each) for name, each in may.items()}

    def close(self) -> None:
        self.world.close()

    def add(self, event: Event, days: int) -> uuid.UUID:
        """Record this, as of so many days ago."""
        user = event.actor.user
        with self.world.session("sequencer") if user is None else self.world.acting(user) as session:
            record(session, event)
        with self.world.session("admin") as session:
            session.execute(text("alter table audit_leaf disable trigger append_only"))
            session.execute(text(AGE), {"days": days, "id": event.id})
            session.execute(text("alter table audit_leaf enable always trigger append_only"))
        return event.id

    def search(self, who: str, days: int, *documents: uuid.UUID) -> uuid.UUID:
        words = SealedText("who earns what?")
        actor = Actor(self.people[who])
        return self.add(SearchDone(actor=actor, query=words, policy_epoch=1, hits=(), documents=documents), days)

    def answer(
        self, who: str, days: int, *documents: uuid.UUID, label: str = "public", by: str | None = None
    ) -> uuid.UUID:
        """An answer, opened and closed; `by`: closed by this part of ours. Gives its trail."""
        trail = uuid.uuid4()
        self.add(replace(opened(self.people[who], trail, *documents), label=label), days)
        actor = Actor(self.people[who]) if by is None else Actor.service(by)
        self.add(AnswerClosed(actor=actor, trail=trail, outcome="quoted" if by is None else "abandoned"), days)
        return trail

    def place(self) -> None:
        with self.world.session("sequencer") as session:
            assert sequencing.lock(session)
            sequencing.append_batch(session)

    def rule(self, kind: str, days: int | None, label: str | None = None) -> None:
        self.world.run("owner", RULE, kind=kind, days=days, label=label)

    def prune(self) -> int:
        """As the sequencer does, batch after batch; gives how many went."""
        total = first = 0
        while True:
            with self.world.session("sequencer") as session:
                assert sequencing.lock(session)
                batch = prune_batch(session, first=first)
            if batch is None:
                return total
            total, first = total + batch.count, batch.last + 1

    def numbers(self, statement: str = LEFT) -> list[int]:
        with self.world.session("owner") as session:
            return list(session.scalars(text(statement)))

    def reads(self) -> AbstractContextManager[Session]:
        return self.world.as_user(self.people["au"])

    def export(self, path: Path, form: ExportFormat = "jsonl") -> Path:
        path.write_bytes(b"".join(export_log(self.reads, FORMS[form])))
        return path
