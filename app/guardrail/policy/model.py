"""A policy as data: rules, the company's own patterns and terms, and its public contacts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from app.guardrail.check import NEVER_SHOWN, Check
from app.identity.subject import Label

Action = Literal["keep", "last_four", "pseudonym", "remove", "refuse"]
Origin = Literal["passage", "anywhere"]
# From the mildest to the strictest: where a value is of several kinds, the strictest counts.
ACTIONS: tuple[Action, ...] = get_args(Action)
ORIGINS: tuple[Origin, ...] = get_args(Origin)
OWN_KIND = "company term"
OPTIONAL_KINDS = ("pay", "health", "host", "path")


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """What is done with values of these kinds for callers who have one of these roles (none: for everyone).

    It holds for values of documents from `min_label` to `max_label`. `origin` "passage": only for a value that stands
    in a passage which the caller was shown and may read, "anywhere": for others too, which count as restricted.
    """

    kinds: frozenset[str]
    action: Action
    roles: frozenset[str] = frozenset()
    min_label: Label = Label.PUBLIC
    max_label: Label = Label.RESTRICTED
    origin: Origin = "passage"

    def holds_for(self, roles: frozenset[str]) -> bool:
        """Whether it is about a caller with these roles, by name."""
        return not self.roles or not self.roles.isdisjoint(roles)

    def is_about(self, kind: str, label: Label | None) -> bool:
        """Whether it is about such a value. `label` is the lowest one of the passages in which it stands and that the
        caller may read; None: it stands in none.
        """
        if kind not in self.kinds or (label is None and self.origin == "passage"):
            return False
        return self.min_label <= (Label.RESTRICTED if label is None else label) <= self.max_label


@dataclass(frozen=True, slots=True)
class Contacts:
    """What is shown although a check finds it: canonical values, and domains all of whose e-mail addresses are."""

    values: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    @classmethod
    def all_of(cls, contacts: Iterable["Contacts"]) -> "Contacts":
        """What any of them allows."""
        together = list(contacts)
        return cls(
            frozenset(value for one in together for value in one.values),
            frozenset(domain for one in together for domain in one.domains),
        )

    @property
    def empty(self) -> bool:
        return not (self.values or self.domains)


@dataclass(frozen=True)
class GuardrailPolicy:
    """What one `policy.yaml` says. `digest` is the SHA-256 of the file, `version` what its author calls it.

    The first rule that is about a value counts; what none is about is removed.
    """

    digest: str = ""
    version: str = ""
    rules: tuple[PolicyRule, ...] = ()
    look_for: frozenset[str] = frozenset()
    contacts: Contacts = Contacts()
    # The company's own patterns and terms.
    checks: tuple[Check, ...] = ()

    def rules_for(self, roles: frozenset[str]) -> tuple[PolicyRule, ...]:
        """The rules about a caller with these roles, in order."""
        return tuple(rule for rule in self.rules if rule.holds_for(roles))

    @property
    def roles(self) -> frozenset[str]:
        """The names of all roles that it names."""
        return frozenset().union(*(rule.roles for rule in self.rules))


# Without a file: every value that is found is removed.
DEFAULT_POLICY = GuardrailPolicy()


def action_for(rules: Sequence[PolicyRule], kind: str, label: Label | None) -> Action:
    """What the first rule about such a value says, see `PolicyRule.is_about`."""
    for rule in rules:
        if rule.is_about(kind, label):
            return "remove" if kind in NEVER_SHOWN and rule.action != "refuse" else rule.action
    return "remove"
