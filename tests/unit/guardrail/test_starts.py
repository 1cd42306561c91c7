"""Where checks may find something does not depend on how the text came; how far they read is known from any prefix."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.guardrail.check import Run
from app.guardrail.checks import default_checks, optional_checks
from app.guardrail.starts import Starts

CHECKS = (*default_checks(), *optional_checks())
RUNS = {
    run.pattern.pattern: run
    for check in CHECKS
    for run in (check.run, *(group.run for group in getattr(check, "groups", ())))
}
WORDS = st.sampled_from(
    ("password", "pass", "is", "key:", "spin", "PIN", "4111", "1111", "a@b.example", "+49", "İ", "token=", "x" * 40,
     "AB12", "eyJhbGci", "four", "<br>", "https://x.example", "-u", "ada:Nebelkran22", "пароль", "密码", "|", '"', "of",
     "q7W!")
)  # fmt: skip
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from((" ", "\n", "", " "))), min_size=9, max_size=40).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)


def cut_at_words(text: str, cuts: list[int]) -> list[int]:
    """The cuts, each moved left to the end of a word."""
    return sorted({max(text.rfind(" ", 0, cut), text.rfind("\n", 0, cut)) + 1 for cut in cuts})


@given(TEXTS, st.lists(st.integers(0, 100), max_size=8), st.booleans())
def test_any_cutting_finds_the_same_starts(text: str, shares: list[int], forgets: bool) -> None:
    whole = set(Starts(CHECKS).find(text, 0, len(text)))
    starts, found, gone, scan = Starts(CHECKS), set(), 0, 0
    for limit in [*cut_at_words(text, [len(text) * share // 100 for share in shares]), len(text)]:
        here = text if limit == len(text) else text[: limit + 1]
        found |= {(at + gone, number) for at, number in starts.find(here[gone:], scan - gone, limit - gone)}
        scan = limit
        if forgets and (cut := max(scan - 97, gone)) > gone:
            starts.forget(cut - gone)
            gone = cut
    assert found == whole


def test_a_cue_word_may_lie_across_a_cut_and_be_forgotten() -> None:
    text = "Log in as ada, or sign in with Nebelkran22, which is the palabra clave of 4711 for the key. " * 5
    whole = set(Starts(CHECKS).find(text, 0, len(text)))
    starts, found, gone, scan = Starts(CHECKS), set(), 0, 0
    for limit in [*(match.end() for match in re.finditer(" ", text)), len(text)]:
        found |= {(at + gone, number) for at, number in starts.find(text[gone:], scan - gone, limit - gone)}
        scan = limit
        cut = max(scan - 97, gone)
        starts.forget(cut - gone)
        gone = cut
    assert found == whole


def literals(run: Run) -> list[str]:
    """Pieces of words that a pattern names."""
    return re.findall(r"[^\W\d_]{1,12}", run.pattern.pattern)[:300]


SIGNS = string.ascii_letters + string.digits + " \n.,:;-+/()[]|<>&#%=_~`'\"\\!éÄа是のé"
PIECES = ("<b>", "<br/>", "<!-- x", "&#52;", "four ", "nine-", "exclamation mark ", " de ", "[1] ", "\n> ", "\n- ",
          "  ", "ext. 4", " is", " als ", "(password)", "12 Main St", "31 32 ", "AB 12", " 1st of May", "4111 ",
          "+49 ", "aB3-")  # fmt: skip


@pytest.mark.parametrize("number", range(len(RUNS)))
@given(data=st.data())
@settings(max_examples=25)
def test_runs_accept_every_prefix_of_what_they_accept(number: int, data: st.DataObject) -> None:
    """Else the reach of a decision would depend on how much of the text is there."""
    run = list(RUNS.values())[number]
    drawn = data.draw(
        st.from_regex(run.pattern, fullmatch=True)
        | st.lists(st.sampled_from(SIGNS) | st.sampled_from(PIECES) | st.sampled_from(literals(run) or ["x"])).map(
            "".join
        )
    )
    reach = run.end(drawn, 0)
    assert reach <= run.extent
    for size in range(reach + 1):
        assert run.end(drawn[:size], 0) == size


@pytest.mark.parametrize(
    "text", ["yankee-exclamation mark two", "uno guion bajo dos", "4111\n<!-- x -->1111", "a <!-- b"]
)
def test_runs_accept_every_prefix_of_texts_that_were_a_problem(text: str) -> None:
    for run in RUNS.values():
        for size in range(run.end(text, 0) + 1):
            assert run.end(text[:size], 0) == size
