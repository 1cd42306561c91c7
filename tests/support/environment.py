"""The machine and the checkout that the tests run on."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

Report = Callable[[str], None]
# How many times as much as in `make test` the laws look at; `make laws` sets it.
LAW_FACTOR = int(os.environ.get("CLEARANCE_LAW_FACTOR", "1"))


def real_part_missing(reason: str) -> None:
    """Skip with the reason, or fail under CLEARANCE_REQUIRE_REAL=1, where every real part must be there."""
    if os.environ.get("CLEARANCE_REQUIRE_REAL") == "1":
        pytest.fail(f"a real part is missing: {reason}")
    pytest.skip(reason)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
