"""One file per kind of thing that is redacted; the order settles ties between findings of equal length."""

from app.guardrail.check import Check
from app.guardrail.checks import (
    api_key,
    card,
    code,
    connection_string,
    email,
    iban,
    ip,
    jwt,
    named_after,
    near,
    national_id_europe,
    national_id_world,
    passphrase,
    password,
    phone,
    private_key,
    secret,
    webhook,
)
from app.guardrail.readings import with_readings

_CREDENTIALS: tuple[Check, ...] = (
    private_key.CHECK,
    connection_string.CHECK,
    webhook.CHECK,
    api_key.CHECK,
    jwt.CHECK,
    password.QUOTED,
    password.PROSE,
    passphrase.CHECK,
    code.CHECK,
    named_after.CHECK,
    near.PASSWORD,
    near.TOKEN,
    secret.HEADER,
    secret.QUOTED,
    secret.NAMED,
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


_ALL = with_readings(_CREDENTIALS + _PERSONAL)
_CREDENTIALS_ALONE = with_readings(_CREDENTIALS)


def default_checks() -> tuple[Check, ...]:
    """All checks: credentials, then personal data, in every reading."""
    return _ALL


def credential_checks() -> tuple[Check, ...]:
    """Only what must never be shown or stored, whoever asks."""
    return _CREDENTIALS_ALONE
