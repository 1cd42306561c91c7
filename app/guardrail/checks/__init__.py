"""One file per kind of thing that is redacted; the order settles ties between findings of equal length."""

from app.guardrail.check import Check
from app.guardrail.checks import (
    address,
    api_key,
    birth_date,
    card,
    cloud_account,
    code,
    config_secret,
    connection_string,
    email,
    email_words,
    home_path,
    iban,
    internal_host,
    ip,
    jwt,
    mac_address,
    named_after,
    national_id,
    near,
    passphrase,
    password,
    pay_and_health,
    phone,
    private_key,
    recovery,
    secret,
    vehicle,
    wallet,
    webhook,
)
from app.guardrail.readings import with_readings

_CREDENTIALS: tuple[Check, ...] = (
    private_key.CHECK,
    private_key.PUTTY,
    connection_string.CHECK,
    webhook.CHECK,
    api_key.CHECK,
    jwt.CHECK,
    password.QUOTED,
    password.PROSE,
    passphrase.CHECK,
    code.CHECK,
    code.ANSWER,
    code.FOR_PURPOSE,
    named_after.CHECK,
    near.PASSWORD,
    near.TOKEN,
    secret.HEADER,
    secret.QUOTED,
    secret.NAMED,
    *config_secret.CHECKS,
    *recovery.CHECKS,
)
_PERSONAL: tuple[Check, ...] = (
    email.CHECK,
    email_words.CHECK,
    email_words.SIGNED,
    cloud_account.CHECK,
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


_ALL = with_readings(_CREDENTIALS + _PERSONAL)
_CREDENTIALS_ALONE = with_readings(_CREDENTIALS)


def default_checks() -> tuple[Check, ...]:
    """All checks that are on by default: credentials, then personal data, in every reading."""
    return _ALL


def checks_with(*more: Check) -> tuple[Check, ...]:
    """The same with others, which are found in every reading too."""
    return with_readings((*_CREDENTIALS, *_PERSONAL, *more)) if more else _ALL


def optional_checks() -> tuple[Check, ...]:
    """Checks that are off by default, for much of what they hide is harmless in most collections."""
    return (*pay_and_health.OPTIONAL, *internal_host.OPTIONAL, *home_path.OPTIONAL)


def credential_checks() -> tuple[Check, ...]:
    """Only what must never be shown or stored, whoever asks."""
    return _CREDENTIALS_ALONE
