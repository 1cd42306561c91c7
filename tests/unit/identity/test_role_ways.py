"""How somebody comes into a role, as a pure function of memberships and nesting."""

import datetime as dt
import uuid

from hypothesis import given
from hypothesis import strategies as st

from app.identity.role_ways import FOR_EVER, RoleWay, role_ways

A, B, C, D = (uuid.UUID(int=n) for n in range(1, 5))
SOON, LATER = (dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2))
ENDS = st.none() | st.sampled_from([SOON, LATER])
ROLES = st.sampled_from([A, B, C, D])


def test_the_way_that_lasts_longest_is_told_and_of_these_the_shortest() -> None:
    ways = role_ways({A: SOON, B: None}, [(A, D), (B, C), (C, D), (B, D)])
    assert ways == [RoleWay((B,), None), RoleWay((B, C), None), RoleWay((B, D), None), RoleWay((A,), SOON)]


def test_a_membership_beside_a_longer_way_is_told_too() -> None:
    """Or who ends it would wonder why nothing changes."""
    assert role_ways({A: None, B: SOON}, [(A, B)]) == [RoleWay((A,), None), RoleWay((A, B), None), RoleWay((B,), SOON)]


@given(st.dictionaries(ROLES, ENDS), st.frozensets(st.tuples(ROLES, ROLES)))
def test_ways_lead_to_exactly_the_closure_and_each_step_is_there(
    held: dict[uuid.UUID, dt.datetime | None], nested: frozenset[tuple[uuid.UUID, uuid.UUID]]
) -> None:
    """Also in circles, which the product refuses; and none ends before another way to the same role."""
    ways = role_ways(held, nested)
    closure = set(held)
    while more := {outer for inner, outer in nested if inner in closure} - closure:
        closure |= more
    assert {way.role for way in ways} == closure
    for way in ways:
        assert held[way.path[0]] == way.until
        assert all(step in nested for step in zip(way.path, way.path[1:], strict=False))
    longest = {way.role: way for way in reversed(ways)}
    for role, way in longest.items():
        starts = (end for start, end in held.items() if role in _around(start, nested))
        assert (way.until or FOR_EVER) == max((end or FOR_EVER for end in starts), default=FOR_EVER)


def _around(start: uuid.UUID, nested: frozenset[tuple[uuid.UUID, uuid.UUID]]) -> set[uuid.UUID]:
    found = {start}
    while more := {outer for inner, outer in nested if inner in found} - found:
        found |= more
    return found
