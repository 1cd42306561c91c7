"""What one request hides of a text: what is looked for, and what is shown instead of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.guardrail.check import Check
from app.guardrail.policy.pseudonyms import Pseudonym
from app.guardrail.policy.rendering import PolicyRenderer


@dataclass(frozen=True, slots=True)
class Redaction:
    """The checks, and the policy's rules for the caller; without a `renderer` every value is removed.

    `digest` and `version` are those of the policy, empty without one.
    """

    checks: Sequence[Check]
    renderer: PolicyRenderer | None = None
    digest: str = ""
    version: str = ""

    @property
    def beside(self) -> "Redaction":
        """The same for what stands beside an answer: a value for which an answer is withheld is removed there."""
        return self if self.renderer is None else replace(self, renderer=self.renderer.beside())

    @property
    def shown(self) -> Mapping[str, int]:
        """How many values the rules have shown so far, by kind."""
        return self.renderer.shown if self.renderer else {}

    @property
    def shown_in(self) -> Collection[object]:
        """The chunks of the passages that these values stand in, None among them for one that stands in none."""
        return self.renderer.shown_in if self.renderer else ()

    @property
    def pseudonyms(self) -> tuple[Pseudonym, ...]:
        """What stands for values in what was shown so far."""
        return self.renderer.pseudonyms if self.renderer else ()
