"""Phrases and patterns: bounded, or refused with what to write instead."""

import time

import pytest

from app.refusals.folding import views
from app.refusals.patterns import MAX_WAYS, UnboundedPattern, found, pattern, phrase


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a+b", "no end"),
        ("a*", "no end"),
        ("a{3,}", "no end"),
        ("(?:a.*)?b", "no end"),
        (r"(a)\1", "leave them out"),
        ("(a)?(?(1)b|c)", "leave them out"),
        ("a?", "matches nothing"),
        ("(?=a)", "matches nothing"),
        ("(", "no regular expression"),
        ("a{2,1}", "no regular expression"),
        ("Secret", "small letters"),
        ("x" * 501, "at most 500"),
        (r"\w{1,90}\w{1,90}x", "ways"),
        (r"(?:\w{1,9}){1,9}x", "ways"),
        ("(?:a|a){1,30}x", "ways"),
        ("a{1,9999999}", "ways"),
    ],
)
def test_a_pattern_without_bounds_is_refused(text: str, advice: str) -> None:
    with pytest.raises(UnboundedPattern, match=advice):
        pattern(text)


@pytest.mark.parametrize(
    "text", [r"\bdrop\b.{0,40}\btables?\b", r"(?:red|green|blue) (?:\w{1,10} ){0,3}safe", r"(?i:x)y", r"(?<!no )way"]
)
def test_a_bounded_pattern_is_taken(text: str) -> None:
    assert pattern(text)


def test_letters_of_a_pattern_are_folded_as_those_of_a_question_are() -> None:
    assert found([pattern("öffne den (?:tresor|schrank)")], views("ÖFFNE DEN SCHRANK")) == 0
    assert found([pattern("сейф")], views("СЕЙФ")) == 0


@pytest.mark.parametrize("text", [r".{0,60}a.{0,60}b", r"(?:a|ab|abc){1,5}x", r"\w{1,60}\w{1,60}!"])
def test_the_worst_pattern_that_is_taken_is_quick(text: str) -> None:
    """The longest question there may be, made for it."""
    compiled = pattern(text)
    for question in ("a" * 4000, "ab" * 2000, "abc" * 1333):
        begun = time.process_time()
        found([compiled], [question])
        assert time.process_time() - begun < 2.0


def test_the_ways_are_counted() -> None:
    with pytest.raises(UnboundedPattern, match=f"tried in 10,201 ways at each place: at most {MAX_WAYS:,}"):
        pattern(r"x.{0,100}y.{0,100}z")


def test_a_phrase_needs_a_word() -> None:
    with pytest.raises(UnboundedPattern, match="needs a word"):
        phrase("?!")
