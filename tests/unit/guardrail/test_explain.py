"""What is said of hidden text: the same as the redaction hides, with a reason and a rule, and nothing of the text."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.guardrail.check import KINDS
from app.guardrail.checks import default_checks, optional_checks
from app.guardrail.explain import explain, line_and_column, mask_spans, rule_of
from app.guardrail.gate import Gate, feed_whole, redact

CHECKS = default_checks()
ANY = (*CHECKS, *optional_checks())
SECRET = "AKIA" + "Z7QX4MPLW2RT6VNB"
PIECES = st.sampled_from(
    [
        "ben@example.org", "Call +49 30 901820 ", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", SECRET,
        "password: Tr0ub4dor&3x", "postgres://app:hunter22@db.internal/x", "the ", "key ", "\n", " ", "|", "**",
        "x" * 700, "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq9", "\n-----END RSA PRIVATE KEY-----",
        "10.20.30.40", "[redacted: email]", "Weeks of leave are many. ", chr(0xAD), chr(0x200B) * 40,
    ]
)  # fmt: skip


def check_same(text: str) -> None:
    found = explain(text, ANY)
    whole = redact(text, ANY)
    assert found.redacted == whole.text
    assert sum(whole.counts.values()) == len(found.spans)
    ends = [0, *(span.end for span in found.spans)]
    assert all(end <= span.start < span.end <= len(text) for end, span in zip(ends, found.spans, strict=False))
    assert mask_spans(text, found) == whole.text


@given(st.lists(PIECES, max_size=12).map("".join))
def test_masking_what_is_explained_gives_the_redaction(text: str) -> None:
    check_same(text)


def test_the_places_hold_far_into_a_long_text() -> None:
    """The gate forgets what it has decided; places count from the beginning."""
    prose = "Everyone may take leave after the first year, says the handbook. " * 90
    text = f"{prose}Write to ben@example.org or pay by 4111 1111 1111 1111.{chr(0xAD)}{prose}Call ben@example.net."
    check_same(text)
    found = explain(text, CHECKS).spans
    assert [text[span.start : span.end] for span in found] == [
        "ben@example.org",
        "4111 1111 1111 1111",
        "ben@example.net",
    ]


def test_places_count_invisible_characters_that_left_the_text() -> None:
    text = f"one{chr(0x200B) * 50} ben@example.org two"
    found = explain(text, CHECKS)
    assert text[found.spans[0].start : found.spans[0].end] == "ben@example.org"
    assert found.left_out == tuple(range(35, 53))


@pytest.mark.parametrize(
    ("text", "kind", "reason", "rule"),
    [
        ("Write to ben@example.org now", "email", "address with a domain", "email.CHECK"),
        ("Pay by 4111 1111 1111 1111 now", "card", "issuer range and checksum", "card.CHECK"),
        ("The password is Tr0ub4dor&3x, they say", "credential", "called a password", "password.PROSE"),
        ("postgres://app:hunter22@db.internal/x", "credential", "password in an address", "connection_string.CHECK"),
    ],
)
def test_a_span_has_the_reason_and_the_rule(text: str, kind: str, reason: str, rule: str) -> None:
    [span] = explain(text, CHECKS).spans
    assert (span.kind, span.reason, span.rule) == (kind, reason, rule)


def test_every_check_has_a_rule_to_name_it() -> None:
    names = [rule_of(check) for check in ANY]
    assert "" not in names
    assert "check" not in names


def test_an_explanation_holds_nothing_of_what_is_hidden() -> None:
    [span] = explain(f"The deploy key is {SECRET}.", CHECKS).spans
    assert SECRET not in repr(dataclasses.asdict(span))
    assert span.kind in KINDS


@pytest.mark.parametrize(("at", "place"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (2, 3)), (6, (3, 1))])
def test_places_are_lines_and_columns(at: int, place: tuple[int, int]) -> None:
    assert line_and_column("ab\ncd\n", at) == place


def test_a_gate_keeps_no_masks_unless_it_is_asked_to() -> None:
    gate = Gate(CHECKS)
    assert feed_whole(gate, "Write to ben@example.org now") == "Write to [redacted: email] now"
    assert gate.masks is None
