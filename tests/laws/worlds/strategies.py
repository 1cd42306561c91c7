"""Worlds by Hypothesis: every policy it can think of, within what makes a world worth looking at."""

import hypothesis
from hypothesis import strategies as st

from tests.laws.worlds.world import FOLDERS, ROLES, WINDOWS, GrantSpec, OwnSpec, PlaceSpec, Spec

EDGES = [(a, b) for a in range(len(ROLES)) for b in range(a + 1, len(ROLES)) if (a, b) != (0, 1)]

grants = st.builds(
    GrantSpec,
    effect=st.sampled_from(("allow", "allow", "deny")),
    who=st.integers(0, len(ROLES) + 1),
    window=st.sampled_from(WINDOWS),
)
owns = st.builds(
    OwnSpec, grants=st.lists(grants, max_size=3).map(tuple), inherits=st.booleans(), label=st.integers(-1, 3)
)
places = st.builds(PlaceSpec, collection=st.sampled_from("ab"), depth=st.integers(0, len(FOLDERS)), own=owns)


def specs(salt: int = 0) -> st.SearchStrategy[Spec]:
    """Specs of worlds with this salt: at least 30 documents in all, and 5 scopes before those that are drawn."""
    return st.builds(
        Spec,
        salt=st.just(salt),
        words=st.integers(0, 2**32 - 1),
        nesting=st.lists(st.sampled_from(EDGES), max_size=3, unique=True).map(tuple),
        held=st.sampled_from(((0,), (0, 2), (0, 3))),
        clearance=st.integers(1, 2),
        late=st.sampled_from(("ended", "to come")),
        folders=st.lists(owns, max_size=len(FOLDERS)).map(tuple),
        places=st.lists(places, min_size=1, max_size=4).map(tuple),
        visible=st.integers(15, 20),
        copies=st.integers(9, 14),
        floods=st.integers(4, 8),
        others=st.integers(2, 4),
        questions=st.integers(1, 3),
    )


def draw(batch: int, count: int) -> list[Spec]:
    """The first `count` specs of a batch: the same each time, and all different from those of other batches."""
    drawn: dict[Spec, None] = {}

    @hypothesis.seed(batch)
    @hypothesis.settings(
        max_examples=2 * count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(specs(batch))
    def collect(spec: Spec) -> None:
        drawn[spec] = None

    collect()
    if len(drawn) < count:
        raise AssertionError(f"batch {batch} has only {len(drawn)} different worlds")
    return list(drawn)[:count]
