"""Near-copies are named with the best of them; everything else stays."""

import uuid
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.identity.subject import Label
from app.retrieval.duplicates import alike, collapse
from app.retrieval.passage import Hit, Passage

LETTER = " ".join(f"word{n}" for n in range(60))


def hit(text: str, path: str) -> Hit:
    passage = Passage(
        chunk=uuid.uuid5(uuid.NAMESPACE_URL, path + text),
        document=uuid.uuid5(uuid.NAMESPACE_URL, path),
        version=uuid.uuid5(uuid.NAMESPACE_URL, path),
        collection="collection",
        path=path,
        title=path,
        heading_path=(),
        page=None,
        text=text,
        tokens=10,
        label=Label.INTERNAL,
    )
    return Hit(passage, 0.5, 0.5, 0.5)


def test_the_best_stays_and_names_its_copies() -> None:
    hits = [
        hit(LETTER, "a"),
        hit("something else entirely here", "b"),
        hit(LETTER.upper(), "c"),
        hit(f"{LETTER} ps", "d"),
    ]
    kept = collapse(hits)
    assert [h.passage.path for h in kept] == ["a", "b"]
    assert [p.path for p in kept[0].copies] == ["c", "d"]
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
    named = [p.path for h in kept for p in (h.passage, *h.copies)]
    assert sorted(named) == sorted(h.passage.path for h in hits)
    assert collapse(kept) == kept
