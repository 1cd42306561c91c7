"""What people write into fields, as values: empty means not given."""

import datetime as dt

from app.errors import InvalidInput


def day_start(text: str, name: str) -> dt.datetime | None:
    """The beginning of a day in UTC, from a date field; raises InvalidInput."""
    if not text:
        return None
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
    except ValueError:
        raise InvalidInput(f"'{name}' is no date; write it like 2026-03-31.") from None


def moment_utc(text: str, name: str) -> dt.datetime | None:
    """A moment in UTC, from a field of date and time; raises InvalidInput."""
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    except ValueError:
        raise InvalidInput(f"'{name}' is no moment; write it like 2026-03-31T12:00.") from None


def chosen(values: list[str]) -> tuple[str, ...]:
    """What was picked in a list of choices, without what says that nothing was."""
    return tuple(value for value in values if value)
