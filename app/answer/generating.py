"""Answers that a model writes, as far as the passages support them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from anyio.to_thread import run_sync as in_thread

from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.answer.events import AnswerEvent, AnswerOutcome, Delta, Done
from app.answer.grounded import GroundedAnswer
from app.answer.prompt import Context
from app.answer.quotes.select import QuoteSelector
from app.answer.quoting import UNGROUNDED, quote
from app.answer.shown_conflicts import show_conflicts
from app.answer.sources import sources
from app.errors import ModelUnavailable
from app.guardrail.redactor import InertRedactor


async def generate(
    parts: Components, trail: Trail, selector: QuoteSelector, context: Context
) -> AsyncGenerator[AnswerEvent, None]:
    """What the passages support of the model's text, through the filters of an answer.

    A model that is down, or whose text no passage supports, gives quotes, marked as such.
    """
    question, policy = selector.material.question, parts.settings.answer.grounding
    judge = parts.entailment.for_answer() if parts.entailment else None
    outgoing = await in_thread(
        GroundedAnswer, parts.checks, question, context.evidence, policy, context.addresses, judge
    )
    trail.tokens_in = sum(parts.embedder.count(m.content) for m in context.messages)
    trail.tokens_out = 0
    try:
        async with aclosing(_pieces(parts, context)) as pieces:
            async for piece in pieces:
                trail.tokens_out += 1
                # An entailment model takes far longer than rules do.
                released = await in_thread(outgoing.feed, piece) if parts.entailment else outgoing.feed(piece)
                if released:
                    trail.output.append(released)
                    yield Delta(released)
    except ModelUnavailable as error:
        if trail.tokens_out:
            trail.count(outgoing.counts)
            raise
        async with aclosing(quote(parts, trail, selector, context, fallback=error.code)) as quoted:
            async for event in quoted:
                yield event
        return
    released = await in_thread(outgoing.flush)
    trail.grounding, trail.entailment = outgoing.report, judge.record if judge else None
    if not outgoing.grounded:
        async with aclosing(quote(parts, trail, selector, context, fallback=UNGROUNDED)) as quoted:
            async for event in quoted:
                yield event
        return
    clean = InertRedactor(parts.checks, context.addresses)
    contradicting = await in_thread(show_conflicts, context.passages, outgoing.used, parts.checks, clean)
    # What takes time comes before the last words, so that nobody hangs up between these and the end.
    if released:
        trail.output.append(released)
        yield Delta(released)
    trail.count(outgoing.counts, sources(parts.checks, selector.best_of, context, outgoing.used))
    trail.count(clean.counts)
    trail.conflicts = len(contradicting)
    outcome: AnswerOutcome = "nothing" if trail.grounding.outcome == "declined" else "answered"
    trail.end(outcome)
    done = Done(
        trail.id,
        "generate",
        outcome,
        trail.sources,
        dict(trail.shown_redactions),
        conversation=trail.conversation,
        conflicts=contradicting,
    )
    yield trail.completed(done)


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
