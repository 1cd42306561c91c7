"""What the health page says of signed heads, from how far they go and since when they do not."""

import datetime as dt

import pytest

from app.admin.health.processes import SignatureState, check_signatures

NOW = dt.datetime(2027, 1, 31, 9, tzinfo=dt.UTC)
MOMENT, LONG = NOW - dt.timedelta(minutes=5), NOW - dt.timedelta(hours=3)


@pytest.mark.parametrize(
    ("state", "expected", "says"),
    [
        (SignatureState(None, None, None, None, None, None, None), "ok", "no record to sign yet"),
        (SignatureState(5, None, LONG, None, None, None, None), "warn", "no head is signed"),
        (SignatureState(5, 5, None, None, None, None, None), "ok", "the first 5 of 5 records, no witness"),
        (
            SignatureState(9, 5, MOMENT, 5, None, None, None),
            "ok",
            "the first 5 of 9 records, the first 5 by a witness too",
        ),
        (SignatureState(9, 5, LONG, 5, None, None, None), "fail", "4 records are under no signed head for 180 min"),
        (SignatureState(9, 9, None, 5, LONG, None, None), "fail", "no witness has signed for 180 min"),
        (
            SignatureState(9, 9, None, 5, MOMENT, None, None),
            "ok",
            "the first 9 of 9 records, the first 5 by a witness too",
        ),
        (
            SignatureState(9, 9, None, None, None, 5, MOMENT),
            "ok",
            "9 of 9 records, no witness, the first 5 time-stamped",
        ),
        (SignatureState(9, 9, None, 9, None, 5, LONG), "fail", "no time stamping authority has answered for 180 min"),
    ],
)
def test_what_is_said(state: SignatureState, expected: str, says: str) -> None:
    result = check_signatures(state, NOW)
    assert result.state == expected
    assert says in result.says
    assert bool(result.mend) == (expected != "ok")
