"""The verdict: by rules first, then by models; what is exempt, what is excepted, and what goes where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.errors import GuardrailFailed
from app.identity.subject import Label
from app.refusals import judge as judging
from app.refusals.judge import QuestionVerdict, judge
from app.refusals.load import load
from app.refusals.rules import RefusalRules
from tests.support.refusals import Guard, llama, standing, written

RULES = """categories:
  - name: safes
    action: refuse
    message: {en: Not here., de: Nicht hier.}
    phrases: [open the green safe, the yellow safe]
    patterns: ['\\bcrack.{0,20}\\bsafes?\\b']
    exceptions: {phrases: [the green safe of the museum], patterns: ['crack the ice']}
    exempt_roles: [guards, keepers]
  - name: keys
    action: redirect
    message: Ask the keeper.
    phrases: [where is the key]
  - name: gold
    action: flag
    phrases: [gold]
"""
TWO_MODELS = """question_label: public
models:
  - {{name: one, form: llama-guard, url: "{one}/v1", model: tiny, seconds: 20}}
  - {{name: two, form: classifier, url: "{two}", seconds: {seconds}, max_label: public}}
categories:
  - name: violence
    action: refuse
    message: No violence.
    models: [{{name: one, codes: [S1, S2]}}]
    phrases: [red]
    exempt_roles: [guards]
  - name: fraud
    action: refuse
    message: No fraud.
    models: [{{name: two, when_out: {when_out}}}]
    exempt_roles: [guards]
  - name: seen
    action: flag
    models: [{{name: one, codes: [S3]}}]
"""


def verdict(
    rules: RefusalRules, question: str, *roles: str, redact: Callable[[str], str] = lambda text: text
) -> QuestionVerdict:
    async def run() -> QuestionVerdict:
        return await judge(rules, question, frozenset(roles), redact=redact)

    return anyio.run(run)


def ruling(found: QuestionVerdict) -> tuple[str, str, str] | None:
    return None if found.ruling is None else (found.ruling.category, found.ruling.action, found.ruling.rule)


@pytest.fixture
def rules(tmp_path: Path) -> RefusalRules:
    return load(written(tmp_path, RULES))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do I open the green safe?", ("safes", "refuse", "phrase 1")),
        ("And the yellow safe?", ("safes", "refuse", "phrase 2")),
        ("How do I crack old safes?", ("safes", "refuse", "pattern 1")),
        ("Where is the key?", ("keys", "redirect", "phrase 1")),
        ("Where is the key, and how do I open the green safe?", ("safes", "refuse", "phrase 1")),
        ("Where is the gold?", None),
        ("What is a safe?", None),
    ],
)
def test_the_first_category_that_refuses_rules(
    rules: RefusalRules, question: str, expected: tuple[str, str, str] | None
) -> None:
    found = verdict(rules, question)
    assert ruling(found) == expected
    assert [flag.category for flag in found.flags] == (["gold"] if "gold" in question else [])
    assert (found.rules, found.asked) == (rules.digest, ())


def test_an_exception_covers_its_own_words_alone(rules: RefusalRules) -> None:
    assert ruling(verdict(rules, "How do they open the green safe of the museum?")) is None
    both = "When do they open the green safe of the museum, and how do I open the green safe at home?"
    assert ruling(verdict(rules, both)) == ("safes", "refuse", "phrase 1")
    assert ruling(verdict(rules, "crack the ice and then the safe")) is None


def test_no_phrase_reaches_across_an_exception(tmp_path: Path) -> None:
    text = (
        "categories:\n  - {name: a, action: refuse, message: No., phrases: [red blue],"
        " exceptions: {phrases: [pale green]}}\n"
    )
    rules = load(written(tmp_path, text))
    assert ruling(verdict(rules, "red blue")) is not None
    assert ruling(verdict(rules, "red pale green blue")) is None


def test_who_is_exempt_is_answered(rules: RefusalRules) -> None:
    assert rules.exempt_roles == {"guards", "keepers"}
    assert ruling(verdict(rules, "How do I open the green safe?", "keepers")) is None
    assert ruling(verdict(rules, "Where is the key?", "keepers")) == ("keys", "redirect", "phrase 1")


def test_the_message_is_in_the_language_of_the_question(rules: RefusalRules) -> None:
    found = verdict(rules, "open the green safe").ruling
    assert found
    assert [found.message(language) for language in ("de", "en", "fr")] == ["Nicht hier.", "Not here.", "Not here."]


def test_rules_that_fail_refuse_everything(rules: RefusalRules, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("open the green safe")

    monkeypatch.setattr(judging, "views", broken)
    with pytest.raises(GuardrailFailed) as error:
        verdict(rules, "What is a safe?")
    assert error.value.reason == "GuardrailFailed:refusals:RuntimeError"


@pytest.fixture
def two(tmp_path: Path) -> Any:
    """Rules over two models, from what these say."""

    def made(one: Guard, other: Guard, when_out: str = "refuse") -> RefusalRules:
        seconds = 0.3 if other.hangs or other.drips else 20
        text = TWO_MODELS.format(one=one.url, two=other.url, when_out=when_out, seconds=seconds)
        return load(written(tmp_path, text))

    return made


def test_models_are_asked_once_each_and_all_are_named(two: Any) -> None:
    with standing(Guard(llama("safe"))) as one, standing(Guard({"unsafe": False})) as other:
        found = verdict(two(one, other), "green")
        assert (len(one.asked), len(other.asked)) == (1, 1)
    assert ruling(found) is None
    assert [(each.model, each.said) for each in found.asked] == [("one", "safe"), ("two", "safe")]
    assert found.asked[0].address.startswith("127.0.0.1:")
    assert found.asked[1].route == "internal endpoint, public within public"


@pytest.mark.parametrize(
    ("content", "expected", "flags"),
    [
        ("unsafe\nS2", ("violence", "refuse", "model one"), []),
        ("unsafe\nS3", None, ["seen"]),
        ("unsafe\nS9", None, []),
        ("unsafe", ("violence", "refuse", "model one"), ["seen"]),
    ],
)
def test_codes_say_which_category(two: Any, content: str, expected: Any, flags: list[str]) -> None:
    """An answer without codes counts for all."""
    with standing(Guard(llama(content))) as one, standing(Guard({"unsafe": False})) as other:
        found = verdict(two(one, other), "green")
    assert (ruling(found), [flag.category for flag in found.flags]) == (expected, flags)


def test_what_the_rules_refuse_goes_to_no_model(two: Any) -> None:
    with standing(Guard(llama("safe"))) as one, standing(Guard({"unsafe": False})) as other:
        assert ruling(verdict(two(one, other), "red")) == ("violence", "refuse", "phrase 1")
        assert one.asked == other.asked == []


def test_a_model_of_which_the_asker_is_exempt_is_not_asked(two: Any) -> None:
    with standing(Guard(llama("safe"))) as one, standing(Guard({"unsafe": True})) as other:
        assert ruling(verdict(two(one, other), "green", "guards")) is None
        assert (len(one.asked), len(other.asked)) == (1, 0)


OUT = [
    (Guard({"unsafe": False}, code=500), "Status500"),
    (Guard(hangs=True), "TimeLimit"),
    (Guard(drips=True), "TimeLimit"),
    (Guard(b"no idea"), "NoJson"),
    (Guard({"answer": "safe"}), "NoVerdict"),
]


@pytest.mark.parametrize(("guard", "cause"), OUT)
@pytest.mark.parametrize("when_out", ["refuse", "pass"])
def test_a_model_that_is_out_refuses_unless_the_category_says_otherwise(
    two: Any, guard: Guard, cause: str, when_out: str
) -> None:
    with standing(Guard(llama("safe"))) as one, standing(guard) as other:
        found = verdict(two(one, other, when_out), "green")
    assert found.asked[1].said == cause
    assert found.asked[1].out
    if when_out == "refuse":
        assert ruling(found) == ("fraud", "refuse", "model two out")
        assert found.ruling
        assert found.ruling.outage
    else:
        assert found.ruling is None


def test_a_verdict_counts_more_than_an_outage(two: Any) -> None:
    """What is known of the question is said, though another model is out."""
    with standing(Guard(llama("unsafe\nS1"))) as one, standing(Guard(code=500)) as other:
        assert ruling(verdict(two(one, other), "green")) == ("violence", "refuse", "model one")
    with standing(Guard(code=500)) as one, standing(Guard({"unsafe": True})) as other:
        assert ruling(verdict(two(one, other), "green")) == ("fraud", "refuse", "model two")


def test_nothing_is_kept_from_one_question_to_the_next(two: Any) -> None:
    with standing(Guard(llama("safe"))) as one, standing(Guard({"unsafe": False})) as other:
        rules = two(one, other)
        for _ in range(3):
            verdict(rules, "green")
        assert (len(one.asked), len(other.asked)) == (3, 3)
        other.says = {"unsafe": True}
        assert ruling(verdict(rules, "green")) == ("fraud", "refuse", "model two")


def test_an_endpoint_outside_the_house_sees_the_question_redacted(two: Any) -> None:
    with standing(Guard(llama("safe"))) as one, standing(Guard({"unsafe": False})) as other:
        rules = two(one, other)
        outside = rules.models["two"]
        object.__setattr__(outside.endpoint, "internal", False)
        object.__setattr__(outside.endpoint, "max_label", Label.PUBLIC)
        verdict(rules, "write to ben", redact=lambda text: text.replace("ben", "[redacted]"))
        assert "ben" in one.texts[0]
        assert other.asked[0][1] == {"text": "write to [redacted]"}
