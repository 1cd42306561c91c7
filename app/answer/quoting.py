"""Answers that need no model: the documents' own words, and the fixed replies where nothing answers."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal

from anyio.to_thread import run_sync as in_thread

from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.answer.events import AnswerBlock, AnswerEvent, Delta, Done
from app.answer.prompt import Context
from app.answer.quotes.release import ReleasedBlock, answer_text, describe, release
from app.answer.quotes.select import QuoteSelector
from app.answer.replies import reply
from app.answer.shown_conflicts import show_conflicts
from app.answer.sources import sources
from app.guardrail.redactor import InertRedactor, Redactor
from app.indexing.analysis.language import question_language

# Why quotes come although a model wrote something: no passage supports it.
UNGROUNDED = "Ungrounded"


async def no_answer(
    trail: Trail, mode: Literal["generate", "quote"], question: str, outcome: Literal["nothing", "asked_back"]
) -> AsyncGenerator[AnswerEvent, None]:
    """The fixed reply, in the language of the question, that nothing visible answers it, or that it is not whole."""
    trail.end(outcome)
    text = reply(outcome, question_language(question))
    trail.output.append(text)
    done = trail.completed(Done(trail.id, mode, outcome, (), conversation=trail.conversation))
    yield Delta(text)
    yield done


async def quote(
    parts: Components, trail: Trail, selector: QuoteSelector, context: Context, *, fallback: str | None = None
) -> AsyncGenerator[AnswerEvent, None]:
    """The blocks that fit best, word for word but for the guardrail.

    None may be left, where the guardrail masks what the context of a model held: then nothing is shown.
    """
    if fallback == UNGROUNDED:
        lead = reply("ungrounded", question_language(selector.material.question)) + "\n\n"
        trail.output.append(lead)
        yield Delta(lead)
    text, done = await in_thread(make_quotes, parts, trail, selector, context, fallback)
    yield Delta(text)
    yield done


def make_quotes(
    parts: Components, trail: Trail, selector: QuoteSelector, context: Context, fallback: str | None
) -> tuple[str, Done]:
    """The text of the quotes, and the end of the answer. It takes milliseconds, and so a thread."""
    language = question_language(selector.material.question)
    numbers = {passage.chunk: n for n, passage in enumerate(context.passages, start=1)}
    redaction = trail.redaction = parts.policy.for_answer(trail.subject, context)
    clean = InertRedactor(redaction, context.addresses)
    chosen = selector.choose(numbers) if fallback else selector.chosen_within(numbers)
    quoted = release(chosen, redaction.checks, clean)
    outcome = selector.outcome([block.chosen for block in quoted])
    used = tuple(dict.fromkeys(numbers[block.passage.chunk] for block in quoted))
    places = [used.index(numbers[block.passage.chunk]) + 1 for block in quoted]
    preface = "" if outcome == "quoted" else reply("may_help" if quoted else "nothing", language)
    text = answer_text(quoted, places, preface=preface)
    passages = [context.passages[number - 1] for number in used]
    contradicting = show_conflicts(passages, (), redaction.checks, clean)
    trail.count(clean.counts, sources(redaction, selector.best_of, context, used) if quoted else None)
    trail.blocks = tuple(block.shown for block in quoted)
    trail.conflicts = len(contradicting)
    trail.output.append(text)
    trail.end(outcome, fallback)
    # Titles and headings are counted where they stand among the sources.
    beside = InertRedactor(redaction.beside, context.addresses)
    done = Done(
        trail.id,
        "quote",
        outcome,
        trail.sources,
        dict(trail.shown_redactions),
        fallback,
        _described(parts, trail, beside, selector, quoted, places),
        trail.conversation,
        conflicts=contradicting,
    )
    # Before the last words: who hangs up at these finds the whole turn.
    return text, trail.completed(done)


def _described(
    parts: Components,
    trail: Trail,
    clean: Redactor,
    selector: QuoteSelector,
    quoted: Sequence[ReleasedBlock],
    places: Sequence[int],
) -> tuple[AnswerBlock, ...]:
    return tuple(
        describe(
            block,
            selector.material,
            clean,
            number=n,
            source_number=place,
            feedback=parts.feedback.issue(trail.subject.user_id, trail.id, n, [block.passage.document]),
        )
        for n, (block, place) in enumerate(zip(quoted, places, strict=True), start=1)
    )
