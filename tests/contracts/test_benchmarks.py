"""The statistics behind the figures of the docs."""

import subprocess
import sys

from tests.support.environment import REPOSITORY


def test_the_statistics_behind_the_figures_are_right() -> None:
    """In a process of its own: the figures of the docs rest on them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.selfcheck"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
