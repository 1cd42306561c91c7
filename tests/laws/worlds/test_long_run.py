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

from tests.laws.run import main
from tests.laws.worlds.outcomes import Tally
from tests.laws.worlds.run_state import Result, State
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
    """Killed outright with two batches done: the next run does the others, and those two are as they were."""
    state = tmp_path / "laws.json"
    first = start(state, 1000)
    wait_for(lambda: len(batches(state)) >= 2, seconds=90, child=first)
    children = psutil.Process(first.pid).children(recursive=True)
    assert len(children) >= 2, "a worker and a server"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = batches(state)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    worlds = 5 * (len(done) + 2)
    second = start(state, worlds)
    told, _ = second.communicate(timeout=120)
    assert second.returncode == 0, told
    after = batches(state)
    assert {key: after[key] for key in done} == done
    assert len(after) == len(done) + 2
    assert f"worlds {worlds} questions" in " ".join(told.split())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C, or ended from elsewhere: exit code 130, and the table of what is done."""
    state = tmp_path / "laws.json"
    run = start(state, 1000)
    wait_for(lambda: batches(state), seconds=90, child=run)
    run.send_signal(how)
    told, _ = run.communicate(timeout=60)
    assert run.returncode == 130, told
    assert "Interrupted" in told
    assert "share at most" in told


@pytest.mark.parametrize(
    ("differing", "threatened", "code"), [(0, 10, 0), (1, 10, 1), (0, 7, 1)], ids=["well", "a mismatch", "no threat"]
)
def test_the_exit_code_says_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], differing: int, threatened: int, code: int
) -> None:
    """A run of which nothing is left to do shows its table and ends as it stands."""
    state, line, path = State(SIZES), draw(2, 1)[0].to_json(), tmp_path / "laws.json"
    tally = Tally(worlds=5, questions=10, threatened=threatened, differing=differing)
    state.add(Result("quick", 100, tally, 10, 1.0, (line,) * differing), "code")
    state.save(path)
    assert main(["--worlds", "5", "--batch", "5", "--state", str(path)]) == code
    told = capsys.readouterr().out.replace("\n", "")
    assert "share at most" in told
    assert (line in told) == bool(differing)


def test_a_state_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "laws.json"
    State(SIZES).save(path)
    assert State.load(path, SIZES) == State(SIZES)
    with pytest.raises(ValueError, match="name another --state"):
        State.load(path, {"quick": 250, "http": 10})
