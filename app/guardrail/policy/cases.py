"""`cases.yaml`: what a policy is expected to do, and whether it does; pure.

    - text: "Ring the desk: +49 30 901820."
      roles: [hr]                   # of the caller, by name; without the line: none
      label: internal               # of the document that the text stands in; without the line: internal
      in_passage: true              # whether the values stand in a passage that the caller may read; so it is without
      shown: "Ring the desk: +49 30 901820."
    - text: "Card 4111 1111 1111 1111"
      refused: true                 # an answer with this text is withheld

Each case says `shown` or `refused`. The cases are read with their lines, so that a failure can be found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.errors import AnswerWithheld
from app.guardrail.check import Check
from app.guardrail.gate import redact
from app.guardrail.policy.model import GuardrailPolicy
from app.guardrail.policy.rendering import PolicyRenderer
from app.guardrail.policy.values import ReadableText, ValueOrigins
from app.identity.subject import Label
from app.yaml_nodes import YamlFileError, YamlNodes

_KEYS = ("text", "roles", "label", "in_passage", "shown", "refused")
_LABELS = tuple(label.text for label in Label)
_BOOLEANS = ("true", "false")


class PolicyCasesError(YamlFileError):
    """The cases are invalid; the message has the line and says what to write."""


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """A text that a model writes for a caller, and what of it they are expected to see; None: it is refused."""

    line: int
    text: str
    shown: str | None
    roles: frozenset[str] = frozenset()
    label: Label = Label.INTERNAL
    in_passage: bool = True


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of a case: the text that is shown, None if it is refused."""

    case: PolicyCase
    shown: str | None

    @property
    def passed(self) -> bool:
        return self.shown == self.case.shown


def parse_cases(text: str, *, name: str = "cases.yaml") -> tuple[PolicyCase, ...]:
    """The cases in the text of a file called `name`, at least one. Raises PolicyCasesError."""
    return _CasesParser(name).parse(text)


def run_cases(policy: GuardrailPolicy, checks: Sequence[Check], cases: Sequence[PolicyCase]) -> tuple[CaseResult, ...]:
    """What a policy does with each of the cases, by these checks, its own among them."""
    return tuple(CaseResult(case, _shown(policy, checks, case)) for case in cases)


def _shown(policy: GuardrailPolicy, checks: Sequence[Check], case: PolicyCase) -> str | None:
    origins: ValueOrigins = ReadableText(case.label) if case.in_passage else ValueOrigins(())
    try:
        return redact(case.text, checks, PolicyRenderer(policy, case.roles, origins, answers=True)).text
    except AnswerWithheld:
        return None


class _CasesParser(YamlNodes):
    error = PolicyCasesError

    def parse(self, text: str) -> tuple[PolicyCase, ...]:
        root = self.compose(text)
        if root is None:
            raise PolicyCasesError(f"{self._name}: the file is empty; write at least one case with `text` and `shown`")
        entries = self.sequence(root, "the file")
        return tuple(self._case(node, f"case {number}") for number, node in enumerate(entries, start=1))

    def _case(self, node: Any, where: str) -> PolicyCase:
        fields = self.mapping(node, _KEYS, where, needed=("text",))
        refused = self._boolean(fields, "refused", where, otherwise="false")
        if refused == ("shown" in fields):
            raise self.wrong(node, f"{where} must say either `shown`, or `refused: true`")
        roles = self.names(fields["roles"], f"`roles` of {where}", "leave the line out") if "roles" in fields else ()
        label = self.one_of(fields["label"], _LABELS, f"`label` of {where}") if "label" in fields else "internal"
        return PolicyCase(
            node.start_mark.line + 1,
            self.text(fields["text"], f"`text` of {where}"),
            None if refused else self.text(fields["shown"], f"`shown` of {where}"),
            frozenset(roles),
            Label.parse(label),
            self._boolean(fields, "in_passage", where, otherwise="true"),
        )

    def _boolean(self, fields: dict[str, Any], key: str, where: str, *, otherwise: Literal["true", "false"]) -> bool:
        value = self.one_of(fields[key], _BOOLEANS, f"`{key}` of {where}") if key in fields else otherwise
        return value == "true"
