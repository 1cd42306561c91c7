"""One file per kind of thing that is redacted; the order settles ties between findings of equal length."""

from app.guardrail.check import Check
from app.guardrail.checks import (
    api_key,
    card,
    config_secret,
    connection_string,
    email,
    iban,
    ip,
    jwt,
    national_id_europe,
    national_id_world,
    password,
    phone,
    private_key,
    recovery,
    secret,
    webhook,
)

_CREDENTIALS: tuple[Check, ...] = (
    private_key.CHECK,
    private_key.PUTTY,
    connection_string.CHECK,
    webhook.CHECK,
    api_key.CHECK,
    jwt.CHECK,
    password.QUOTED,
    password.PROSE,
    secret.HEADER,
    secret.QUOTED,
    secret.NAMED,
    *config_secret.CHECKS,
    *recovery.CHECKS,
)
_PERSONAL: tuple[Check, ...] = (
    email.CHECK,
    card.CHECK,
    iban.CHECK,
    *national_id_world.CHECKS,
    *national_id_europe.CHECKS,
    phone.CHECK,
    ip.V4,
    ip.V6,
)


def default_checks() -> tuple[Check, ...]:
    """All checks: credentials, then personal data."""
    return _CREDENTIALS + _PERSONAL


def credential_checks() -> tuple[Check, ...]:
    """Only what must never be shown or stored, whoever asks."""
    return _CREDENTIALS
