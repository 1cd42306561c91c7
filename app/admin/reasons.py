"""Reasons that people give for what others must be able to judge later."""

from app.errors import InvalidInput

MIN_REASON, MAX_REASON = 10, 1_000


def checked_reason(reason: str, what: str) -> str:
    """The reason on one line, without spaces around. Raises InvalidInput, which asks why `what`."""
    reason = " ".join(reason.split())
    if not MIN_REASON <= len(reason) <= MAX_REASON or not reason.isprintable():
        raise InvalidInput(f"Say why {what}, in {MIN_REASON} to {MAX_REASON:,} printable characters.")
    return reason
