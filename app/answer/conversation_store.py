"""Conversations: kept for their asker alone, and checked again whenever they are read. The one door to their rows.

A turn's answer is given out, to its asker or to the model, while all documents that it was made from are visible to
the asker. Scope filter and row-level security both hold that apart: here by the visible scopes, there by the identity.
A service that speaks for a person has none of them.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, delete, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import log
from app.acl.visible import Visible
from app.answer.events import Source
from app.answer.followups import MAX_TURNS, RecentTurn
from app.answer.prompt import EarlierTurn, render_turn
from app.answer.turns import AnswerDetails, AnswerView, ConversationSummary, NewTurn, TurnView
from app.db.paging import Page
from app.db.tables import conversations as tables
from app.db.tables.library import Document
from app.errors import NotFound
from app.identity.subject import Label, Subject, require_in_person

# How far back the turns for the model are looked for.
RECENT = 20
# What came of a turn that said something: its answer may help the next question.
ANSWERED = frozenset(["answered", "quoted", "may_help"])
# How what was shown stands in its columns.
SOURCES, DETAILS = TypeAdapter(tuple[Source, ...]), TypeAdapter(AnswerDetails)


def begin(session: Session, subject: Subject) -> ConversationSummary:
    require_in_person(subject)
    row = tables.Conversation(user_id=subject.user_id)
    session.add(row)
    session.flush()
    return ConversationSummary(row.id, row.created_at, None, None, None, 0)


def require_own(session: Session, subject: Subject, conversation: uuid.UUID) -> None:
    """Raises NotFound for a conversation that is absent or somebody else's, InPersonNeeded for a service."""
    require_in_person(subject)
    if session.scalar(select(tables.Conversation.id).where(*_own(subject, conversation))) is None:
        raise NotFound


def list_own(session: Session, subject: Subject, page: Page) -> list[ConversationSummary]:
    """The subject's conversations, newest first; only their own words."""
    require_in_person(subject)
    row = tables.Conversation
    found = page.rows(session, _summaries(subject), [row.created_at, row.id], descending=True)
    return [ConversationSummary(*columns) for columns in found]


def turns(session: Session, subject: Subject, visible: Visible, conversation: uuid.UUID, page: Page) -> list[TurnView]:
    """The last turns, oldest first; the next page has those before them. Raises NotFound as `require_own` does."""
    require_own(session, subject, conversation)
    turn = tables.Turn
    query = _turns(subject, visible, conversation)
    found = page.rows(session, query, [turn.at, turn.id], descending=True)
    return _labelled(session, visible, [_turn(*row) for row in reversed(found)])


def find_turn(
    session: Session, subject: Subject, visible: Visible, conversation: uuid.UUID, wanted: uuid.UUID
) -> TurnView:
    """One turn. Raises NotFound also for one that is absent or of another conversation."""
    require_own(session, subject, conversation)
    found = session.execute(_turns(subject, visible, conversation).where(tables.Turn.id == wanted)).one_or_none()
    if found is None:
        raise NotFound
    return _labelled(session, visible, [_turn(*found)])[0]


def find(session: Session, subject: Subject, conversation: uuid.UUID) -> ConversationSummary:
    """One conversation as the list shows it. Raises NotFound as `require_own` does."""
    require_own(session, subject, conversation)
    return ConversationSummary(*session.execute(_summaries(subject, conversation)).one())


def rename(session: Session, subject: Subject, conversation: uuid.UUID, title: str) -> ConversationSummary:
    """Give a conversation a title. Raises NotFound as `require_own` does."""
    require_own(session, subject, conversation)
    session.execute(update(tables.Conversation).where(*_own(subject, conversation)).values(title=title))
    return find(session, subject, conversation)


def remove(session: Session, subject: Subject, conversation: uuid.UUID) -> None:
    """Delete a conversation with its turns. Raises NotFound as `require_own` does."""
    require_own(session, subject, conversation)
    session.execute(delete(tables.Conversation).where(*_own(subject, conversation)))


def earlier(
    session: Session,
    subject: Subject,
    visible: Visible,
    conversation: uuid.UUID,
    *,
    tokens: int,
    count: Callable[[str], int],
) -> tuple[EarlierTurn, ...]:
    """The last answered turns that are wholly visible now and fit the budget, oldest first. What is withheld is left
    out. Raises NotFound as `require_own` does, also where the budget is 0.
    """
    if not tokens:
        require_own(session, subject, conversation)
        return ()
    recent = turns(session, subject, visible, conversation, Page(limit=RECENT))
    taken: list[tuple[TurnView, str]] = []
    for turn in reversed(recent):
        if turn.answer is None or turn.outcome not in ANSWERED:
            continue
        tokens -= count(render_turn(turn.question, turn.answer.text))
        if tokens < 0:
            break
        taken.insert(0, (turn, turn.answer.text))
    return _for_model(session, visible, taken)


def given_out(
    session: Session, subject: Subject, visible: Visible, conversation: uuid.UUID, wanted: Sequence[uuid.UUID]
) -> dict[uuid.UUID, EarlierTurn]:
    """Those of these turns that are wholly visible now, as a model is shown them. Raises as `require_own` does."""
    require_own(session, subject, conversation)
    rows = session.execute(_turns(subject, visible, conversation).where(tables.Turn.id.in_(wanted)))
    seen = [(turn, turn.answer.text) for turn in (_turn(*row) for row in rows) if turn.answer is not None]
    return {each.turn: each for each in _for_model(session, visible, seen)}


def _for_model(session: Session, visible: Visible, turns: Sequence[tuple[TurnView, str]]) -> tuple[EarlierTurn, ...]:
    """Turns with their answers, with what they were made from as it is labelled now."""
    behind = _behind(session, visible, [turn.id for turn, _ in turns])
    return tuple(
        EarlierTurn(
            turn=turn.id,
            question=turn.question,
            answer=answer,
            label=max(behind[turn.id].values(), default=Label.PUBLIC),
            documents=frozenset(behind[turn.id]),
        )
        for turn, answer in turns
    )


def recent(
    session: Session, subject: Subject, visible: Visible, conversation: uuid.UUID, *, embedder: str
) -> tuple[RecentTurn, ...]:
    """The last turns, latest first, as a search may lean on them: every question, and the answers that are wholly
    visible now, each with its vector if this embedder made it. A question that was refused is none of them: with its
    words the next one would ask for it again. Raises NotFound as `require_own` does.
    """
    require_own(session, subject, conversation)
    turn = tables.Turn
    query = _turns(subject, visible, conversation).order_by(turn.at.desc(), turn.id.desc()).limit(MAX_TURNS)
    rows = [
        (row, answer if row.outcome in ANSWERED else None)
        for row, answer in session.execute(query)
        if not (row.outcome == "refused" and answer is not None and answer.details.get("refusal"))
    ]
    return tuple(
        RecentTurn(
            row.id,
            row.question,
            _vector(row, row.vector, embedder),
            None if answer is None else answer.answer,
            None if answer is None else _vector(row, answer.vector, embedder),
        )
        for row, answer in rows
    )


def keep(session: Session, subject: Subject, turn: NewTurn) -> bool:
    """Add a turn, inside the caller's transaction; says whether it was added.

    A conversation that was deleted, or a person who was deactivated, while the answer was made, is no reason to lose
    the caller's own record. A document that was lost meanwhile leaves no row, so that the answer is withheld.
    """
    refused = ""
    # A document that moves to another scope in this very moment is found there at the second try.
    for _ in range(2):
        try:
            with session.begin_nested():
                _keep(session, subject, turn)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            refused = type(error.orig).__name__
        else:
            return True
    log.get().error("conversation.turn_not_kept", trail=str(turn.id), error=refused)
    return False


def _keep(session: Session, subject: Subject, turn: NewTurn) -> None:
    mine = {"turn_id": turn.id, "user_id": subject.user_id}
    # Inline: nothing is read back, and what was just added may be withheld already.
    session.execute(
        insert(tables.Turn)
        .values(
            id=turn.id,
            conversation_id=turn.conversation,
            user_id=subject.user_id,
            question=turn.question,
            mode=turn.mode,
            outcome=turn.outcome,
            policy_epoch=turn.policy_epoch,
            vector=_packed(turn.vectors[0]),
            embedder=turn.embedder,
        )
        .inline()
    )
    session.execute(
        insert(tables.TurnAnswer)
        .values(
            **mine,
            made_from=len(turn.documents),
            answer=turn.answer,
            shown=SOURCES.dump_python(turn.sources, mode="json"),
            redactions=dict(turn.redactions),
            details=DETAILS.dump_python(turn.details, mode="json"),
            vector=_packed(turn.vectors[1]),
        )
        .inline()
    )
    still_visible = (
        select(literal(turn.id), Document.id, Document.scope_id, literal(subject.user_id))
        .where(Document.public_id.in_(turn.documents))
        .where(text("document.scope_id = any ((select clearance.visible_scopes())::int[])"))
        .order_by(Document.id)
    )
    columns = ["turn_id", "document_id", "scope_id", "user_id"]
    session.execute(insert(tables.TurnSource).from_select(columns, still_visible).inline())


def _own(subject: Subject, conversation: uuid.UUID | None = None) -> list[ColumnElement[bool]]:
    """What makes a conversation, or this one, the subject's to use."""
    row = tables.Conversation
    own = [row.user_id == subject.user_id]
    if conversation is not None:
        own.append(row.id == conversation)
    return own


def _summaries(subject: Subject, conversation: uuid.UUID | None = None) -> Select[Any]:
    """The columns of a ConversationSummary, of all that are the subject's or of this one."""
    row, turn = tables.Conversation, tables.Turn
    own = turn.conversation_id == row.id
    first = select(turn.question).where(own).order_by(turn.at, turn.id).limit(1).scalar_subquery()
    last = select(func.max(turn.at)).where(own).scalar_subquery()
    count = select(func.count()).select_from(turn).where(own).scalar_subquery()
    return select(row.id, row.created_at, row.title, first, last, count).where(*_own(subject, conversation))


def _turns(subject: Subject, visible: Visible, conversation: uuid.UUID) -> Select[tables.Turn, tables.TurnAnswer]:
    """The scope filter: the answer stands beside its turn if each of its documents is in a visible scope."""
    turn, answer, source = tables.Turn, tables.TurnAnswer, tables.TurnSource
    seen = (
        select(func.count())
        .select_from(source)
        .where(source.turn_id == turn.id, source.scope_id.in_(visible.scope_ids))
        .scalar_subquery()
    )
    return (
        select(turn, answer)
        .outerjoin(answer, (answer.turn_id == turn.id) & (answer.made_from == seen))
        .where(turn.conversation_id == conversation, turn.user_id == subject.user_id)
    )


def _behind(session: Session, visible: Visible, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, Label]]:
    """The documents behind these turns, with the labels they carry now."""
    source = tables.TurnSource
    rows = session.execute(
        select(source.turn_id, Document.public_id, source.scope_id)
        .join(Document, Document.id == source.document_id)
        .where(source.turn_id.in_(ids), source.scope_id.in_(visible.scope_ids))
    )
    found: dict[uuid.UUID, dict[uuid.UUID, Label]] = {turn: {} for turn in ids}
    for turn, document, scope in rows:
        found[turn][document] = Label(visible.labels[scope])
    return found


def _labelled(session: Session, visible: Visible, turns: list[TurnView]) -> list[TurnView]:
    """With labels where an answer shows values that are hidden otherwise."""
    values_in = {
        turn.id: turn.answer.details.values_in
        for turn in turns
        if turn.answer is not None and turn.answer.details.shows_values
    }
    behind = _behind(session, visible, list(values_in)) if values_in else {}
    labels = {
        turn: max((of.get(each, Label.RESTRICTED) for each in values_in[turn] if each), default=Label.RESTRICTED)
        for turn, of in behind.items()
        if None not in values_in[turn]
    }
    return [
        replace(turn, label=labels.get(turn.id, Label.RESTRICTED)) if turn.id in values_in else turn for turn in turns
    ]


def _turn(row: tables.Turn, answer: tables.TurnAnswer | None) -> TurnView:
    return TurnView(
        id=row.id,
        question=row.question,
        mode=row.mode,
        outcome=row.outcome,
        policy_epoch=row.policy_epoch,
        at=row.at,
        answer=None if answer is None else _answer(row, answer),
    )


def _answer(row: tables.Turn, answer: tables.TurnAnswer) -> AnswerView:
    return AnswerView(
        trail=row.id,
        mode=row.mode,
        outcome=row.outcome,
        text=answer.answer,
        sources=SOURCES.validate_python(answer.shown),
        redactions=answer.redactions,
        conversation=row.conversation_id,
        details=DETAILS.validate_python(answer.details),
    )


def _packed(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype("<f4").tobytes()


def _vector(row: tables.Turn, packed: bytes | None, embedder: str) -> NDArray[np.float32] | None:
    """A vector that was kept with a turn; None if it was not, or by another embedder."""
    return None if packed is None or row.embedder != embedder else np.frombuffer(packed, "<f4").astype(np.float32)
