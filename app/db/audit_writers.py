"""Which kinds of records each database role may write, and in whose name. The one list: the database holds a copy of
it, brought up to date with the migrations, and row-level security of `audit_leaf` asks that copy.

A new kind of record goes into one of the lists below; a test names the one that was forgotten.
"""

from dataclasses import dataclass
from typing import Literal

ActsFor = Literal["caller", "nobody"]

# By the API, in the name of the person whose identity the transaction carries.
BY_CALLERS = (
    *("answer.opened", "answer.closed", "answer.feedback", "search.done", "conversation.read", "conversation.deleted"),
    *("document.opened", "document.downloaded", "document.uploaded", "document.deleted"),
    "upload.removed",
    *("policy.changed", "change.refused", "plan.made", "plan.applied", "plan.withdrawn"),
    *("key.made", "key.changed", "key.revoked", "delegation.made", "delegation.revoked"),
    *("user.made", "user.changed", "user.removed", "role.made", "role.changed", "role.removed"),
    *("role.joined", "role.left", "audit.read", "audit.exported", "audit.downloaded"),
    *("opening.requested", "opening.decided", "erasure.requested", "erasure.decided", "hold.placed", "hold.lifted"),
    *("retention.requested", "retention.decided"),
    *("session.started", "session.ended", "link.made", "link.revoked", "passkey.made", "passkey.revoked"),
    "delivery.retried",
    *("leaktest.started", "leaktest.ended", "review.opened", "review.decided", "review.closed"),
    *("guardrail.checked", "pseudonym.revealed", "pseudonym.refused"),
)
# By the API, where nobody is known: in a transaction without identity, and in nobody's name.
BY_NOBODY = ("signin.refused",)
BY_WORKER = ("document.indexed", "document.failed")
BY_SEQUENCER = ("answer.closed", "signingkey.changed", "log.pruned")
BY_DELIVERY = ("delivery.configured",)
WORKER = "worker"
SEQUENCER = "clearance-sequencer"
DELIVERY = "clearance-delivery"


@dataclass(frozen=True)
class Writer:
    """A database role may write this kind. `name` is the actor's, where that is a part of ours."""

    role: str
    kind: str
    acts_for: ActsFor
    name: str | None = None


WRITERS = (
    *(Writer("clearance_app", kind, "caller") for kind in BY_CALLERS),
    *(Writer("clearance_app", kind, "nobody") for kind in BY_NOBODY),
    *(Writer("clearance_ingest", kind, "nobody", WORKER) for kind in BY_WORKER),
    *(Writer("clearance_sequencer", kind, "nobody", SEQUENCER) for kind in BY_SEQUENCER),
    *(Writer("clearance_delivery", kind, "nobody", DELIVERY) for kind in BY_DELIVERY),
)
