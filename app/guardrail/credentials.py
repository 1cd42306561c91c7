"""Credentials in questions are masked before anything is stored."""

from app.guardrail.checks import credential_checks
from app.guardrail.gate import Redacted, redact
from app.guardrail.guarded import guarded


def mask_credentials(text: str) -> Redacted:
    """The text without the credentials in it; personal data stays, for a question may be about it. Raises
    GuardrailFailed.
    """
    return guarded("redaction", redact, text, credential_checks())
