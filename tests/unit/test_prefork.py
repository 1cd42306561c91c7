"""Several processes from one, without a service in them: how they part, and what becomes of those that end."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.prefork import MAX_FAILURES, ThreadsBeforeFork, require_one_thread
from tests.support.environment import REPOSITORY
from tests.support.waiting import alive, wait_for

pytestmark = pytest.mark.slow

# Each process writes its pid, if it hides its memory as the first does.
PROGRAM = """
import os, pathlib, signal, sys, time
from app.hardening import forbid_inspection
from app.prefork import Prefork, end_as

forbid_inspection()
folder = pathlib.Path(sys.argv[1])

def serve(number):
    with (folder / f"{number}.pids").open("a") as file:
        print(os.getpid(), file=file)
    import ctypes
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0, "it can be looked into"  # PR_GET_DUMPABLE
    %s

def forget(number):
    with (folder / f"{number}.forgotten").open("a") as file:
        print("x", file=file)

end_as(Prefork(2, serve, forget=forget, grace=5).run())
"""
WAITS = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(60)"


def started(folder: Path, body: str = WAITS) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", PROGRAM % body, str(folder)], cwd=REPOSITORY)


def pids(folder: Path, number: int) -> list[int]:
    """Of the processes with this number, oldest first."""
    file = folder / f"{number}.pids"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def both(folder: Path) -> list[int]:
    return wait_for(lambda: [*pids(folder, 0), *pids(folder, 1)] if pids(folder, 0) and pids(folder, 1) else [])


def test_one_that_is_killed_is_replaced_under_its_number(tmp_path: Path) -> None:
    parent = started(tmp_path)
    first, second = both(tmp_path)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path, 0)) == 2)
    assert (tmp_path / "0.forgotten").read_text() == "x\n"
    assert not (tmp_path / "1.forgotten").exists()
    assert alive(second)
    parent.terminate()
    assert parent.wait(10) == -signal.SIGTERM
    assert not any(map(alive, [*pids(tmp_path, 0), *pids(tmp_path, 1)]))


def test_all_end_with_the_first_process(tmp_path: Path) -> None:
    parent = started(tmp_path)
    family = both(tmp_path)
    parent.kill()
    parent.wait(10)
    wait_for(lambda: not any(map(alive, family)), seconds=10)


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    parent = started(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    family = both(tmp_path)
    parent.terminate()
    assert parent.wait(20) == -signal.SIGTERM
    assert not any(map(alive, family))


@pytest.mark.parametrize(
    ("body", "status"),
    [("sys.exit(7)", 7), ("os.kill(os.getpid(), signal.SIGSEGV)", 139), ("raise ValueError", 1), ("sys.exit('x')", 1)],
)
def test_where_all_keep_dying_the_first_ends_with_their_status(tmp_path: Path, body: str, status: int) -> None:
    assert started(tmp_path, body).wait(60) == status
    assert len(pids(tmp_path, 0)) + len(pids(tmp_path, 1)) >= MAX_FAILURES


def test_a_process_with_threads_is_not_copied() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    with pytest.raises(ThreadsBeforeFork, match=r"threads run .* before the API's processes part"):
        require_one_thread()
    release.set()
    thread.join()


def test_what_the_api_imports_starts_no_thread(tmp_path: Path) -> None:
    """With the embedder, as `python -m app` loads them: a library that begins to start one is seen here."""
    program = (
        "import runpy, pathlib; runpy.run_module('app', run_name='not main');"
        "from app.embedding.factory import build_embedder; from app.prefork import require_one_thread;"
        "build_embedder(kind='onnx', name='', threads=1, cache=pathlib.Path()).embed_query('a question');"
        "import faiss; require_one_thread(); print('one thread')"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert answer.stdout == "one thread\n", answer.stderr
