"""Records of what administrators try at the guardrail. No word of the text that they tried is in them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class GuardrailChecked(Event):
    """Somebody was shown what the guardrail hides in a text of theirs, of so many characters; `redactions` by kind."""

    kind = "guardrail.checked"
    characters: int
    redactions: Mapping[str, int]
