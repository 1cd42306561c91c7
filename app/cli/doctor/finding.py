"""What `clearance doctor` finds about a part, and how it is looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from app.cli.doctor.installation import Setup

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What was found about one part, and how to mend it."""

    part: str
    state: State
    says: str
    mend: str = ""


Check = Callable[[Setup], Iterator[Finding]]
