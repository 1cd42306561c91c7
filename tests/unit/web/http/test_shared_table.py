"""The table that API processes count in: as a dictionary would, bounded, and free of what a dead process held."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.http.shared_table import MAX_PROCESSES, WAYS, Processes, SharedTable, TableFull

# Copies of this process use nothing that another thread could hold.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
FULL = 10.0
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "hold", "release", "give back", "dies"]),
        st.integers(0, 2),  # the process
        st.sampled_from([b"a", b"b", b"c", b""]),
    ),
    max_size=80,
)


def take(table: SharedTable, name: bytes, now: float = 0.0) -> float:
    with table.bucket(name, full=FULL, now=now) as bucket:
        bucket.tokens -= 1
        bucket.filled_at = now
        return bucket.tokens


@given(STEPS)
def test_it_counts_as_a_dictionary_does(steps: list[tuple[str, int, bytes]]) -> None:
    processes = Processes(3)
    table = SharedTable(processes, sets=4)
    tokens: dict[bytes, float] = {}
    running: dict[tuple[bytes, int], int] = {}
    for what, number, name in steps:
        processes.number = number
        if what == "take":
            tokens[name] = tokens.get(name, FULL) - 1
            assert take(table, name) == tokens[name]
        elif what == "give back" and name in tokens:
            tokens[name] = min(FULL, tokens[name] + 2)
            table.give_back(name, 2, full=FULL)
        elif what == "hold":
            tokens.setdefault(name, 0.0)
            together = sum(many for (held, _), many in running.items() if held == name)
            assert table.hold(name, 4) == (together < 4)
            running[name, number] = running.get((name, number), 0) + (together < 4)
        elif what == "release":
            table.release(name)
            running[name, number] = max(0, running.get((name, number), 0) - 1)
        elif what == "dies":
            table.forget_process(number)
            running = {place: 0 if place[1] == number else many for place, many in running.items()}
        for each in (b"a", b"b", b"c", b""):
            assert table.holders(each) == [n for n in range(3) if running.get((each, n))]
    assert len(table) == len(tokens)


def test_the_longest_unused_gives_way_and_what_runs_never() -> None:
    processes = Processes()
    table = SharedTable(processes, sets=1)
    with table.bucket(b"runs", full=FULL, now=0.0) as bucket:
        assert table.begin(bucket, 1)
    for number in range(1, WAYS):
        take(table, str(number).encode(), now=float(number))
    take(table, b"1", now=100.0)
    take(table, b"new", now=101.0)
    assert len(table) == WAYS
    assert take(table, b"1", now=102.0) == FULL - 3
    assert table.holders(b"runs") == [0]
    assert take(table, b"2", now=103.0) == FULL - 1  # it was the longest unused, and begins anew


def test_where_everything_runs_nothing_more_begins() -> None:
    table = SharedTable(Processes(), sets=1)
    for number in range(WAYS):
        assert table.hold(bytes([number]))
    with pytest.raises(TableFull), table.bucket(b"one more", full=FULL, now=0.0):
        pass
    assert not table.hold(b"one more")
    table.release(bytes([0]))
    assert table.hold(b"one more")


def test_threads_of_one_process_wait_for_one_another() -> None:
    table = SharedTable(Processes(2), sets=1)

    def take_many(_: int) -> None:
        for _ in range(100):
            with table.bucket(b"a", full=FULL, now=0.0) as bucket:
                time.sleep(0)  # another one may go on here
                bucket.tokens -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take_many, range(4)))
    assert take(table, b"a") == FULL - 401


def in_child(work: Callable[[], None]) -> int:
    """The pid of a copy of this process that does this."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    return pid


def test_processes_wait_for_one_another() -> None:
    processes = Processes(3)
    table = SharedTable(processes, sets=1)

    def work(number: int) -> None:
        processes.number = number
        for _ in range(2000):
            take(table, b"a")
            table.hold(b"a")

    pids = [in_child(lambda number=number: work(number)) for number in range(3)]  # type: ignore[misc]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0, 0]
    with table.bucket(b"a", full=FULL, now=0.0) as bucket:
        assert bucket.tokens == FULL - 6000
        assert bucket.running[:3] == [2000, 2000, 2000]


def test_a_process_that_is_killed_with_the_lock_keeps_nobody_waiting() -> None:
    processes = Processes(2)
    table = SharedTable(processes, sets=1)
    ready, told = os.pipe()

    def work() -> None:
        processes.number = 1
        table.hold(b"slot", 1)
        with processes.lock:
            os.write(told, b"x")
            time.sleep(60)

    pid = in_child(work)
    os.read(ready, 1)
    done = threading.Event()

    def wait() -> None:
        table.hold(b"other")
        done.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not done.wait(0.2), "the lock is not held"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert done.wait(5)
    waiting.join()
    assert not table.hold(b"slot", 1)
    table.forget_process(1)
    assert table.hold(b"slot", 1)
    os.close(ready)
    os.close(told)


def test_there_are_not_more_processes_than_columns() -> None:
    Processes(MAX_PROCESSES)
    for count in (0, MAX_PROCESSES + 1):
        with pytest.raises(ValueError, match="processes"):
            Processes(count)
