"""The supervisor: what it starts it watches and ends, and nothing else."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.local import programs as module
from app.local.programs import STABLE_SECONDS, Program, ProgramEnded
from app.local.supervisor import NotReady, StopRequested, Supervisor
from tests.support.waiting import alive, wait_for

pytestmark = pytest.mark.slow

ENV = {"PATH": "/usr/bin:/bin", "MARK": "given"}


def shell(name: str, script: str, *, ready: Callable[[], bool] | None = None) -> Program:
    return Program(name, ["/bin/sh", "-c", script], ENV, ready=ready, ready_seconds=5)


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


def test_a_program_that_is_killed_is_started_again_and_takes_nothing_with_it(
    supervisor: Supervisor, tmp_path: Path, reports: list[str]
) -> None:
    with supervisor:
        other = supervisor.start(shell("other", "sleep 60"))
        pid = supervisor.start(shell("api", "echo working; exec sleep 60"))
        supervisor.check()
        wait_for(lambda: "working" in (tmp_path / "logs" / "api.log").read_text(), seconds=5)
        os.kill(pid, signal.SIGKILL)
        while supervisor.pids.get("api", pid) == pid:
            supervisor.check()
        assert alive(other)
    [said] = reports
    assert re.search(r"api ended by SIGKILL(.|\n)*working(.|\n)*api is started again in 1 s", said)
    assert not alive(other)


def test_something_watched_is_started_again_where_it_was(
    supervisor: Supervisor, tmp_path: Path, reports: list[str]
) -> None:
    (tmp_path / "db.log").write_text("disk full\n")
    running, started = [False], list[str]()

    def start() -> None:
        if not started:
            started.append("failed")
            raise NotReady("the disk is still full")
        running[0] = True

    with supervisor:
        supervisor.adopt("postgres", alive=lambda: running[0], start=start, stop=lambda: None, log=tmp_path / "db.log")
        while not running[0]:
            supervisor.check()
    assert "disk full" in reports[0]
    assert "the disk is still full\n  postgres is started again in 2 s" in reports[1]


def test_one_that_fails_to_stop_keeps_no_other_from_its_end(supervisor: Supervisor, tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("stuck")

    pids: list[int] = []

    def session() -> None:
        with supervisor:
            pids.append(supervisor.start(shell("api", "exec sleep 60")))
            supervisor.adopt("stuck", alive=lambda: True, start=fail, stop=fail, log=tmp_path / "log")

    with pytest.raises(RuntimeError, match="stuck"):
        session()
    assert not alive(pids[0])


def test_one_that_keeps_ending_ends_everything_after_growing_pauses(
    supervisor: Supervisor, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its last lines; one that ran for a minute in between is one that works."""
    clock = [float(round(time.monotonic()))]  # near the real one, which the start took; whole, so that sums are exact

    def fail(pause: float) -> None:
        """Wait until it has ended, and then until it is started again, which is after this pause."""
        said = len(reports)
        while len(reports) == said:
            supervisor.check()
        assert supervisor.pids == {}
        (child,) = supervisor._children
        assert child.resume_at - clock[0] == pause
        clock[0] = child.resume_at - 0.01
        supervisor.check()
        assert supervisor.pids == {}  # not yet
        clock[0] = child.resume_at
        supervisor.check()
        assert list(supervisor.pids) == ["worker"]

    with supervisor:
        supervisor.start(shell("worker", "echo no disk; exit 1"))
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        for pause in (1, 2, 4):
            fail(pause)
        clock[0] += STABLE_SECONDS + 1
        fail(0.0)
        for pause in (1, 2, 4, 8, 16):
            fail(pause)
        with pytest.raises(ProgramEnded, match=r"worker ended with exit status 1(.|\n)*no disk(.|\n)*given up"):
            supervisor.run()
        monkeypatch.undo()


# Accepts one connection, answers it, and stays.
ANSWER = """
import socket, sys, time
listener = socket.socket(fileno=int(sys.argv[1]))
connection, _ = listener.accept()
connection.sendall(b"at your service")
connection.close()
time.sleep(60)
"""


def on_demand(listener: socket.socket, *argv: str) -> Program:
    return Program("model", [*(argv or (sys.executable, "-c", ANSWER)), str(listener.fileno())], ENV, listener=listener)


def ask(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), timeout=20)


def test_one_on_demand_starts_with_the_first_connection_which_waits_for_it(
    supervisor: Supervisor, reports: list[str]
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with supervisor:
        supervisor.start_on_demand(on_demand(listener))
        for _ in range(3):
            supervisor.check()
        assert supervisor.pids == {}
        for _ in range(2):  # and again when it has died
            with ask(listener) as caller:
                supervisor.check()
                pid = supervisor.pids["model"]
                assert caller.recv(100) == b"at your service"
            supervisor.check()
            assert supervisor.pids == {"model": pid}
            os.kill(pid, signal.SIGKILL)
            while supervisor.pids:
                supervisor.check()
            supervisor._children[0].resume_at = 0.0
            supervisor.check()
            assert supervisor.pids == {}, "nobody has asked"
    assert "model ended by SIGKILL" in reports[0]
    assert "model is started again when it is asked, in 1 s at the earliest" in reports[0]
    with pytest.raises(OSError, match="Bad file descriptor"):
        listener.getsockname()


def test_one_on_demand_that_cannot_start_ends_everything_and_leaves_no_caller_waiting(supervisor: Supervisor) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    program = on_demand(listener, "/bin/sh", "-c", "echo no weights; exit 2")

    def session() -> None:
        with supervisor:
            supervisor.start_on_demand(program)
            callers.append(ask(listener))
            while True:
                supervisor.check()
                supervisor._children[0].resume_at = 0.0

    callers: list[socket.socket] = []
    with pytest.raises(ProgramEnded, match=r"model ended with exit status 2(.|\n)*no weights(.|\n)*given up"):
        session()
    with callers[0], pytest.raises(ConnectionResetError):
        callers[0].recv(1)


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
            supervisor.adopt("database", alive=lambda: True, start=impatience, stop=impatience, log=tmp_path / "log")
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
