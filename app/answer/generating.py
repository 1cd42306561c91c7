"""Answers that a model writes, as far as the passages support them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from anyio.to_thread import run_sync as in_thread

from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.answer.events import AnswerEvent, AnswerOutcome, Delta, Done
from app.answer.grounded import GroundedAnswer
from app.answer.guarded_answer import GuardedAnswer
from app.answer.prompt import Context
from app.answer.quotes.select import QuoteSelector
from app.answer.quoting import UNGROUNDED, quote
from app.answer.shown_conflicts import show_conflicts
from app.answer.sources import sources
from app.errors import AnswerWithheld, GuardrailFailed, ModelUnavailable
from app.grounding.entailment import Judge
from app.guardrail.guarded import failing_closed
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import InertRedactor


async def generate(
    parts: Components, trail: Trail, selector: QuoteSelector, context: Context
) -> AsyncGenerator[AnswerEvent, None]:
    """What the passages support of the model's text, through the filters of an answer.

    A model that is down, or whose text no passage supports, gives quotes, marked as such. Where a filter fails nothing
    comes in its stead: GuardrailFailed ends the answer.
    """
    judge = parts.entailment.for_answer() if parts.entailment else None
    redaction = trail.redaction = parts.policy.for_answer(trail.subject, context)
    filters = await in_thread(failing_closed, lambda: "grounding", _filters, parts, redaction, selector, context, judge)
    outgoing = GuardedAnswer(filters, parts.settings.answer.guardrail_seconds)
    trail.tokens_in = sum(parts.embedder.count(m.content) for m in context.messages)
    trail.tokens_out = 0
    fallback = None
    try:
        async with aclosing(_pieces(parts, context)) as pieces:
            async for piece in pieces:
                trail.tokens_out += 1
                if released := await outgoing.feed(piece):
                    trail.output.append(released)
                    yield Delta(released)
        released = await outgoing.flush()
        trail.grounding, trail.entailment = filters.report, judge.record if judge else None
        fallback = None if filters.grounded else UNGROUNDED
    except (ModelUnavailable, GuardrailFailed, AnswerWithheld) as error:
        if trail.tokens_out or not isinstance(error, ModelUnavailable):
            trail.count(outgoing.counts)
            raise
        fallback = error.code
    finally:
        outgoing.close(parts.guardrail)
    if fallback is None:
        events = _last(trail, redaction, selector, context, filters, released)
    else:
        events = quote(parts, trail, selector, context, fallback=fallback)
    async with aclosing(events) as flowing:
        async for event in flowing:
            yield event


def _filters(
    parts: Components, redaction: Redaction, selector: QuoteSelector, context: Context, judge: Judge | None
) -> GroundedAnswer:
    question, policy = selector.material.question, parts.settings.answer.grounding
    return GroundedAnswer(redaction, question, context.evidence, policy, context.addresses, judge)


async def _last(
    trail: Trail,
    redaction: Redaction,
    selector: QuoteSelector,
    context: Context,
    filters: GroundedAnswer,
    released: str,
) -> AsyncGenerator[AnswerEvent, None]:
    """The last words of an answer that may stand, and its end."""
    clean = InertRedactor(redaction.beside, context.addresses)
    # What takes time, or can fail, comes before the last words, so that nobody hangs up between these and the end.
    contradicting = await in_thread(show_conflicts, context.passages, filters.used, redaction.checks, clean)
    cited = await in_thread(sources, redaction, selector.best_of, context, filters.used)
    if released:
        trail.output.append(released)
        yield Delta(released)
    trail.count(filters.counts, cited)
    trail.count(clean.counts)
    trail.conflicts = len(contradicting)
    declined = trail.grounding is not None and trail.grounding.outcome == "declined"
    outcome: AnswerOutcome = "nothing" if declined else "answered"
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
