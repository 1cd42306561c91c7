"""The audit trail of one answer: opened before the model sees anything, closed whatever happens.

In a conversation the turn is kept in the transaction that closes the trail, and so is what its pseudonyms stand for.
"""

import contextlib
import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import DBAPIError

from app.acl.visible import Visible
from app.answer.components import Components
from app.answer.conversation_store import ANSWERED, keep
from app.answer.events import Done, Searched, Source, TurnPart
from app.answer.followups import WholeQuestion, without_citations
from app.answer.kept_answers import KeepingPolicy, kept_excerpts, kept_output
from app.answer.kept_pseudonyms import keep_pseudonyms
from app.answer.prompt import Context
from app.answer.prompt_templates import TEMPLATES
from app.answer.sources import Cited
from app.answer.turns import AnswerDetails, NewTurn, details_of
from app.audit.actor import actor
from app.audit.events import answers as events
from app.audit.events.base import CommittedText, SealedText, new_id
from app.audit.log import record
from app.db.session import WriteSession
from app.embedding.protocol import Embedder
from app.errors import DatabaseUnavailable
from app.grounding.report import GroundingReport
from app.guardrail.redaction import Redaction
from app.identity.subject import Subject
from app.refusals.judge import QuestionVerdict


@dataclass
class Trail:
    """Collects what the closing record says, while the answer is made; `conversation` is the one it is a turn of, and
    `collections` are those that were chosen, by name; `collection_ids` are theirs.
    """

    subject: Subject
    conversation: uuid.UUID | None = None
    collections: tuple[str, ...] = ()
    collection_ids: tuple[uuid.UUID, ...] = ()
    id: uuid.UUID = field(default_factory=new_id)
    outcome: events.Outcome | None = None
    reason: str | None = None
    redactions: Counter[str] = field(default_factory=Counter)  # in all that was sent
    shown_redactions: Counter[str] = field(default_factory=Counter)  # in what is shown with the answer
    tokens_in: int | None = None
    tokens_out: int | None = None
    output: list[str] = field(default_factory=list)
    sources: tuple[Source, ...] = ()
    # What is hidden from the asker by the policy in force when the text was begun; None before that.
    redaction: Redaction | None = None
    grounding: GroundingReport | None = None
    entailment: events.EntailmentCheck | None = None
    conflicts: int = 0
    blocks: tuple[events.ShownBlock, ...] = ()
    stages: dict[str, int] = field(default_factory=dict)
    codebook: str | None = None
    reranker: str | None = None
    opened: events.AnswerOpened | None = None
    documents: frozenset[uuid.UUID] = frozenset()
    # Whether the log keeps the answer, sealed.
    keeps: bool = False
    # The question's own vector, which a conversation keeps, and the question as it was searched for.
    vector: NDArray[np.float32] | None = None
    whole: WholeQuestion | None = None
    verdict: QuestionVerdict | None = None
    done: Done | None = None
    _mark: int = field(default_factory=time.perf_counter_ns)

    @property
    def searched(self) -> Searched | None:
        """What was searched for, where earlier turns had a part in it."""
        return self.whole.searched if self.whole else None

    def completed(self, done: Done) -> Done:
        """The end of an answer, with what was searched for and what grounding found; the turn keeps it."""
        self.done = replace(done, searched=self.searched, grounding=self.grounding)
        return self.done

    def mark_stage(self, stage: str) -> None:
        """The time since the last lap belongs to this stage (microseconds, added up)."""
        now = time.perf_counter_ns()
        self.stages[stage] = self.stages.get(stage, 0) + (now - self._mark) // 1000
        self._mark = now

    def end(self, outcome: events.Outcome, reason: str | None = None) -> None:
        self.outcome, self.reason = outcome, reason

    def end_once(self, outcome: events.Outcome, reason: str | None = None) -> None:
        """How it ended, unless that is known already: who hangs up after the last word was answered."""
        if self.outcome is None:
            self.end(outcome, reason)

    def count(self, counts: Mapping[str, int], cited: Cited | None = None) -> None:
        """Add what was redacted in the text and, with it, in its sources, which are shown as well."""
        self.redactions.update(counts)
        self.shown_redactions.update(counts)
        if cited is not None:
            self.redactions.update(cited.redactions)
            self.shown_redactions.update(cited.shown)
            self.sources = cited.sources

    def open(
        self,
        parts: Components,
        question: str,
        visible: Visible,
        *,
        mode: str,
        context: Context | None,
        route: str | None,
    ) -> None:
        """Commit what the model will be shown. Until this returns, nothing may be shown."""
        endpoint, whole = parts.chat.endpoint, self.whole
        template = TEMPLATES[parts.settings.model.prompt]
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
            template=template.digest,
            template_version=template.version,
            prompt=CommittedText(context.prompt.decode()) if context and route else None,
            model=events.ModelRoute(endpoint.model, endpoint.address, route) if route else None,
            codebook=self.codebook,
            depth=parts.settings.search.depth if self.codebook else None,
            reranker=self.reranker,
            conversation=self.conversation,
            collections=self.collection_ids,
            history=tuple(e.turn for e in context.earlier) if context else (),
            searched=_searched(whole),
            added_words=SealedText(asked) if (asked := _added_words(whole, "question")) else None,
            answer_words=CommittedText(said) if (said := _added_words(whole, "answer")) else None,
            topic_changed=whole is not None and whole.topic_changed,
            prompt_redactions=dict(context.redactions)
            if context and route and context.redactions is not None
            else None,
            refusal=_refusal(self.verdict),
        )
        with _recording(parts, self.subject) as session:
            record(session, event)
        self.opened = event
        self.documents = context.documents if context else frozenset()
        self.keeps = KeepingPolicy.of(parts.settings.audit).keeps(context)

    def close(self, parts: Components) -> None:
        """Commit how it ended; does nothing for a trail that was never opened."""
        if self.opened is None:
            return
        redaction = self.redaction
        pseudonyms = redaction.pseudonyms if redaction else ()
        event = events.AnswerClosed(
            actor=actor(self.subject),
            trail=self.id,
            outcome=self.outcome or "failed",
            reason=self.reason,
            redactions=dict(self.redactions),
            shown_values=dict(redaction.shown) if redaction else {},
            guardrail_policy=_policy_used(redaction),
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            latency_us=self.stages,
            output=kept_output("".join(self.output), self.documents, keeps=self.keeps),
            excerpts=kept_excerpts(self.sources, self.documents) if self.keeps else None,
            grounding=_grounding(self.grounding, self.entailment),
            conflicts=self.conflicts,
            blocks=self.blocks,
        )
        parts.guardrail.count(self.redactions)
        turn = self._turn(parts.embedder, self.opened, event)
        with _recording(parts, self.subject) as session:
            if turn is not None:
                event = replace(event, kept=keep(session, self.subject, turn))
            if pseudonyms:
                lifetime = dt.timedelta(hours=parts.settings.guardrail.pseudonym_hours)
                keep_pseudonyms(session, self.subject, self.id, pseudonyms, parts.sealer, lifetime)
            record(session, event)

    def _turn(self, embedder: Embedder, opened: events.AnswerOpened, closed: events.AnswerClosed) -> NewTurn | None:
        """What the conversation keeps: the question, and what was released and shown, with their vectors."""
        if self.conversation is None:
            return None
        answer, redaction = "".join(self.output), self.redaction
        said = closed.outcome in ANSWERED and answer
        return NewTurn(
            id=self.id,
            conversation=self.conversation,
            question=opened.question.text,
            mode=self.done.mode if self.done else opened.mode,
            outcome=closed.outcome,
            policy_epoch=opened.policy_epoch,
            answer=answer,
            sources=self.sources,
            redactions=dict(self.shown_redactions),
            documents=self.documents,
            details=replace(
                details_of(self.done).to_keep() if self.done else AnswerDetails(),
                shows_values=bool(redaction and redaction.shown),
                values_in=_documents_of(opened, redaction),
            ),
            embedder=embedder.digest,
            vectors=(self.vector, embedder.embed_query(without_citations(answer)) if said else None),
        )


@contextlib.contextmanager
def _recording(parts: Components, subject: Subject) -> Iterator[WriteSession]:
    """A transaction for one record; a database that refuses it, for whatever reason, does not do its part."""
    try:
        with parts.database.writing(subject.user_id) as session:
            yield session
    except DBAPIError as error:
        raise DatabaseUnavailable("The audit log cannot be written, so nothing is answered.") from error


def _documents_of(opened: events.AnswerOpened, redaction: Redaction | None) -> tuple[uuid.UUID | None, ...]:
    """The documents of the passages whose values were shown, None for values of none."""
    document_of = {passage.chunk: passage.document for passage in opened.passages}
    return tuple({document_of.get(cast("uuid.UUID", chunk)) for chunk in (redaction.shown_in if redaction else ())})


def _policy_used(redaction: Redaction | None) -> events.GuardrailPolicyUsed | None:
    if redaction is None or not redaction.digest:
        return None
    return events.GuardrailPolicyUsed(redaction.digest, redaction.version)


def _grounding(report: GroundingReport | None, entailment: events.EntailmentCheck | None) -> events.Grounding | None:
    if report is None:
        return None
    verdicts = tuple(f"{s.verdict}:{s.reason}" if s.reason else s.verdict for s in report.sentences)
    return events.Grounding(report.outcome, **report.counts, verdicts=verdicts, entailment=entailment)


def _refusal(verdict: QuestionVerdict | None) -> events.RefusalCheck | None:
    if verdict is None:
        return None
    ruling = verdict.ruling
    return events.RefusalCheck(
        rules=verdict.rules,
        category=ruling.category if ruling else None,
        action=ruling.action if ruling else None,
        rule=ruling.rule if ruling else None,
        flags=tuple(f"{flag.category}: {flag.rule}" for flag in verdict.flags),
        models=tuple(events.AskedGuard(each.model, each.address, each.route, each.said) for each in verdict.asked),
    )


def _passages(context: Context | None) -> tuple[events.ShownPassage, ...]:
    shown = context.passages if context else ()
    return tuple(
        events.ShownPassage(
            chunk=p.chunk,
            document=p.document,
            version=p.version,
            rank=rank,
            label=p.label.text,
            warnings=context.warnings_of(p) if context else (),
        )
        for rank, p in enumerate(shown, start=1)
    )


def _searched(whole: WholeQuestion | None) -> tuple[events.SearchedTurn, ...]:
    return tuple(
        events.SearchedTurn(x.turn, x.part, round(1000 * x.weights.words), round(1000 * x.weights.meaning))
        for x in (whole.leanings if whole else ())
    )


def _added_words(whole: WholeQuestion | None, part: TurnPart) -> str:
    added = whole.searched.added if whole and whole.searched else ()
    return " ".join(word for text in added if text.part == part for word in text.words)
