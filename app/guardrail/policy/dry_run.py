"""What two policies do with the values in texts, in numbers by kind and action. Pure."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.guardrail.check import Check
from app.guardrail.gate import redact
from app.guardrail.masks import MaskedValue, ShownValue, placeholder
from app.guardrail.policy.rendering import PolicyRenderer

# How many values of a kind an action is done with.
Actions = Counter[tuple[str, str]]


@dataclass(frozen=True)
class AnswerDryRun:
    """One past answer, by its trail: what is done with the values in its passages, and would be."""

    trail: uuid.UUID
    before: Actions
    after: Actions


@dataclass
class DryRun:
    """Past answers: how many were looked at, and could not be; what is done and would be; and where that differs."""

    looked_at: int = 0
    not_readable: int = 0
    before: Actions = field(default_factory=Counter)
    after: Actions = field(default_factory=Counter)
    differing: list[AnswerDryRun] = field(default_factory=list)

    def add(self, answer: AnswerDryRun) -> None:
        """Another answer."""
        self.looked_at += 1
        self.before += answer.before
        self.after += answer.after
        if answer.before != answer.after:
            self.differing.append(answer)


def count_actions(renderer: PolicyRenderer, checks: Sequence[Check], texts: Iterable[str]) -> Actions:
    """What a policy's renderer does with the values in texts."""
    counting = _Counting(renderer)
    for text in texts:
        redact(text, checks, counting)
    return counting.actions


class _Counting:
    """A renderer that counts what another does, and shows nothing."""

    def __init__(self, renderer: PolicyRenderer) -> None:
        self._renderer = renderer
        self.actions: Actions = Counter()

    def may_differ(self, kinds: frozenset[str], size: int) -> bool:  # noqa: ARG002  # every value is counted
        return True

    def show(self, value: MaskedValue) -> ShownValue:
        self.actions[value.kind, self._renderer.action(value)] += 1
        return ShownValue(placeholder(value.kind))
