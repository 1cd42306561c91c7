"""What a masked value is shown as to one caller, in one request. Pure."""

import copy
import uuid
from collections.abc import Iterable
from typing import cast

from app.errors import AnswerWithheld
from app.guardrail.check import ENDING, NEVER_SHOWN, OPENING
from app.guardrail.masks import MAX_VALUE, MaskedValue, ShownValue, placeholder
from app.guardrail.policy.model import ACTIONS, OWN_KIND, Action, GuardrailPolicy, action_for
from app.guardrail.policy.pseudonyms import Pseudonym
from app.guardrail.policy.values import ValueOrigins, canonical, is_contact

_MIN_FOR_LAST_FOUR = 9  # letters and digits; of a shorter value the last four say too much
_LAST = 4
_MAX_NUMBER = 999


class PolicyRenderer:
    """Decides by the rules for one caller. The same value has the same number throughout.

    In an answer, a value whose action is `refuse` raises AnswerWithheld, and pseudonyms are given; in anything else,
    such as lists and search results, both are removed.
    """

    def __init__(
        self, policy: GuardrailPolicy, roles: frozenset[str], origins: ValueOrigins, *, answers: bool = False
    ) -> None:
        self._contacts = policy.contacts
        self._rules = policy.rules_for(roles)
        self._origins = origins
        self._answers = answers
        self._refuses = answers and any(rule.action == "refuse" for rule in self._rules)
        self._numbers: dict[tuple[str, str], Pseudonym] = {}
        self.shown: dict[str, int] = {}  # how many values of each kind were not hidden
        self.shown_in: set[object] = set()  # what the passages are known by that allowed it; None: none did

    def beside(self) -> "PolicyRenderer":
        """The same for what stands beside an answer, with the same numbers, and without refusing anything."""
        other = copy.copy(self)
        other._refuses = False
        return other

    @property
    def pseudonyms(self) -> tuple[Pseudonym, ...]:
        """Those that were shown so far."""
        return tuple(self._numbers.values())

    def may_differ(self, kinds: frozenset[str], size: int) -> bool:
        return self._refuses or (NEVER_SHOWN.isdisjoint(kinds) and size <= MAX_VALUE)

    def show(self, value: MaskedValue) -> ShownValue:
        action = self.action(value)
        if action == "refuse" and self._refuses:
            raise AnswerWithheld(value.kind)
        if action == "keep":
            self.shown[value.kind] = self.shown.get(value.kind, 0) + 1
            if not is_contact(self._contacts, value.text):
                self.shown_in.add(self._origins.lowest_with(value.text))
            return ShownValue(value.text, "keep", hidden=False)
        if action == "last_four":
            return ShownValue(_ending(value), "last_four")
        if action == "pseudonym":
            return ShownValue(_numbered(value.kind, self._number(value)), "pseudonym")
        return ShownValue(placeholder(value.kind), "remove")

    def action(self, value: MaskedValue) -> Action:
        """What is done with a value: the strictest that the rules have for its kinds; a public contact is kept."""
        if not value.text:  # too long to be anything but removed, or refused
            label = None
        elif (
            NEVER_SHOWN.isdisjoint(value.kinds)
            and OWN_KIND not in value.kinds
            and is_contact(self._contacts, value.text)
        ):
            return "keep"
        else:
            label = self._origins.label_of(value.text)
        action = max((action_for(self._rules, kind, label) for kind in value.kinds), key=ACTIONS.index)
        if not value.text and action != "refuse":
            return "remove"
        numbered = self._answers and label is not None and self._next(value.kind) <= _MAX_NUMBER
        return "remove" if action == "pseudonym" and not numbered else action

    def _number(self, value: MaskedValue) -> int:
        known = self._numbers.get(_key(value))
        if known is None:
            chunks = cast("Iterable[uuid.UUID]", self._origins.passages_with(value.text))
            known = Pseudonym(value.kind, self._next(value.kind), value.text, frozenset(chunks))
            self._numbers[_key(value)] = known
        return known.number

    def _next(self, kind: str) -> int:
        return 1 + sum(known == kind for known, _ in self._numbers)


def _key(value: MaskedValue) -> tuple[str, str]:
    return value.kind, canonical(value.text)


def _numbered(kind: str, number: int) -> str:
    return f"{OPENING}{kind} {number}]"


def _ending(value: MaskedValue) -> str:
    """By its last four letters and digits; of a short value, or one of another script, by its kind alone."""
    plain = canonical(value.text)
    last = plain[-_LAST:].upper()
    if len(plain) < _MIN_FOR_LAST_FOUR or not last.isascii():
        return placeholder(value.kind)
    return f"{OPENING}{value.kind}{ENDING}{last}]"
