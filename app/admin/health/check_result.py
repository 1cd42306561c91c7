"""What a check returns."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class CheckResult:
    """The state of one part, what it means, and how to repair it. The field names are those of the JSON output."""

    part: str
    state: State
    says: str
    mend: str = ""


def format_age(age: dt.timedelta) -> str:
    """Seconds, or minutes from two on."""
    seconds = int(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
