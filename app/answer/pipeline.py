"""The path of a question, one stage a line. Read this file first.

Three short transactions: retrieve; open the trail; close the trail. No connection is held while tokens flow, and the
trail is closed in a shield, so that a caller who hangs up leaves a record too.
"""

import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread

from app.acl.visible import Visible, visible_scopes
from app.answer import conversation_store as conversations
from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.answer.events import AnswerEvent, AnswerOutcome, Delta, Done, Mode, Opened
from app.answer.followups import RecentTurn, WholeQuestion, make_whole
from app.answer.grounded import GroundedAnswer
from app.answer.leaning import is_incomplete
from app.answer.prompt import Context, EarlierTurn, build, choose
from app.answer.prompt_templates import TEMPLATES
from app.answer.quotes.material import LOOKED_AT, Material
from app.answer.quotes.release import answer_text, describe, release
from app.answer.quotes.select import QuoteSelector
from app.answer.replies import reply
from app.answer.sources import Cited, sources
from app.answer.support import ASK_BACK_BELOW, best_support
from app.db.session import ReadSession
from app.errors import AppError, ModelUnavailable
from app.guardrail.active_content import Addresses
from app.guardrail.credentials import mask_credentials
from app.guardrail.redactor import InertRedactor, Redactor
from app.identity.subject import Capability, Subject, require_capability
from app.indexing.analysis.language import question_language
from app.llm.protocol import route
from app.retrieval.passage import Hit
from app.retrieval.search import Candidates, Query, search

# Why quotes come although a model wrote something: no passage supports it.
UNGROUNDED = "Ungrounded"

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


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


async def answer(
    parts: Components, subject: Subject, question: str, mode: Mode, conversation: uuid.UUID | None = None
) -> AsyncGenerator[AnswerEvent, None]:
    """Answer as this subject, as the next turn of a conversation of theirs if one is given; else nothing is kept.

    Raises AppError before the first event, or ModelUnavailable in the middle of the text.
    """
    require_capability(subject, Capability.ASK)
    trail = Trail(subject, conversation)
    try:
        asked = mask_credentials(question).text
        query = Query(
            asked,
            await in_thread(parts.embedder.embed_query, asked),
            limit=4 * parts.settings.answer.passages,
            depth=parts.settings.search.depth,
            min_candidates=parts.reranked,
            languages=parts.embedder.languages,
            with_neighbors=LOOKED_AT,
        )
        trail.mark_stage("embed")
        found = await in_thread(retrieve, parts, trail, query, mode)
        trail.mark_stage("retrieve")
        selector = await in_thread(QuoteSelector, found.material)
        missing = what_is_missing(found, selector)
        context = None if missing else assemble(parts, asked, found, selector, mode)
        trail.mark_stage("context")
        reason = await in_thread(open_trail, parts, trail, asked, found.visible, context, mode)
        trail.mark_stage("audit")
        yield Opened(trail.id, mode)
        if context is None:
            events = no_answer(trail, mode, asked, missing or "nothing")
        elif reason is None:
            events = quote(parts, trail, selector, context)
        else:
            events = generate(parts, trail, selector, context)
        async with aclosing(events) as flowing:
            async for event in flowing:
                yield trail.completed(event) if isinstance(event, Done) else event
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


def retrieve(parts: Components, trail: Trail, query: Query, mode: Mode) -> Retrieved:
    """Resolve the visible scopes, make the question whole with the conversation, and search, in one read-only snapshot;
    then put in order.
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
        searched = replace(query, vector=whole.vector, words=whole.words, before=whole.before)
        return visible, whole, search(session, visible, parts.index, searched), earlier

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
    embed, redact_text = parts.embedder.embed_query, Redactor(parts.checks)
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

    Quotes bring their passages, wherever these stand among the hits or beside them.
    """
    limits = parts.settings.answer
    tokens = limits.context_tokens
    if mode == "generate":
        tokens = min(tokens, parts.settings.model.context_tokens)
    shown = choose(found.hits, passages=limits.passages, tokens=tokens)
    if mode == "quote":
        quoted = [block.page.passage for block in selector.chosen]
        shown = tuple({p.chunk: p for p in (*quoted, *shown)}.values())[: limits.passages]
    return build(question, shown, found.earlier, TEMPLATES[parts.settings.model.prompt])


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


async def no_answer(
    trail: Trail, mode: Mode, question: str, outcome: Literal["nothing", "asked_back"]
) -> AsyncGenerator[AnswerEvent, None]:
    """The fixed reply, in the language of the question, that nothing visible answers it, or that it is not whole."""
    trail.end(outcome)
    text = reply(outcome, question_language(question))
    trail.output.append(text)
    yield Delta(text)
    yield Done(trail.id, mode, outcome, (), conversation=trail.conversation)


async def quote(
    parts: Components, trail: Trail, selector: QuoteSelector, context: Context, *, fallback: str | None = None
) -> AsyncGenerator[AnswerEvent, None]:
    """The blocks that fit best, word for word but for the guardrail; needs no model.

    None may be left, where the guardrail masks what the context of a model held: then nothing is shown.
    """
    language = question_language(selector.material.question)
    if fallback == UNGROUNDED:
        lead = reply("ungrounded", language) + "\n\n"
        trail.output.append(lead)
        yield Delta(lead)
    numbers = {passage.chunk: n for n, passage in enumerate(context.passages, start=1)}
    # Titles and headings are counted where they stand among the sources.
    clean, place_names = (InertRedactor(parts.checks, _addresses(context)) for _ in range(2))
    chosen = selector.choose(numbers) if fallback else selector.chosen
    quoted = release(chosen, parts.checks, clean)
    outcome = selector.outcome([block.chosen for block in quoted])
    used = tuple(dict.fromkeys(numbers[block.passage.chunk] for block in quoted))
    places = [used.index(numbers[block.passage.chunk]) + 1 for block in quoted]
    preface = "" if outcome == "quoted" else reply("may_help" if quoted else "nothing", language)
    text = answer_text(quoted, places, preface=preface)
    blocks = tuple(
        describe(
            block,
            selector.material,
            place_names,
            number=n,
            source_number=place,
            feedback=parts.feedback.issue(trail.subject.user_id, trail.id, n),
        )
        for n, (block, place) in enumerate(zip(quoted, places, strict=True), start=1)
    )
    cited = sources(parts.checks, selector.best_of, context, used) if quoted else Cited((), Counter(), Counter())
    _count(trail, clean.counts, cited)
    trail.blocks = tuple(block.shown for block in quoted)
    trail.output.append(text)
    trail.end(outcome, fallback)
    yield Delta(text)
    yield Done(
        trail.id, "quote", outcome, cited.sources, dict(trail.shown_redactions), fallback, blocks, trail.conversation
    )


async def generate(
    parts: Components, trail: Trail, selector: QuoteSelector, context: Context
) -> AsyncGenerator[AnswerEvent, None]:
    """What the passages support of the model's text, through the filters of an answer.

    A model that is down, or whose text no passage supports, gives quotes, marked as such.
    """
    policy, allowed = parts.settings.answer.grounding, _addresses(context)
    outgoing = await in_thread(
        GroundedAnswer, parts.checks, selector.material.question, context.passages, policy, allowed
    )
    trail.tokens_in = sum(parts.embedder.count(m.content) for m in context.messages)
    trail.tokens_out = 0
    try:
        async with aclosing(_pieces(parts, context)) as pieces:
            async for piece in pieces:
                trail.tokens_out += 1
                if released := outgoing.feed(piece):
                    trail.output.append(released)
                    yield Delta(released)
    except ModelUnavailable as error:
        if trail.tokens_out:
            _count(trail, outgoing.counts)
            raise
        async with aclosing(quote(parts, trail, selector, context, fallback=error.code)) as quoted:
            async for event in quoted:
                yield event
        return
    released = outgoing.flush()
    trail.grounding = outgoing.report
    if not outgoing.grounded:
        async with aclosing(quote(parts, trail, selector, context, fallback=UNGROUNDED)) as quoted:
            async for event in quoted:
                yield event
        return
    if released:
        trail.output.append(released)
        yield Delta(released)
    cited = sources(parts.checks, selector.best_of, context, outgoing.used)
    _count(trail, outgoing.counts, cited)
    outcome: AnswerOutcome = "nothing" if trail.grounding.outcome == "declined" else "answered"
    trail.end(outcome)
    yield Done(
        trail.id, "generate", outcome, cited.sources, dict(trail.shown_redactions), conversation=trail.conversation
    )


async def in_thread(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Run a plain function off the event loop."""
    return await anyio.to_thread.run_sync(work, *arguments)


async def _pieces(parts: Components, context: Context) -> AsyncGenerator[str, None]:
    """The model's pieces, until the time for an answer is over."""
    deadline = anyio.current_time() + parts.settings.answer.max_seconds
    async with aclosing(parts.chat.stream(context.messages)) as stream:
        while True:
            try:
                with anyio.fail_after(deadline - anyio.current_time()):
                    piece = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise ModelUnavailable("The answer took too long and was ended.") from error
            yield piece


def _addresses(context: Context) -> Addresses:
    """What a link may lead to: what the passages that the model was shown hold themselves."""
    return Addresses.of(passage.text for passage in context.passages)


def _count(trail: Trail, counts: Mapping[str, int], cited: Cited | None = None) -> None:
    trail.redactions.update(counts)
    trail.shown_redactions.update(counts)
    if cited is not None:
        trail.redactions.update(cited.redactions)
        trail.shown_redactions.update(cited.shown)
        trail.sources = cited.sources
