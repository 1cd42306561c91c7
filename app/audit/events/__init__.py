"""What is recorded: one frozen class for each kind of record. `docs/audit.md` lists the kinds, under test."""

from app.audit.events import (
    answers,
    conversations,
    delegations,
    deliveries,
    directory,
    forgetting,
    guardrail,
    leak_tests,
    log_reading,
    plans,
    retention,
    reviews,
    sign_in,
    signing_keys,
)
from app.audit.events.base import Event

# The order of the reference, by what stands before a kind's dot.
_ORDER = ("answer", "search", "conversation", "document", "upload", "policy", "change", "signin", "session", "link",
          "passkey", "plan", "review", "key", "delegation", "user", "role", "audit", "opening",
          "erasure", "hold", "retention", "log", "signingkey", "delivery", "leaktest", "guardrail",
          "pseudonym")  # fmt: skip
_MODULES = (
    answers,
    conversations,
    directory,
    plans,
    delegations,
    sign_in,
    log_reading,
    signing_keys,
    leak_tests,
    guardrail,
    reviews,
    forgetting,
    retention,
    deliveries,
)
_VALUES = [each for module in _MODULES for each in vars(module).values()]
_EVENTS = [each for each in _VALUES if isinstance(each, type) and issubclass(each, Event) and "kind" in vars(each)]
# Read by the test that holds docs/audit.md to this list, and by whoever filters by kind.
KINDS: dict[str, type[Event]] = {
    event.kind: event for event in sorted(_EVENTS, key=lambda event: _ORDER.index(event.kind.partition(".")[0]))
}
