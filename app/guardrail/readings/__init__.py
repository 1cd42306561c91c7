"""Readings: checks that see a place as a person reads it once it is rendered, or as a decoder gives it back.

Each is a `Check` of its own, so the law of the stream holds for it as for any other: it decides at one start, on a
bounded stretch. It rewrites that stretch and what stands before it, asks the checks it was made with, and says where
in the text the finding ends.
"""

from collections.abc import Sequence

from app.guardrail.check import Check
from app.guardrail.readings.decoding import decoded_reading
from app.guardrail.readings.labels import labelled_reading
from app.guardrail.readings.layout import layout_readings
from app.guardrail.readings.spelled import spelled_readings


def with_readings(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks, and each of them again in every reading."""
    return (
        *checks,
        *layout_readings(checks),
        labelled_reading(checks),
        decoded_reading(checks),
        *spelled_readings(checks),
    )
