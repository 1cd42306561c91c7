"""`make laws` goes on where it was killed, loses nothing it has done, and says by its exit code what it found."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.laws.run import State, main
from tests.laws.worlds.outcomes import Tally
from tests.laws.worlds.strategies import draw
from tests.support.environment import REPOSITORY
from tests.support.waiting import wait_for

SIZES = {"quick": 5, "http": 1}


def start(state: Path, worlds: int) -> subprocess.Popen[str]:
    options = ["--worlds", str(worlds), "--batch", "5", "--processes", "1", "--state", str(state)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.laws.run", *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )


def batches(state: Path) -> dict[str, Any]:
    return dict(json.loads(state.read_text())["batches"]) if state.exists() else {}


def test_a_killed_run_goes_on_and_leaves_no_process(tmp_path: Path) -> None:
    """Killed outright, the next one ended by who stopped it, and the last one does the rest: what was done stays."""
    state = tmp_path / "laws.json"
    first = start(state, 1000)
    wait_for(lambda: len(batches(state)) >= 2, seconds=90, child=first)
    children = psutil.Process(first.pid).children(recursive=True)
    assert len(children) >= 2, "a worker and a server"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    killed = batches(state)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    second = start(state, 1000)
    wait_for(lambda: len(batches(state)) > len(killed), seconds=90, child=second)
    second.send_signal(signal.SIGTERM)
    told, _ = second.communicate(timeout=60)
    assert second.returncode == 130, told
    assert "Interrupted" in told
    assert "share at most" in told
    done = batches(state)
    worlds = 5 * (len(done) + 1)
    last = start(state, worlds)
    told, _ = last.communicate(timeout=120)
    assert last.returncode == 0, told
    after = batches(state)
    assert {key: after[key] for key in done} == done
    assert {key: done[key] for key in killed} == killed
    assert len(after) == len(done) + 1
    assert f"worlds {worlds} questions" in " ".join(told.split())


@pytest.mark.parametrize(
    ("differing", "threatened", "code"), [(0, 10, 0), (1, 10, 1), (0, 7, 1)], ids=["well", "a mismatch", "no threat"]
)
def test_the_exit_code_says_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], differing: int, threatened: int, code: int
) -> None:
    """A run of which nothing is left to do shows its table and ends as it stands."""
    line, path = draw(2, 1)[0].to_json(), tmp_path / "laws.json"
    tally = Tally(5, 10, threatened, 10, differing, seconds=1.0, wrong=[line] * differing)
    State(path, SIZES).add("quick", 0, tally, "code")
    assert main(["--worlds", "5", "--batch", "5", "--state", str(path)]) == code
    told = capsys.readouterr().out.replace("\n", "")
    assert "share at most" in told
    assert (line in told) == bool(differing)


def test_a_state_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "laws.json"
    State(path, SIZES).add("quick", 0, Tally(worlds=5), "code")
    assert State.load(path, SIZES).totals() == {"quick": Tally(worlds=5)}
    with pytest.raises(ValueError, match="name another --state"):
        State.load(path, {"quick": 250, "http": 10})
