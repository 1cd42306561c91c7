"""Says of a whole text what the gate hides in it, where, why and by which rule. Pure."""

import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.guardrail.check import Check
from app.guardrail.gate import Gate, feed_whole
from app.guardrail.masks import Mask, Renderer, placeholder
from app.guardrail.normal import Normaliser

_CHECKS = "app.guardrail.checks."


@dataclass(frozen=True, slots=True)
class HiddenSpan:
    """Characters start..end of the text, for which one placeholder stands. Nothing else of the text is in it.

    `reason` is that of the finding that began it, `rule` the name of the check that found it ("password.PROSE" of
    `app.guardrail.checks`), or of the reading ("layout" of `app.guardrail.readings`). `action` is what the policy does
    with the value: with "keep" it is shown.
    """

    start: int
    end: int
    kind: str
    reason: str
    rule: str
    action: str = "remove"


@dataclass(frozen=True)
class ExplainedRedaction:
    """The redaction of a text, and what it hides, in order. `left_out` are the places of characters that are in neither
    for being too many in a row that show nothing (`app.guardrail.normal`).
    """

    redacted: str
    spans: tuple[HiddenSpan, ...]
    left_out: tuple[int, ...] = ()


def explain(text: str, checks: Sequence[Check], renderer: Renderer | None = None) -> ExplainedRedaction:
    """What `redact` does to a text: without a renderer `mask_spans` with what this says gives the same."""
    gate = Gate(checks, renderer)
    masks: list[Mask] = []
    gate.masks = masks
    redacted = feed_whole(gate, text)
    places = _places(text)
    spans = []
    for mask in masks:
        begin, end = (mask.start, mask.end) if places is None else (places[mask.start], places[mask.end - 1] + 1)
        spans.append(HiddenSpan(begin, end, mask.kind, mask.reason, rule_of(mask.check), mask.action))
    left_out = () if places is None else tuple(sorted(set(range(len(text))).difference(places)))
    return ExplainedRedaction(redacted, tuple(spans), left_out)


def mask_spans(text: str, found: ExplainedRedaction) -> str:
    """The text with a placeholder for each span, without what is left out."""
    shown, at = list(text), 0
    for place in found.left_out:
        shown[place] = ""
    parts = []
    for span in found.spans:
        parts += [*shown[at : span.start], placeholder(span.kind)]
        at = span.end
    return "".join((*parts, *shown[at:]))


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Both from 1; lines end where `str.split` at a newline would end them."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def rule_of(check: Check | None) -> str:
    """The name of a check; of a reading the module of what it rewrites with, and of none that of the model's names."""
    if check is None:
        return "names"
    found = _rules().get(id(check))
    if found is None:
        found = str(getattr(getattr(check, "rewrite", check), "__module__", "")).rpartition(".")[2]
    return found


@functools.cache
def _rules() -> Mapping[int, str]:
    """The checks that modules of checks define, by identity: "email.CHECK", "config_secret.CHECKS[2]"."""
    rules: dict[int, str] = {}
    for module, content in sorted(sys.modules.items()):
        if not module.startswith(_CHECKS):
            continue
        for name, value in vars(content).items():
            if not name.isupper():
                continue
            several = isinstance(value, tuple)
            for number, each in enumerate(value if several else (value,)):
                if hasattr(each, "opener"):
                    place = f"[{number}]" if several else ""
                    rules.setdefault(id(each), f"{module.removeprefix(_CHECKS)}.{name}{place}")
    return rules


def _places(text: str) -> list[int] | None:
    """Where each character of the text stands that stays in it; None if all do."""
    if len(Normaliser().feed(text)[0]) == len(text):
        return None
    normaliser = Normaliser()
    return [at for at, character in enumerate(text) if normaliser.feed(character)[0]]
