"""The audit trail of one answer: opened before the model sees anything, closed whatever happens."""

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from app.acl.rules import Subject
from app.acl.visible import Visible
from app.answer.parts import Parts
from app.audit import events
from app.audit.record import Actor, CommittedText, Event, SealedText, new_id
from app.audit.trail import record
from app.context.build import TEMPLATE_DIGEST, Context
from app.errors import DatabaseUnavailable
from app.llm.protocol import Endpoint


def actor(subject: Subject) -> Actor:
    """The caller as the log names them."""
    return Actor(user=subject.user_id, name=subject.name, key=subject.key_prefix)


@dataclass
class Trail:
    """Collects what the closing record says, while the answer is made."""

    subject: Subject
    id: uuid.UUID = field(default_factory=new_id)
    outcome: events.Outcome | None = None
    reason: str | None = None
    redactions: Counter[str] = field(default_factory=Counter)
    tokens_in: int | None = None
    tokens_out: int | None = None
    output: list[str] = field(default_factory=list)
    stages: dict[str, int] = field(default_factory=dict)
    opened: bool = False
    _mark: int = field(default_factory=time.perf_counter_ns)

    def lap(self, stage: str) -> None:
        """The time since the last lap belongs to this stage (microseconds, added up)."""
        now = time.perf_counter_ns()
        self.stages[stage] = self.stages.get(stage, 0) + (now - self._mark) // 1000
        self._mark = now

    def end(self, outcome: events.Outcome, reason: str | None = None) -> None:
        """How it ended."""
        self.outcome, self.reason = outcome, reason

    def end_once(self, outcome: events.Outcome, reason: str | None = None) -> None:
        """How it ended, unless that is known already: who hangs up after the last word was answered."""
        if self.outcome is None:
            self.end(outcome, reason)

    def open(
        self, parts: Parts, question: str, visible: Visible, *, mode: str, context: Context | None, route: str | None
    ) -> None:
        """Commit what the model will be shown. Until this returns, nothing may be shown."""
        event = events.AnswerOpened(
            actor=actor(self.subject),
            trail=self.id,
            question=SealedText(question),
            mode=mode,
            policy_epoch=visible.epoch,
            valid_until=visible.valid_until,
            scopes=tuple(str(s) for s in visible.public_ids),
            passages=_passages(context),
            label=context.label.text if context else "public",
            embedder=parts.embedder.digest,
            template=TEMPLATE_DIGEST,
            prompt=CommittedText(context.prompt.decode()) if context and route else None,
            model=_route(parts.chat.endpoint, route) if route else None,
        )
        _commit(parts, event)
        self.opened = True

    def close(self, parts: Parts) -> None:
        """Commit how it ended; does nothing for a trail that was never opened."""
        if not self.opened:
            return
        event = events.AnswerClosed(
            actor=actor(self.subject),
            trail=self.id,
            outcome=self.outcome or "failed",
            reason=self.reason,
            redactions=dict(self.redactions),
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            latency_us=self.stages,
            output=CommittedText("".join(self.output)),
        )
        _commit(parts, event)


def _commit(parts: Parts, event: Event) -> None:
    """Commit one record; a database that refuses it, for whatever reason, is one that does not do its part."""
    try:
        with parts.database.anonymous() as session:
            record(session, event, parts.sealer)
    except DBAPIError as error:
        raise DatabaseUnavailable("The audit log cannot be written, so nothing is answered.") from error


def _passages(context: Context | None) -> tuple[events.Passage, ...]:
    shown = context.passages if context else ()
    return tuple(
        events.Passage(chunk=p.chunk, document=p.document, version=p.version, rank=rank, label=p.label.text)
        for rank, p in enumerate(shown, start=1)
    )


def _route(endpoint: Endpoint, reason: str) -> events.ModelRoute:
    return events.ModelRoute(name=endpoint.model, endpoint=endpoint.address, reason=reason)
