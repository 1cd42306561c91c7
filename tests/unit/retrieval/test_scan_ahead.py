"""A scan that was begun early says what one says that is asked for later."""

import threading
from concurrent.futures import Future
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from app.retrieval import scan_ahead
from app.retrieval.corpus_size import VisibleCorpus
from app.retrieval.reader import ReaderSnapshot, halfvec_text
from app.retrieval.scan_ahead import ScanAhead
from app.scope_index.protocol import Entries, IndexUnavailable, ScanResult, merge
from app.scope_index.snapshot import Snapshot

QUERY: NDArray[np.float32] = np.full(4, 0.5, np.float32)
HERE = Snapshot(5, 9, frozenset())


class Recorder:
    """A `VectorIndex` and its view, which notes in which thread it was asked for what."""

    def __init__(self, *, lost: bool = False, ready: bool = True) -> None:
        self.asked: list[tuple[str, int]] = []
        self.begun = threading.Event()
        self.since, self._lost, self._ready = HERE, lost, ready

    def view(self, snapshot: Snapshot) -> "Recorder | None":
        assert snapshot is HERE
        return self if self._ready else None

    def scan(self, query: NDArray[np.float32], scopes: NDArray[np.int32], *, depth: int) -> ScanResult:
        self.asked.append((threading.current_thread().name, depth))
        self.begun.set()
        if self._lost:
            raise IndexUnavailable("a shard did not answer")
        return ScanResult(np.arange(depth), np.full(depth, query.sum() + scopes.sum(), np.float32), -np.inf)

    def score(self, query: NDArray[np.float32], delta: Entries) -> ScanResult:
        del query, delta
        return merge([], 0)

    def close(self) -> None:
        raise AssertionError("the index is everybody's")


def reader() -> ReaderSnapshot:
    class Scopes:
        scope_ids = (3, 1)

    return ReaderSnapshot(cast(Any, None), cast(Any, Scopes), VisibleCorpus(9, 9, HERE, 9))


def test_the_scan_ran_elsewhere_and_once() -> None:
    index, seen = Recorder(), reader()
    ahead = ScanAhead(index, seen, QUERY, 7)
    assert index.begun.wait(60)
    view = ahead.view(HERE)
    assert view is not None
    assert view.since is HERE
    found = view.scan(QUERY, seen.scopes, depth=7)
    assert (found.ids.tolist(), found.scores.tolist()) == (list(range(7)), [6.0] * 7)
    assert [depth for _, depth in index.asked] == [7]
    assert index.asked[0][0].startswith("scan-ahead")
    ahead.close()


def test_another_question_is_asked_of_the_index() -> None:
    index, seen = Recorder(), reader()
    view = ScanAhead(index, seen, QUERY, 7).view(HERE)
    assert view is not None
    assert len(view.scan(QUERY, seen.scopes, depth=28).ids) == 28
    assert view.scan(QUERY, seen.scopes[:1], depth=7).scores[0] == 3
    assert view.scan(np.ones(4, np.float32), seen.scopes, depth=7).scores[0] == 8
    assert [depth for _, depth in index.asked] == [7, 28, 7, 7]


def test_what_failed_early_fails_late() -> None:
    seen = reader()
    view = ScanAhead(Recorder(lost=True), seen, QUERY, 7).view(HERE)
    assert view is not None
    with pytest.raises(IndexUnavailable):
        view.scan(QUERY, seen.scopes, depth=7)
    assert ScanAhead(Recorder(ready=False), seen, QUERY, 7).view(HERE) is None


def test_a_search_that_finds_no_thread_scans_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy:
        def submit(self, run: object) -> Future[None]:
            del run
            return Future()

    monkeypatch.setattr(scan_ahead, "THREADS", Busy())
    index, seen = Recorder(), reader()
    view = ScanAhead(index, seen, QUERY, 7).view(HERE)
    assert view is not None
    view.scan(QUERY, seen.scopes, depth=7)
    assert index.asked == [(threading.current_thread().name, 7)]


def test_five_digits_tell_halves_apart() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    sent = halfvec_text(halves.astype(np.float32))[1:-1].split(",")
    assert np.array_equal(np.array(sent, np.float32).astype(np.float16).view(np.uint16), halves.view(np.uint16))
