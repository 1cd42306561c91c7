"""Policies for tests."""

import functools
from collections.abc import Iterable
from pathlib import Path

from app.answer.live_policy import LivePolicy
from app.db.session import Database
from app.guardrail.check import Check
from app.identity.role_names import role_names
from app.settings import GuardrailSettings
from app.wiring import build_checks


def with_checks(checks: Iterable[Check]) -> LivePolicy:
    """No policy: everything that these checks find is removed."""
    made = tuple(checks)
    return LivePolicy(None, lambda _: made, dict, seconds=60)


def policy_at(path: Path, database: Database, *, seconds: float = 60) -> LivePolicy:
    """The policy of a file, as a service makes it; looked at again when it is told to."""
    options = GuardrailSettings(policy_file=path, policy_seconds=seconds)
    return LivePolicy(
        path, functools.partial(build_checks, options, None), functools.partial(role_names, database), seconds=seconds
    )
