"""Checks of the guardrail that fail at a word: they raise, or do not end."""

import re
import threading

from app.guardrail.check import Check, Finding, PatternCheck

WORD = "intranet"
# Lets the checks that hang go on.
ENDED = threading.Event()


class Raising(PatternCheck):
    """A check that puts the text that it fails at into its message."""

    def at(self, window: str, start: int) -> Finding | None:
        if WORD in window[start:]:
            raise ZeroDivisionError(f"cannot read {window}")
        return None


class Hanging(PatternCheck):
    """A check that does not end before the test does."""

    def at(self, window: str, start: int) -> Finding | None:
        if WORD in window[start:]:
            ENDED.wait(20)
        return None


def failing_check(kind: type[PatternCheck]) -> Check:
    """One that looks at every word that begins as WORD does."""
    return kind("email", "test", re.compile(WORD), opener=re.compile("(?=in)"))
