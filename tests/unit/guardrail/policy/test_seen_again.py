"""What checks see left of a place is the same when a text is redacted again, whatever a policy had placeholders say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app.guardrail.check import BEFORE, WORD, Cue, Finding, Run, Tail
from app.guardrail.checks import email
from app.guardrail.gate import redact
from app.guardrail.policy.model import GuardrailPolicy, PolicyRule
from app.guardrail.policy.rendering import PolicyRenderer
from app.guardrail.policy.values import ValueOrigins

POLICY = GuardrailPolicy(rules=(PolicyRule(frozenset(("email",)), "last_four", origin="anywhere"),))
ADDRESS = "ada.lovelace@firm.example"
HIDDEN = "[redacted: email ending MPLE]"


@dataclass(frozen=True, slots=True, eq=False)
class Noting:
    """Finds nothing, and notes what it is shown."""

    cue: Cue | None = None
    kind: str = "name"
    run: Run = WORD
    opener: re.Pattern[str] = re.compile("(?=QQ)")
    needs: str = ""
    tail: Tail | None = None
    seen: list[str] = field(default_factory=list)

    def at(self, window: str, start: int) -> Finding | None:
        if window.startswith("QQ", start):  # behind a mask every check is asked
            self.seen.append(window[:start])
        return None


def seen_in(text: str, cue: Cue | None) -> tuple[list[str], str]:
    """What a check sees in a text, and the text as a policy redacts it."""
    noting = Noting(cue)
    renderer = PolicyRenderer(POLICY, frozenset(), ValueOrigins(()), answers=True)
    return noting.seen, redact(text, (email.CHECK, noting), renderer).text


def texts() -> Iterator[str]:
    for addresses in range(1, 9):
        for gap in range(0, BEFORE, 5):
            yield f"call {'.' * gap} {f'{ADDRESS} ' * addresses}QQ"


@pytest.mark.parametrize("cue", [None, Cue(("call",), re.compile("call"))], ids=["everywhere", "behind a word"])
def test_the_text_before(cue: Cue | None) -> None:
    shown = 0
    for text in texts():
        first, redacted = seen_in(text, cue)
        again, unchanged = seen_in(redacted, cue)
        assert HIDDEN in redacted
        assert redacted == unchanged
        assert first == again
        assert all("[redacted: email]" in before for before in first)
        shown += len(first)
    assert shown > 20


@pytest.mark.parametrize("rows", ["# Write to {}\n\nQQ", "| x | Name {} |\n|---|---|\n| x | QQ |", "Those {} {}:\nQQ"])
def test_the_label(rows: str) -> None:
    cue = Cue(("e",), re.compile("(?:)"), of_label=True)
    first, redacted = seen_in(rows.replace("{}", ADDRESS), cue)
    assert HIDDEN in redacted
    assert first == seen_in(redacted, cue)[0] != []
