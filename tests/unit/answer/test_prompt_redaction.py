"""What a prompt holds that leaves the house: no value that the guardrail finds, and evidence as the model sees it."""

import re
import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answer.prompt import EarlierTurn, build
from app.answer.prompt_redaction import redact_prompt
from app.errors import GuardrailFailed
from app.guardrail.check import Finding, PatternCheck
from app.guardrail.checks import default_checks
from app.guardrail.gate import redact
from app.guardrail.terms import ListedTerms
from app.identity.subject import Label
from tests.support.passages import passage

CHECKS = (*default_checks(), ListedTerms([("Project Nightjar", "company term", "listed")]))
MAIL, PHONE, CARD, LISTED = "jane.roe@example.com", "+49 30 901820", "4111 1111 1111 1111", "Project Nightjar"
SECRET = "Tulpe#Regen-4471"
NAMED = uuid.UUID(int=1)


def turn(question: str, answer: str) -> EarlierTurn:
    return EarlierTurn(NAMED, question, answer, Label.PUBLIC, frozenset({NAMED}))


def test_every_part_of_a_prompt_is_redacted() -> None:
    shown = passage(f"Call {PHONE}.", title=f"About {LISTED}", heading_path=(f"Cards: {CARD}", "Rules"), page=3)
    context = build(f"Who is {MAIL}?", [shown], [turn(f"And {MAIL}?", f"Her number is {PHONE} [1].")], redacted=CHECKS)
    assert context.messages[1].content.endswith(
        "<turn 1>\nQuestion: And [redacted: email]?\nAnswer: Her number is [redacted: phone].\n</turn 1>\n\n"
        "<passage 1>\nAbout [redacted: company term] > Cards: [redacted: card] > Rules, page 3\n"
        "Call [redacted: phone].\n"
        "</passage 1>\n\n<question>\nWho is [redacted: email]?\n</question>"
    )
    assert context.redactions == {"email": 2, "phone": 2, "card": 1, "company term": 1}
    assert context.passages == (shown,), "the answer's sources are of the passage as it stands"


def test_without_checks_it_is_sent_as_it_stands() -> None:
    context = build(f"Who is {MAIL}?", [passage(f"Call {PHONE}.")])
    assert MAIL in context.prompt.decode()
    assert PHONE in context.prompt.decode()
    assert context.redactions is None
    assert build("Who?", [passage("Nobody.")], redacted=CHECKS).redactions == {}


def test_evidence_is_what_the_model_sees() -> None:
    context = build("Whom do I call?", [passage(f"Call {PHONE} or {MAIL}.")], redacted=CHECKS)
    [evidence] = context.evidence
    assert evidence.text == "Call [redacted: phone] or [redacted: email]."
    assert f"\n{evidence.text}\n" in context.messages[1].content


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ({"heading_path": ("Wi-Fi password",), "text": SECRET}, "[redacted: credential]"),
        ({"heading_path": ("What is the Wi-Fi password?",), "text": SECRET}, "[redacted: credential]"),
        ({"title": "What is the Wi-Fi password?", "text": SECRET}, "[redacted: credential]"),
        ({"title": "Password of the guest network", "text": SECRET}, "[redacted: credential]"),
    ],
)
def test_a_heading_names_the_value_below_it(parts: dict[str, str], shown: str) -> None:
    context = build("What is it?", [passage(**parts)], redacted=CHECKS)
    assert context.evidence[0].text == shown
    assert redact(SECRET, CHECKS).text == SECRET, "by itself it is nothing"


def test_a_question_names_the_value_of_its_answer() -> None:
    context = build("Why?", [passage("x")], [turn("What is the Wi-Fi password?", SECRET)], redacted=CHECKS)
    assert SECRET not in context.prompt.decode()


def test_a_value_over_two_parts_has_one_placeholder() -> None:
    """In the part in which it begins; nothing of it is left in the other."""
    clean = redact_prompt(CHECKS, "q", [passage("Nightjar is late", heading_path=("On Project",))], [])
    assert (clean.passages[0].heading_path, clean.passages[0].text) == (("On [redacted: company term]",), " is late")
    assert clean.counts == {"company term": 1}


def test_invisible_characters_beyond_a_bound_are_left_out() -> None:
    clean = redact_prompt(CHECKS, "q", [passage("a" + "\u200b" * 60 + f"b {MAIL}")], [])
    assert clean.passages[0].text == "a" + "\u200b" * 32 + "b [redacted: email]"


class Broken(PatternCheck):
    """A check that raises, with the text in its message."""

    def at(self, window: str, start: int) -> Finding | None:
        raise ZeroDivisionError(window)


def test_a_check_that_raises_leaves_no_prompt() -> None:
    with pytest.raises(GuardrailFailed) as caught:
        build(
            "Why?",
            [passage("See Project Nightjar.")],
            redacted=(Broken("email", "", re.compile("x"), opener=re.compile("[A-Z]")),),
        )
    assert caught.value.reason == "GuardrailFailed:prompt:ZeroDivisionError"
    assert "Nightjar" not in f"{caught.value} {caught.value.__context__}"


def test_what_takes_too_long_leaves_no_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.answer.prompt_redaction.MAX_SECONDS", 0.02)
    monkeypatch.setattr("app.answer.prompt_redaction.explain", lambda *_: time.sleep(1.0))
    with pytest.raises(GuardrailFailed, match="could not be checked"):
        build("Why?", [passage("Nobody knows.")], redacted=CHECKS)


VALUES = (MAIL, PHONE, CARD, LISTED, f"the password is {SECRET}", "DE89 3704 0044 0532 0130 00", "AKIAIOSFODNN7EXAMPLE")
BITS = st.lists(
    st.sampled_from((*VALUES, "the", "\n", "Password:", "| a | b |", "<b>", "[1]", "ünï", "* ")), max_size=6
)
PARTS = BITS.map("; also ".join)


@given(PARTS, PARTS, PARTS, PARTS, PARTS, PARTS)
@settings(max_examples=60)
def test_no_part_holds_what_the_guardrail_finds(
    question: str, text: str, title: str, heading: str, before: str, said: str
) -> None:
    shown = passage(text, title=title, heading_path=(heading,))
    prompt = build(question, [shown], [turn(before, said)], redacted=CHECKS).prompt.decode()
    assert [value for value in (*VALUES[:4], SECRET, *VALUES[5:]) if value in prompt] == []
    clean = redact_prompt(CHECKS, question, [shown], [(before, said)])
    again = redact_prompt(CHECKS, clean.question, clean.passages, clean.turns)
    assert (again.question, again.passages, again.turns) == (clean.question, clean.passages, clean.turns)
    assert not again.counts
