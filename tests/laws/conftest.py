"""Laws say how much they looked at: a line each, past pytest's capture."""

import sys
from collections.abc import Callable

import pytest

Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print one line of counts."""

    def line(words: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{words}\n")

    return line
