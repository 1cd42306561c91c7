"""The order in which roles are drawn as a tree."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from app.admin.role_tree import tree_order

A, B, C, D = (uuid.UUID(int=n) for n in range(1, 5))
ROLES = [uuid.UUID(int=n) for n in range(1, 9)]


def test_inner_roles_stand_behind_their_outer_one() -> None:
    assert tree_order([A, B, C, D], {C: [A], A: [B]}) == [(0, C, False), (1, A, False), (2, B, False), (0, D, False)]


def test_what_lies_in_two_roles_is_drawn_with_its_own_once() -> None:
    drawn = tree_order([A, B, C, D], {A: [C], B: [C], C: [D]})
    assert drawn == [(0, A, False), (1, C, False), (2, D, False), (0, B, False), (1, C, True)]


def test_roles_around_one_another_do_not_multiply() -> None:
    """Sixty layers of two roles, each inside both of the next, would be 2^60 lines."""
    layers = [[uuid.UUID(int=2 * n), uuid.UUID(int=2 * n + 1)] for n in range(60)]
    inside = {outer: layers[n + 1] for n in range(59) for outer in layers[n]}
    assert len(tree_order([role for layer in layers for role in layer], inside)) == 2 + 59 * 4


@given(st.frozensets(st.tuples(st.sampled_from(ROLES), st.sampled_from(ROLES))))
def test_every_role_is_drawn_and_every_nesting(pairs: frozenset[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """In circles too: each role once with what lies inside it, each further time by itself."""
    inside: dict[uuid.UUID, list[uuid.UUID]] = {}
    for inner, outer in sorted(pairs):
        inside.setdefault(outer, []).append(inner)
    drawn = tree_order(ROLES, inside)
    assert sorted(role for _, role, repeated in drawn if not repeated) == ROLES
    found, above = set(), dict[int, uuid.UUID]()
    for depth, role, _ in drawn:
        above[depth] = role
        if depth:
            found.add((role, above[depth - 1]))
    assert found == set(pairs)
