"""The same law for citations: any cutting of the answer gives the same text, and never takes back a character."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from app.guardrail.citations import CitationFilter

tokens = st.sampled_from(
    (
        "The rule", " ", "  ", "[1]", "[2]", "[9]", "[1, 2]", "[1-3]", "[^2]", "【3】", "【3†source】", "【9", "[", "]",
        "[1", "(", "](u)", "[text](url)", "`", "```", "\n", "arr[0]", "arr", "\\", "\\[1\\]", "[2024]", "!", ".", ",",
        "12", " [8]", "[1][9][2]", "^", "†", "-",
    ),
)  # fmt: skip
answers = st.lists(tokens, max_size=14).map("".join)


def _whole(answer: str) -> tuple[str, tuple[int, ...]]:
    filter_ = CitationFilter(3)
    return filter_.feed(answer) + filter_.flush(), filter_.used


@given(answer=answers, data=st.data())
@settings(max_examples=500)
def test_any_cutting_gives_the_same_answer(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=30)))
    filter_ = CitationFilter(3)
    released = [filter_.feed(answer[a:b]) for a, b in itertools.pairwise([0, *cuts, len(answer)])]
    released.append(filter_.flush())
    whole, used = _whole(answer)
    for state in itertools.accumulate(released):
        assert whole.startswith(state)
    assert "".join(released) == whole
    assert filter_.used == used
    assert set(used) <= {1, 2, 3}


@given(answer=answers)
@settings(max_examples=150)
def test_what_is_held_back_is_bounded(answer: str) -> None:
    filter_ = CitationFilter(3)
    for character in answer + "[" + "1, " * 100:
        filter_.feed(character)
        assert filter_.held <= 76  # a blank, and the longest marker
