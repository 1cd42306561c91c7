"""A stretch as a reader sees it, and where each of its characters ends in the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.guardrail.readings.rewriting import glue, rewrite, space

STRETCHES = st.lists(
    st.sampled_from(
        ("41", "11", "ab", "Z", " ", "  ", "\n", "\n> ", "\n- ", " | ", "<br>", "<b>", "</b>", "<td>", "<!-- x -->",
         "&#52;",
         "&nbsp;", "&am", "%41", "%zz", "=3D", "\\u0041", "\\x41", "\\_", "\\", "~~", "`", "[1]", "[1](", "_", "а", "О",
         "é")
    ),
    max_size=14,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("stretch", "glued", "spaced"),
    [
        ("4111<br>1111", "41111111", "4111 1111"),
        ("4111\n> 1111", "41111111", "4111 1111"),
        ("4111 | 1111", "41111111", "4111 1111"),
        ("4111  1111", "41111111", "4111 1111"),
        ("4111 [1] 1111", "41111111", "4111 1111"),
        ("ab<b>cd</b>", "abcd", "abcd"),
        ("ab<!-- no -->cd", "abcd", "abcd"),
        ("&#52;&#x31;&period;", "41.", "41."),
        ("%34=31\\x31\\u0031", "4111", "4111"),
        ("john\\_doe", "john_doe", "john_doe"),
        ("h\u0430nter2", "hanter2", "hanter2"),
    ],
)
def test_what_a_reader_sees(stretch: str, glued: str, spaced: str) -> None:
    for plain, expected in ((glue, glued), (space, spaced)):
        shown = rewrite(stretch, plain)
        assert shown is not None
        assert shown.text == expected


@pytest.mark.parametrize("stretch", ["plain words", "привет", "4111 1111", "a_b", "[1](https://x.example)", ""])
def test_what_stays_as_it_is(stretch: str) -> None:
    assert rewrite(stretch, glue) is None


def test_not_every_o_is_a_zero() -> None:
    for stretch, expected in (("4\u041e1\u041e", "4010"), ("\u041e\u041e", "00")):
        shown = rewrite(stretch, glue, digits=True)
        assert shown is not None
        assert shown.text == expected
    assert rewrite("\u0434\u043e\u043b\u0436\u0435\u043d", glue, digits=True) is None


@given(STRETCHES, st.sampled_from((glue, space)), st.booleans(), st.booleans())
def test_ends_lead_back_to_the_text(stretch: str, plain, underscores: bool, digits: bool) -> None:  # type: ignore[no-untyped-def]
    shown = rewrite(stretch, plain, underscores=underscores, digits=digits)
    if shown is None:
        return
    assert len(shown.ends) == len(shown.text)
    assert shown.ends == sorted(shown.ends)
    assert all(0 < end <= len(stretch) for end in shown.ends)
    assert 0 <= shown.first <= len(shown.text)
    assert 0 <= shown.joined <= len(shown.text)
    # Characters before the first change stand in the text as they are.
    first = min(shown.first, shown.joined)
    assert shown.text[:first] == stretch[:first]
    assert shown.ends[:first] == list(range(1, first + 1))
    for at in shown.glued:
        assert shown.text[at - 1].isalnum()
        assert shown.text[at].isalnum()
