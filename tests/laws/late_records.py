"""The API with one thing built wrong: what a model is shown is recorded a moment later, beside the answer.

Run as `python -m tests.laws.late_records` by the law whose mutant it is.
"""

import threading
from typing import Any

from app.answer.audit_trail import Trail
from app.server import serve

committed = Trail.open


def beside(trail: Trail, *given: Any, **named: Any) -> None:
    """Commit in a thread, and go on at once."""
    threading.Timer(0.05, committed, (trail, *given), named).start()


if __name__ == "__main__":
    Trail.open = beside  # type: ignore[assignment, method-assign]  # the mutation
    serve()
