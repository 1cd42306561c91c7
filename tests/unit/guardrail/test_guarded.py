"""What keeps the guardrail's work closed: errors without their text, a time limit, threads, and the meter."""

import multiprocessing
import re
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from app.answer.grounded import GroundedAnswer
from app.errors import GuardrailFailed, NotFound
from app.guardrail import redactor
from app.guardrail.active_content import NO_ADDRESSES
from app.guardrail.answer_filter import AnswerFilter
from app.guardrail.check import Finding, PatternCheck
from app.guardrail.checks import default_checks
from app.guardrail.gate import GateClosed
from app.guardrail.guarded import TOO_LONG, failing_closed, guarded, submit, within
from app.guardrail.meter import HELD_BOUNDS, GuardrailMeter, HeldBack
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import InertRedactor, Redactor

TEXT = "the secret text"


def broken(*_: object) -> str:
    raise LookupError(TEXT)


def chain(error: BaseException) -> list[BaseException]:
    """An error and all that hang on to it, or that it hangs on to."""
    linked = [each for each in (error.__cause__, error.__context__) if each is not None]
    return [error, *(found for each in linked for found in chain(each))]


def test_an_error_keeps_its_type_and_places_and_nothing_of_its_message() -> None:
    with pytest.raises(GuardrailFailed) as raised:
        guarded("redaction", broken)
    error = raised.value
    assert (error.stage, error.cause, error.reason) == (
        "redaction",
        "LookupError",
        "GuardrailFailed:redaction:LookupError",
    )
    assert error.where[-1].endswith(" broken")
    assert [type(each) for each in chain(error)] == [GuardrailFailed]
    assert TEXT not in repr(vars(error)) + str(error)


def test_an_error_that_is_meant_for_a_caller_stays_what_it_is() -> None:
    def missing() -> None:
        raise NotFound

    with pytest.raises(NotFound):
        guarded("redaction", missing)
    with pytest.raises(GuardrailFailed, match="could not be checked"):
        failing_closed(lambda: "citations", broken)


def test_work_that_does_not_end_fails_and_blocks_nobody_else() -> None:
    ended = threading.Event()
    with pytest.raises(GuardrailFailed) as raised:
        within(0.05, "redaction", ended.wait, 20)
    assert (raised.value.cause, raised.value.where) == (TOO_LONG, ())
    assert [type(each) for each in chain(raised.value)] == [GuardrailFailed]
    assert within(5, "redaction", str.upper, "text") == "TEXT"
    ended.set()


def test_threads_are_used_again_and_never_keep_a_process_alive() -> None:
    def thread() -> threading.Thread:
        return threading.current_thread()

    asked = {submit(thread).result(5) for _ in range(100)}
    assert len(asked) < 50
    assert all(each.daemon for each in asked)


def _redact_in_a_copy(said: "multiprocessing.Queue[str]") -> None:
    said.put(within(5, "redaction", str.upper, "text"))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_copy_of_the_process_has_threads_of_its_own() -> None:
    """Where it took those that wait in the first one, nobody would do its work."""
    assert guarded("redaction", str.upper, "text") == "TEXT"
    context = multiprocessing.get_context("fork")
    said: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_redact_in_a_copy, args=(said,))
    process.start()
    assert said.get(timeout=10) == "TEXT"
    process.join(10)


class Failing(PatternCheck):
    """A check that breaks on the word `boom`."""

    def at(self, window: str, start: int) -> Finding | None:
        if "boom" in window[start:]:
            raise ZeroDivisionError(window)
        return None


CHECKS = (*default_checks(), Failing("email", "test", re.compile("boom"), opener=re.compile("(?=b)")))


@pytest.mark.parametrize(
    "make", [lambda: Redactor(Redaction(CHECKS)), lambda: InertRedactor(Redaction(CHECKS), NO_ADDRESSES)]
)
def test_a_redactor_fails_closed(make: Callable[[], Redactor]) -> None:
    clean = make()
    assert clean("Mail to a@example.org") == "Mail to [redacted: email]"
    for _ in range(2):
        with pytest.raises(GuardrailFailed, match="could not be checked"):
            clean("the boom of 2024")


def test_an_inert_redactor_fails_closed_where_content_is_made_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "make_inert", broken)
    with pytest.raises(GuardrailFailed) as raised:
        InertRedactor(Redaction(CHECKS), NO_ADDRESSES)("any text")
    assert raised.value.stage == "active content"


def test_the_texts_of_one_redactor_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was redacted before is given again without any."""
    clock = iter([0.0, 4.0, 4.0, 9.0, 9.0])
    monkeypatch.setattr(redactor, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    clean = Redactor(Redaction(CHECKS), seconds=5)
    assert [clean("one text"), clean("another"), clean("one text")] == ["one text", "another", "one text"]
    with pytest.raises(GuardrailFailed) as raised:
        clean("a third text " * 20_000)
    assert raised.value.cause == TOO_LONG


@pytest.mark.parametrize("name", ["_citations", "_gate", "_content"])
def test_after_a_failure_no_filter_releases_anything(name: str) -> None:
    """The gate closes by itself; the filters around it would go on without the text that was lost."""
    filters = AnswerFilter(Redaction(CHECKS), sources=1)
    filters.feed("What was held back stays so, www")
    kept = getattr(filters, name)

    class Once:
        def __getattr__(self, each: str) -> object:
            return broken if each in {"feed", "flush", "finish"} else getattr(kept, each)

    setattr(filters, name, Once())
    with pytest.raises(LookupError):
        filters.feed(" more ")
    assert filters.stage == {"_citations": "citations", "_gate": "redaction", "_content": "active content"}[name]
    setattr(filters, name, kept)
    with pytest.raises(GateClosed):
        filters.feed("more ")
    with pytest.raises(GateClosed):
        filters.flush()


def test_after_a_failure_in_grounding_nothing_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = GroundedAnswer(Redaction(CHECKS), "What?", (), "mark", NO_ADDRESSES)
    with monkeypatch.context() as patched, pytest.raises(LookupError):
        patched.setattr(answer._grounding, "feed", broken)
        answer.feed("One. ")
    assert answer.stage == "grounding"
    with pytest.raises(GateClosed):
        answer.feed("Two. ")
    with pytest.raises(GateClosed):
        answer.flush()


def test_the_meter_counts_a_failure_once_and_what_was_held_back_by_its_bounds() -> None:
    meter, error = GuardrailMeter(), GuardrailFailed("redaction", "LookupError")
    meter.failed(error)
    meter.failed(error)
    meter.failed(GuardrailFailed("redaction", TOO_LONG))
    assert meter.failures() == {"redaction": 2}
    held = HeldBack()
    for characters in (0, 16, 17, 5000):
        held.observe(characters)
    meter.streamed(held, characters=7, cpu_seconds=0.5)
    meter.streamed(held, characters=1, cpu_seconds=0.5)
    assert meter.work() == (8, 1.0)
    assert meter.held().total == 2 * 5033
    assert meter.held().buckets == [2, 2, 2, *[0] * (len(HELD_BOUNDS) - 3), 2]
