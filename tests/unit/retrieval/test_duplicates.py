"""Near-copies are named with the best of them; everything else stays."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.duplicates import alike, collapse
from app.retrieval.passage import Hit
from tests.support.passages import passage

LETTER = " ".join(f"word{n}" for n in range(60))


def hit(text: str, name: str) -> Hit:
    return Hit(passage(text, title=name), 0.5, 0.5, 0.5)


def test_the_best_stays_and_names_its_copies() -> None:
    hits = [
        hit(LETTER, "a"),
        hit("something else entirely here", "b"),
        hit(LETTER.upper(), "c"),
        hit(f"{LETTER} ps", "d"),
    ]
    kept = collapse(hits)
    assert [h.passage.title for h in kept] == ["a", "b"]
    assert [p.title for p in kept[0].copies] == ["c", "d"]
    assert kept[1].copies == ()


def test_alike() -> None:
    assert alike("the same", "the same")
    assert alike("The same words, again and again!", "the same words again and again")
    assert not alike(LETTER, " ".join(LETTER.split()[:40]))
    assert not alike(LETTER, LETTER.replace("word7", "other").replace("word30", "other").replace("word50", "other"))
    assert alike(LETTER, LETTER.replace("word59", "other"))
    assert not alike("one", "two")


@given(
    st.lists(
        st.tuples(st.sampled_from(["alpha beta gamma", "one two three four", LETTER]), st.integers(0, 9)), max_size=12
    )
)
def test_nothing_is_lost_and_the_order_stays(drawn: list[tuple[str, int]]) -> None:
    hits = [replace(hit(text, f"{n}-{m}"), score=1 - n / 100) for n, (text, m) in enumerate(drawn)]
    kept = collapse(hits)
    assert [h.score for h in kept] == sorted((h.score for h in kept), reverse=True)
    named = [p.title for h in kept for p in (h.passage, *h.copies)]
    assert sorted(named) == sorted(h.passage.title for h in hits)
    assert collapse(kept) == kept
