"""The supervisor: what it starts it watches and ends, and nothing else."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.local import supervisor as module
from app.local.supervisor import NotReady, Program, ProgramEnded, StopRequested, Supervisor
from tests.support.waiting import alive, wait_for

ENV = {"PATH": "/usr/bin:/bin", "MARK": "given"}


def shell(name: str, script: str, *, restart: bool = False, ready: Callable[[], bool] | None = None) -> Program:
    return Program(name, ["/bin/sh", "-c", script], ENV, ready=ready, ready_seconds=5, restart=restart)


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, reports: list[str]) -> Supervisor:
    return Supervisor(tmp_path / "logs", report=reports.append, grace_seconds=0.5)


def test_it_ends_last_first_all_it_started_and_nothing_else(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        with supervisor:
            for name in ("first", "second", "third"):
                script = f"trap 'echo {name} >> {order}; exit 0' TERM; touch {tmp_path}/{name}; sleep 60 & wait"
                supervisor.start(shell(name, script, ready=(tmp_path / name).exists))
            pids = supervisor.pids
            assert all(os.getpgid(pid) == pid for pid in pids.values()), "Ctrl-C at the terminal would reach it"
        assert list(pids) == ["first", "second", "third"]
        assert order.read_text().split() == ["third", "second", "first"]
        assert not any(alive(pid) for pid in pids.values())
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_one_that_will_not_end_is_made_to_and_so_are_its_children(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with supervisor:
        script = f"trap '' TERM; sleep 60 & echo $! > {note}; touch {note}.done; while :; do sleep 1; done"
        pid = supervisor.start(shell("stubborn", script, ready=Path(f"{note}.done").exists))
        begin = time.monotonic()
    assert 0.4 < time.monotonic() - begin < 5
    assert not alive(pid)
    wait_for(lambda: not alive(int(note.read_text())))


def test_the_environment_is_exactly_what_was_given(supervisor: Supervisor, tmp_path: Path) -> None:
    os.environ["CLEARANCE_TEST_SECRET"] = "must not arrive"
    try:
        with supervisor:
            supervisor.start(shell("env", f"env; touch {tmp_path}/done; sleep 60", ready=(tmp_path / "done").exists))
    finally:
        del os.environ["CLEARANCE_TEST_SECRET"]
    log = (tmp_path / "logs" / "env.log").read_text()
    assert "MARK=given" in log
    assert "must not arrive" not in log
    assert (tmp_path / "logs" / "env.log").stat().st_mode & 0o777 == 0o600


def test_one_that_ends_before_it_is_ready_is_reported_with_its_last_words(supervisor: Supervisor) -> None:
    script = "echo old > /dev/null; for i in $(seq 20); do echo line $i; done; echo no disk >&2; exit 3"
    with supervisor, pytest.raises(ProgramEnded, match="api ended with exit status 3") as caught:
        supervisor.start(shell("api", script, ready=lambda: False))
    assert "no disk" in str(caught.value)
    assert "line 1\n" not in str(caught.value)


def test_one_that_is_never_ready_is_reported(supervisor: Supervisor) -> None:
    program = Program("slow", ["/bin/sleep", "60"], ENV, ready=lambda: False, ready_seconds=0.2)
    with supervisor, pytest.raises(NotReady, match="slow is not ready"):
        supervisor.start(program)


def test_the_end_of_a_program_that_must_run_ends_everything(supervisor: Supervisor) -> None:
    with supervisor:
        other = supervisor.start(shell("other", "sleep 60"))
        pid = supervisor.start(shell("api", "echo working; exec sleep 60"))
        supervisor.check()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ProgramEnded, match="api ended by SIGKILL"):
            supervisor.run()
    assert not alive(other)


def test_the_end_of_something_watched_ends_everything(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "db.log").write_text("disk full\n")
    stopped: list[int] = []
    with supervisor:
        supervisor.adopt("postgres", alive=lambda: False, stop=lambda: stopped.append(pid), log=tmp_path / "db.log")
        pid = supervisor.start(shell("api", "exec sleep 60"))
        with pytest.raises(ProgramEnded, match=r"postgres ended(.|\n)*disk full"):
            supervisor.run()
        assert stopped == []
    assert stopped == [pid]


def test_one_that_fails_to_stop_keeps_no_other_from_its_end(supervisor: Supervisor, tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("stuck")

    pids: list[int] = []

    def session() -> None:
        with supervisor:
            pids.append(supervisor.start(shell("api", "exec sleep 60")))
            supervisor.adopt("stuck", alive=lambda: True, stop=fail, log=tmp_path / "log")

    with pytest.raises(RuntimeError, match="stuck"):
        session()
    assert not alive(pids[0])


def test_a_worker_is_started_again_with_growing_pauses(
    supervisor: Supervisor, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [float(round(time.monotonic()))]  # near the real one, which the start took; whole, so that sums are exact
    with supervisor:
        supervisor.start(shell("worker", "exit 1", restart=True))
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        pauses: list[float] = []
        for _ in range(9):
            while len(reports) == len(pauses):
                supervisor.check()
            before = clock[0]
            (child,) = supervisor._children
            assert supervisor.pids == {}
            pauses.append(child.resume_at - before)
            clock[0] = child.resume_at - 0.01
            supervisor.check()
            assert supervisor.pids == {}  # not yet
            clock[0] = child.resume_at
            supervisor.check()
            assert list(supervisor.pids) == ["worker"]
        monkeypatch.undo()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert "worker ended with exit status 1" in reports[0]


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_end_and_a_second_one_does_not_break_it_off(
    supervisor: Supervisor, tmp_path: Path, which: signal.Signals
) -> None:
    before = signal.getsignal(which)
    pids: list[int] = []
    ended: list[bool] = []

    def impatience() -> None:
        os.kill(os.getpid(), which)
        ended.append(True)

    def session() -> None:
        with supervisor:
            supervisor.adopt("database", alive=lambda: True, stop=impatience, log=tmp_path / "log")
            pids.append(supervisor.start(shell("api", "exec sleep 60")))
            os.kill(os.getpid(), which)
            supervisor.run()

    with pytest.raises(StopRequested):
        session()
    assert ended == [True]
    assert not alive(pids[0])
    assert signal.getsignal(which) == before


def test_a_long_log_is_shortened_while_the_program_goes_on(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LOG_BYTES", 1000)
    script = f"seq 1000; touch {tmp_path}/long; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo after; sleep 60"
    with supervisor:
        supervisor.start(shell("api", script, ready=(tmp_path / "long").exists))
        supervisor.check()
        (tmp_path / "go").touch()
        log = tmp_path / "logs" / "api.log"
        wait_for(lambda: log.read_text() == "after\n")
        assert log.with_suffix(".log.1").read_text().startswith("1\n2\n")
