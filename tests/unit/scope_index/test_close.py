"""Lists are closed at once, whatever they are at."""

from collections.abc import Callable

from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import Entries
from app.scope_index.sharding import WHOLE
from app.scope_index.snapshot import Snapshot
from tests.unit.scope_index.remote.search_server import QUANTIZER, Stored


class Endless(Stored):
    """A source that is never read to its end."""

    def __init__(self) -> None:
        super().__init__(WHOLE)
        self.closed = False

    def load(self, progress: Callable[[int], None]) -> tuple[Snapshot, Entries]:
        while True:
            progress(1)

    def close(self) -> None:
        self.closed = True


def test_lists_that_are_still_loading_let_go_at_once() -> None:
    source = Endless()
    lists = ScopeIndex(source, QUANTIZER)
    lists.start(seconds=0.01)
    lists.close()
    assert source.closed
