"""A number that is the whole of an answer: a form that only one kind has, or a valid checksum, is enough."""

import pytest

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact

CHECKS = default_checks()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("86095742719", "national id"),
        ("8001015009087", "national id"),
        ("1245319599", "medical id"),
        ("506840388", "national id"),
        ("350184603", "medical id"),
        ("5567143069", "tax id"),
        ("7871804P", "national id"),
        ("S8427143A", "national id"),
        ("kx62 pwl", "vehicle"),
        ("34 ABC 123", "vehicle"),
        ("BS14DJ", "address"),
        ("GIR0AA", "address"),
    ],
)
def test_an_answer_that_is_nothing_but_a_number(value: str, kind: str) -> None:
    assert redact(value, CHECKS).text == f"[redacted: {kind}]"
    assert redact(f"There are {value} of them", CHECKS).counts == {}


@pytest.mark.parametrize(
    "value",
    [
        "506840389",
        "350184703",
        "5567143068",
        "7871804T",
        "S8427143K",
        "B8427143A",
        "INV4417206",
        "L4081253",
        "J31180462",
        "4081253MK",
        "99 ABC 123",
        "kx41 pwl",
        "kx62 pwl. No more",
        "XX14DJ",
        "BS14CJ",
    ],
)
def test_an_answer_that_is_no_such_number(value: str) -> None:
    assert redact(value, CHECKS).counts == {}
