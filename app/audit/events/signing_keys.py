"""What becomes of the key that signs the log's heads."""

from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class SigningKeyChanged(Event):
    """From here on checkpoints are signed by `key`, a public key as text.

    `previous` is the key before it and `endorsement` its signature, in base64, over `key_change_text`: who trusts the
    old key can trust the new one. Both are null for the first key, and where the old one was lost.
    """

    kind = "signingkey.changed"
    key: str
    previous: str | None
    endorsement: str | None
