"""What the guardrail of this service would hide in a text that an administrator gives it."""

from collections import Counter

from app.audit.actor import actor
from app.audit.events.guardrail import GuardrailChecked
from app.audit.log import record
from app.db.session import Database
from app.guardrail.explain import ExplainedRedaction, explain
from app.guardrail.guarded import guarded
from app.guardrail.redaction import Redaction
from app.identity.subject import Capability, Subject, require_capability


def check_text(database: Database, subject: Subject, text: str, redaction: Redaction) -> ExplainedRedaction:
    """The redaction of a text, explained (administer). That it was asked for is recorded, without the text.

    Raises GuardrailFailed.
    """
    require_capability(subject, Capability.ADMINISTER)
    found = guarded("redaction", explain, text, redaction.checks, redaction.renderer)
    redactions = Counter(span.kind for span in found.spans)
    with database.writing(subject.user_id) as session:
        record(session, GuardrailChecked(actor=actor(subject), characters=len(text), redactions=redactions))
    return found
