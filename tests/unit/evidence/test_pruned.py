"""Numbers without a record, and what records say of them."""

from hypothesis import given
from hypothesis import strategies as st

from app.evidence.pruned import Pruned

SIZE = 20
NUMBERS = st.sets(st.integers(0, SIZE - 1))
RANGES = st.lists(st.tuples(st.integers(-2, SIZE + 2), st.integers(-2, SIZE + 2)), max_size=6)


@given(NUMBERS, RANGES, st.integers(0, SIZE))
def test_what_is_undeclared_is_what_no_record_names_that_comes_later(
    bare: set[int], ranges: list[tuple[int, int]], place: int
) -> None:
    pruned = Pruned()
    for seq in sorted(bare):
        pruned.take(seq)
    record = {"kind": "log.pruned", "writer": "clearance_sequencer", "entries": [list(each) for each in ranges]}
    pruned.follow(place, record)
    pruned.follow(SIZE, {**record, "writer": "clearance_app"})
    pruned.follow(SIZE, {**record, "kind": "log.praised"})
    said = {n for first, last in ranges if 0 <= first <= last < place for n in range(first, last + 1)}
    found = [n for first, end in pruned.undeclared() for n in range(first, end)]
    assert found == sorted(bare - said)
    assert pruned.count == len(bare)


def test_what_is_no_list_of_ranges_says_nothing() -> None:
    pruned = Pruned()
    pruned.take(0)
    for entries in (None, 7, "0-1", [0, 1], [[0]], [["0", "1"]], [[0, 0, 0]], {"0": 1}):
        pruned.follow(9, {"kind": "log.pruned", "writer": "clearance_sequencer", "entries": entries})
    assert list(pruned.undeclared()) == [(0, 1)]
