"""What a check of `clearance doctor` returns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from app.cli.doctor.installation import Installation

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class CheckResult:
    """The state of one part, what it means, and how to repair it. The field names are those of the JSON output."""

    part: str
    state: State
    says: str
    mend: str = ""


Check = Callable[[Installation], Iterator[CheckResult]]
