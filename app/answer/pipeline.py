"""The path of a question, one stage a line. Read this file first.

Three short transactions: retrieve; open the trail; close the trail. No connection is held while tokens flow, and the
trail is closed in a shield, so that a caller who hangs up leaves a record too.
"""

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

import anyio
import numpy as np
from anyio.to_thread import run_sync as in_thread
from numpy.typing import NDArray

from app.acl.visible import Visible, visible_scopes
from app.answer import conversation_store as conversations
from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.answer.events import AnswerEvent, Done, Mode, Opened, cited_documents
from app.answer.followups import RecentTurn, WholeQuestion, make_whole
from app.answer.generating import generate
from app.answer.leaning import is_incomplete
from app.answer.prompt import Context, EarlierTurn, build, choose
from app.answer.prompt_templates import TEMPLATES
from app.answer.quotes.material import LOOKED_AT, Material
from app.answer.quotes.select import QuoteSelector
from app.answer.quoting import no_answer, quote
from app.answer.refusing import is_refused, open_refused, refuse
from app.answer.support import ASK_BACK_BELOW, best_support
from app.db.session import ReadSession
from app.errors import AnswerWithheld, AppError, GuardrailFailed
from app.guardrail.credentials import mask_credentials
from app.guardrail.redactor import Redactor
from app.identity.feedback_tokens import WHOLE_ANSWER
from app.identity.subject import Capability, Subject, require_capability
from app.llm.protocol import route
from app.retrieval.filters import restrict_to_collections
from app.retrieval.passage import Hit
from app.retrieval.search import Candidates, Query, search


@dataclass(frozen=True)
class Retrieved:
    """What one snapshot of the database gave: who sees what, the question made whole, the best for it, what quotes are
    chosen from, and the earlier turns for the model.
    """

    visible: Visible
    query: Query
    whole: WholeQuestion
    hits: list[Hit]
    material: Material
    earlier: tuple[EarlierTurn, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """What is known before the first word: the question without credentials, what quotes it has, what it lacks, the
    context if it lacks nothing, and why the model may see that; None if no model is asked.
    """

    question: str
    selector: QuoteSelector
    missing: Literal["nothing", "asked_back"] | None
    context: Context | None
    reason: str | None


async def answer(
    parts: Components,
    subject: Subject,
    question: str,
    mode: Mode,
    conversation: uuid.UUID | None = None,
    collections: Sequence[str] = (),
) -> AsyncGenerator[AnswerEvent, None]:
    """Answer as this subject, as the next turn of a conversation of theirs if one is given; else nothing is kept.

    `collections`, by name, are those to search in; none: all that the subject may read. Raises AppError before the
    first event, or ModelUnavailable, GuardrailFailed or AnswerWithheld in the middle of the text.
    """
    require_capability(subject, Capability.ASK)
    trail = Trail(subject, conversation, tuple(collections))
    try:
        events = await begin(parts, trail, question, mode)
        yield Opened(trail.id, mode, trail.documents)
        async with aclosing(events) as flowing:
            async for event in flowing:
                yield _with_token(parts, subject, event) if isinstance(event, Done) else event
    except GuardrailFailed as error:
        parts.guardrail.failed(error)
        trail.end_once("failed", error.reason)
        raise
    except AnswerWithheld as error:
        trail.end_once("refused", f"{error.code}:{error.kind}")
        raise
    except AppError as error:
        trail.end_once("failed", error.code)
        raise
    except (GeneratorExit, anyio.get_cancelled_exc_class()):
        trail.end_once("hung_up")
        raise
    finally:
        trail.mark_stage("answer")
        with anyio.CancelScope(shield=True):
            await in_thread(trail.close, parts)


async def begin(parts: Components, trail: Trail, question: str, mode: Mode) -> AsyncGenerator[AnswerEvent, None]:
    """What follows the opening, once its record is committed."""
    if await is_refused(parts, trail, question):
        return refuse(trail, mode, await in_thread(open_refused, parts, trail, question, mode))
    found = await in_thread(prepare, parts, trail, question, mode)
    if found.context is None:
        return no_answer(trail, mode, found.question, found.missing or "nothing")
    if found.reason is None:
        return quote(parts, trail, found.selector, found.context)
    return generate(parts, trail, found.selector, found.context)


def prepare(parts: Components, trail: Trail, question: str, mode: Mode) -> Prepared:
    """All that comes before the first word, one stage a line. Its record is committed when this returns."""
    asked = mask_credentials(question).text
    vector = parts.embedder.embed_query(asked)
    trail.mark_stage("embed")
    found = retrieve(parts, trail, search_query(parts, asked, vector), mode)
    trail.mark_stage("retrieve")
    selector = QuoteSelector(found.material)
    missing = what_is_missing(found, selector)
    try:
        context = None if missing else assemble(parts, asked, found, selector, mode)
    except GuardrailFailed:
        open_trail(parts, trail, asked, found.visible, None, mode)  # with nothing shown, so that its end is recorded
        raise
    trail.mark_stage("context")
    reason = open_trail(parts, trail, asked, found.visible, context, mode)
    trail.mark_stage("audit")
    return Prepared(asked, selector, missing, context, reason)


def search_query(parts: Components, asked: str, vector: NDArray[np.float32]) -> Query:
    """What a question looks for."""
    return Query(
        asked,
        vector,
        limit=4 * parts.settings.answer.passages,
        depth=parts.settings.search.depth,
        min_candidates=parts.reranked,
        languages=parts.embedder.languages,
        with_neighbors=LOOKED_AT,
    )


def _with_token(parts: Components, subject: Subject, done: Done) -> Done:
    """The end of an answer with the token by which its asker can say whether it helped."""
    token = parts.feedback.issue(subject.user_id, done.trail, WHOLE_ANSWER, cited_documents(done.sources))
    return replace(done, feedback=token)


def retrieve(parts: Components, trail: Trail, query: Query, mode: Mode) -> Retrieved:
    """Resolve the visible scopes, make the question whole with the conversation, and search in the chosen collections,
    in one read-only snapshot; then put in order.
    """
    limits, subject = parts.settings.answer, trail.subject
    trail.vector = query.vector

    def read(session: ReadSession) -> tuple[Visible, WholeQuestion, Candidates, tuple[EarlierTurn, ...]]:
        visible = visible_scopes(session, subject)
        earlier: tuple[EarlierTurn, ...] = ()
        if trail.conversation is not None:
            tokens = limits.history_tokens if mode == "generate" else 0
            earlier = conversations.earlier(
                session, subject, visible, trail.conversation, tokens=tokens, count=parts.embedder.count
            )
        whole = whole_question(parts, trail, session, visible, query)
        within, trail.collection_ids = restrict_to_collections(session, subject, visible, trail.collections)
        searched = replace(query, vector=whole.vector, words=whole.words, before=whole.before)
        return visible, whole, search(session, within, parts.index, searched), earlier

    visible, trail.whole, found, earlier = parts.database.retrieve(subject.user_id, read)
    if parts.reranking:
        trail.mark_stage("retrieve")
    best = found.best(parts.reranking)
    if parts.reranking:
        trail.mark_stage("rerank")
    parts.searches.count(best.outcome)
    trail.codebook, trail.reranker = best.codebook, best.reranker
    follows_up = trail.whole.words is not None
    weights = [(word, idf) for word, idf in best.weights if not (follows_up and word.extra)]
    material = Material(found.query.text, found.query.vector, best.hits, best.around, weights, follows_up)
    return Retrieved(visible, found.query, trail.whole, best.hits, material, earlier)


def whole_question(
    parts: Components, trail: Trail, session: ReadSession, visible: Visible, query: Query
) -> WholeQuestion:
    """The question with what it leans on in its conversation, as far as its asker may read that now."""
    turns: tuple[RecentTurn, ...] = ()
    if trail.conversation is not None:
        turns = conversations.recent(
            session, trail.subject, visible, trail.conversation, embedder=parts.embedder.digest
        )
    embed, redact_text = parts.embedder.embed_query, Redactor(parts.redaction)
    return make_whole(query.text, query.vector, turns, embed=embed, redact=redact_text)


def what_is_missing(found: Retrieved, selector: QuoteSelector) -> Literal["nothing", "asked_back"] | None:
    """Why there is no answer to be made, if so: the question names nothing and has no earlier turn to lean on, or leans
    on some and finds little even with them; or nothing visible supports an answer. An earlier turn is no support.
    """
    if (found.whole.words is None and is_incomplete(found.query.text)) or (
        found.whole.leans and best_support(found.hits) < ASK_BACK_BELOW
    ):
        return "asked_back"
    return None if selector.answerable and selector.chosen else "nothing"


def assemble(parts: Components, question: str, found: Retrieved, selector: QuoteSelector, mode: Mode) -> Context:
    """The context: the best passages, behind the earlier turns for the model.

    Quotes bring their passages, wherever these stand among the hits or beside them. To a model that is not in the house
    goes nothing that the guardrail finds.
    """
    limits = parts.settings.answer
    tokens = limits.context_tokens
    if mode == "generate":
        tokens = min(tokens, parts.settings.model.context_tokens)
    shown = choose(found.hits, passages=limits.passages, tokens=tokens)
    if mode == "quote":
        quoted = [block.page.passage for block in selector.chosen]
        shown = tuple({p.chunk: p for p in (*quoted, *shown)}.values())[: limits.passages]
    leaves = mode == "generate" and not parts.chat.endpoint.internal
    template = TEMPLATES[parts.settings.model.prompt]
    return build(question, shown, found.earlier, template, redacted=parts.checks if leaves else None)


def open_trail(
    parts: Components, trail: Trail, question: str, visible: Visible, context: Context | None, mode: Mode
) -> str | None:
    """Commit what will be shown; returns why the model may see it, or None if no model is asked.

    A label above the endpoint's is refused after it is recorded, and nothing is shown.
    """
    reason, refusal = None, None
    if context is not None and mode == "generate":
        try:
            reason = route(parts.chat.endpoint, context.label)
        except AppError as error:
            refusal = error
    trail.open(parts, question, visible, mode=mode, context=context, route=reason)
    if refusal is not None:
        trail.end("refused", refusal.code)
        raise refusal
    return reason
