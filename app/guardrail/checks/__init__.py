"""One file per kind of thing that is redacted; the order settles ties between findings of equal length."""

from app.guardrail.check import Check
from app.guardrail.checks import (
    address,
    api_key,
    birth_date,
    card,
    connection_string,
    email,
    iban,
    ip,
    jwt,
    mac_address,
    national_id,
    password,
    pay_and_health,
    phone,
    private_key,
    secret,
    vehicle,
    wallet,
    webhook,
)

_CREDENTIALS: tuple[Check, ...] = (
    private_key.CHECK,
    connection_string.CHECK,
    webhook.CHECK,
    api_key.CHECK,
    jwt.CHECK,
    password.QUOTED,
    password.PROSE,
    secret.HEADER,
    secret.QUOTED,
    secret.NAMED,
)
_PERSONAL: tuple[Check, ...] = (
    email.CHECK,
    card.CHECK,
    iban.CHECK,
    *national_id.CHECKS,
    *birth_date.CHECKS,
    *vehicle.CHECKS,
    phone.CHECK,
    *address.CHECKS,
    ip.V4,
    ip.V6,
    mac_address.CHECK,
    *wallet.CHECKS,
)


def default_checks() -> tuple[Check, ...]:
    """All checks that are on by default: credentials, then personal data."""
    return _CREDENTIALS + _PERSONAL


def optional_checks() -> tuple[Check, ...]:
    """Checks that are off by default, for much of what they hide is harmless in most collections."""
    return pay_and_health.OPTIONAL


def credential_checks() -> tuple[Check, ...]:
    """Only what must never be shown or stored, whoever asks."""
    return _CREDENTIALS
