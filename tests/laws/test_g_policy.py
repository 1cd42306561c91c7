"""The law of the stream under any policy: what is shown of values changes nothing about where they lie, and is the
same however the text was cut.
"""

import itertools
import random
import re
from collections.abc import Iterator

import pytest

from app.errors import AnswerWithheld
from app.guardrail.check import KINDS, PLACEHOLDER
from app.guardrail.checks import checks_with, optional_checks
from app.guardrail.explain import explain
from app.guardrail.gate import Gate, redact
from app.guardrail.policy.model import Action, Contacts, GuardrailPolicy, PolicyRule
from app.guardrail.policy.patterns import pattern_check
from app.guardrail.policy.rendering import PolicyRenderer
from app.guardrail.policy.values import ValueOrigins, canonical
from app.guardrail.terms import ListedTerms
from app.identity.subject import Label
from tests.laws.redaction_texts import SECRETS, random_text
from tests.support.environment import LAW_FACTOR, Report

OWN = (
    ListedTerms([("example corp", "company term", "denied"), ("password", "company term", "denied")]),
    pattern_check("tickets", "company term", r"[A-Z]{2,4}-[0-9]{1,6}"),
    pattern_check("after a word", "staff number", r"[0-9]{3,8}", after=["no", "nr", "call"]),
)
CHECKS = checks_with(*optional_checks(), *OWN)
HUNTS, HUNTED = (LAW_FACTOR, 2_500) if LAW_FACTOR > 1 else (1, 250)
HIDING: tuple[Action, ...] = ("last_four", "pseudonym", "remove")
EVERY: tuple[Action, ...] = ("keep", *HIDING, "refuse")
WORDS = re.compile(r"\S+(?: \S+){0,3}")


class Made:
    """A policy, what it knows of passages, and a text, made by chance. Its renderers are new for each stream."""

    def __init__(self, chosen: random.Random, actions: tuple[Action, ...]) -> None:
        self.text = random_text(chosen)
        kinds = [kind for kind in KINDS if kind != "credential"]
        rules = tuple(
            PolicyRule(
                frozenset(chosen.sample(kinds, chosen.randint(1, len(kinds)))),
                chosen.choice(actions),
                max_label=chosen.choice(list(Label)),
                origin=chosen.choice(("passage", "anywhere")),
            )
            for _ in range(chosen.randint(1, 4))
        )
        pieces = [match[0] for match in WORDS.finditer(self.text)]
        read = chosen.sample(pieces, min(len(pieces), 12))
        allowed = [canonical(piece) for piece in chosen.sample(pieces, min(len(pieces), 2))]
        contacts = Contacts(frozenset(allowed)) if "keep" in actions and chosen.random() < 0.3 else Contacts()
        self.policy = GuardrailPolicy(rules=rules, contacts=contacts)
        self.origins = ValueOrigins((chosen.choice(list(Label)), [piece], number) for number, piece in enumerate(read))

    def renderer(self) -> PolicyRenderer:
        return PolicyRenderer(self.policy, frozenset(), self.origins, answers=True)


def states(made: Made, parts: list[str]) -> list[str | None]:
    """All that was released after each part and after the flush; None from where the answer is withheld."""
    gate, released, found = Gate(CHECKS, made.renderer()), "", list[str | None]()
    for part in [*parts, None]:
        try:
            released += gate.flush() if part is None else gate.feed(part)
        except AnswerWithheld:
            return [*found, None]
        found.append(released)
    return found


def violations(seed: int, texts: int, actions: tuple[Action, ...]) -> Iterator[str]:
    chosen = random.Random(seed)
    for _ in range(texts):
        made = Made(chosen, actions)
        text, size = made.text, len(made.text)
        [*_, whole] = states(made, [text])
        cuts = sorted(chosen.choices(range(size + 1), k=chosen.randrange(1, 12)))
        if chosen.random() < 0.3:
            cuts = list(range(size))
        *before, last = states(made, [text[a:b] for a, b in itertools.pairwise([0, *cuts, size])])
        if last != whole:
            yield f"cut at {cuts}: {text!r}"
        shown = whole if whole is not None else shown_before(made)
        if not all(shown.startswith(state or "") for state in before):
            yield f"released too much, cut at {cuts}: {text!r}"
        if whole is not None and "refuse" not in actions:
            yield from differences(made, whole)


def shown_before(made: Made) -> str:
    """What may be shown of a text that is withheld: what the same policy shows of it without refusing."""
    return redact(made.text, CHECKS, made.renderer().beside()).text


def differences(made: Made, whole: str) -> Iterator[str]:
    """Masks lie where they lie without a policy; what no rule shows is not there."""
    plain = explain(made.text, CHECKS)
    ruled = explain(made.text, CHECKS, made.renderer())
    if [(s.start, s.end, s.kind) for s in plain.spans] != [(s.start, s.end, s.kind) for s in ruled.spans]:
        yield f"other masks: {made.text!r}"
    if ruled.redacted != whole:
        yield f"explained otherwise: {made.text!r}"
    if any(
        span.action not in ("remove", "last_four", "pseudonym") for span in ruled.spans if span.kind == "credential"
    ):
        yield f"a credential is shown: {made.text!r}"


@pytest.mark.parametrize("seed", range(HUNTS))
def test_the_law_holds_under_any_policy(seed: int, report: Report) -> None:
    assert list(itertools.islice(violations(seed, HUNTED, EVERY), 3)) == []
    assert list(itertools.islice(violations(seed + 1000, HUNTED, ("keep", *HIDING)), 3)) == []
    report(f"policies: {2 * HUNTED:,} random policies and texts with seed {seed}, each cut")


@pytest.mark.parametrize("seed", range(HUNTS))
def test_what_a_policy_hides_stays_the_same_if_it_is_redacted_again(seed: int) -> None:
    """With all rules that hide: without a policy, and with the same one."""
    chosen = random.Random(seed)
    for _ in range(HUNTED):
        made = Made(chosen, HIDING)
        once = redact(made.text, CHECKS, made.renderer()).text
        assert redact(once, CHECKS).text == once
        assert redact(once, CHECKS, made.renderer()).text == once


def test_how_much_a_placeholder_says_changes_nothing_behind_it() -> None:
    """A word may be the cue of what follows, however long that is which stands between them for a hidden value."""
    policy = GuardrailPolicy(rules=(PolicyRule(frozenset(("email",)), "last_four", origin="anywhere"),))
    found = 0
    for gap in range(40):
        text = f"call {'.' * gap} ada.lovelace@firm.example 4711 or 4712"
        once = redact(text, CHECKS, PolicyRenderer(policy, frozenset(), ValueOrigins(()), answers=True))
        assert once.counts == redact(text, CHECKS).counts
        assert "[redacted: email ending MPLE]" in once.text
        assert redact(once.text, CHECKS).text == once.text
        found += once.counts.get("staff number", 0)
    assert 0 < found < 2 * 40


class Emitting(PolicyRenderer):
    """Built wrong: it decides by what is there of a value when it begins."""

    def may_differ(self, kinds: frozenset[str], size: int) -> bool:
        return size == 0 and super().may_differ(kinds, size)


def test_a_choice_before_the_end_of_a_value_is_found() -> None:
    """A test of the test: what is shown must wait for all of the value."""
    wrong = 0
    for secret in SECRETS:
        policy = GuardrailPolicy(rules=(PolicyRule(frozenset(KINDS) - {"credential"}, "keep", origin="anywhere"),))
        right, built = (
            kind(policy, frozenset(), ValueOrigins(()), answers=True) for kind in (PolicyRenderer, Emitting)
        )
        wrong += redact(secret, CHECKS, right).text != redact(secret, CHECKS, built).text
    assert wrong


def test_placeholders_of_a_policy_are_placeholders() -> None:
    for shown in ("[redacted: phone 1]", "[redacted: card ending 1111]", "[redacted: national id 999]"):
        assert PLACEHOLDER.fullmatch(shown)
        assert redact(f"call {shown}!", CHECKS).text == f"call {shown}!"
    for written in ("[redacted: phone 0]", "[redacted: card ending 11111]", "[redacted: 4111 1111 1111 1111]"):
        assert PLACEHOLDER.match(written) is None
