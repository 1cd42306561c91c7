"""The words of cues.yaml: each is found where its stem is, in small letters and look-alike ones."""

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.guardrail import cues
from app.guardrail.checks import default_checks
from app.guardrail.cues import FrameEnd, frame, names, no_values
from app.guardrail.gate import redact
from app.guardrail.groups import group_checks
from app.guardrail.lookalikes import lowered
from app.lookalikes import LOOKALIKE_DIGITS, LOOKALIKES

SORTS = ("password", "code", "secret")
GROUPS = group_checks(default_checks())


def listed(sort: str) -> list[str]:
    """All names of a sort, in all languages."""
    data: dict[str, Any] = cues._data()[sort]
    parts = [data.get(part) or {} for part in ("long", "short", "unspaced")]
    return [word.replace("*", "") for part in parts for words in part.values() for word in words]


def without_stem(words: list[str], stems: tuple[str, ...]) -> list[str]:
    """The words that hold none of the stems, those with a sign only at the beginning of a word."""
    pattern = "|".join(rf"(?<![^\W\d_]){stem[1:]}" if stem[0] == "^" else re.escape(stem) for stem in stems)
    return [word for word in words if re.search(pattern, lowered(word)) is None]


@pytest.mark.parametrize("sort", SORTS)
def test_every_name_holds_a_stem(sort: str) -> None:
    assert len(listed(sort)) > 30
    assert without_stem(listed(sort), names(sort).words) == []


def test_a_name_without_a_stem_is_noticed() -> None:
    assert without_stem(["geheimwort", "spin", "the pin"], (*names("password").words, "^pin")) == [
        "geheimwort",
        "spin",
    ]


@pytest.mark.parametrize("sort", SORTS)
def test_every_name_says_that_a_value_follows(sort: str) -> None:
    pattern = re.compile(frame(sort)[0] + r"\Z")
    for word in listed(sort):
        assert pattern.search(lowered(f"{word}: ")), word
    if sort != "secret":
        assert not [word for word in listed(sort) if not FrameEnd(sort)(lowered(f"{word}: "))]


def test_there_are_many_languages() -> None:
    data = cues._data()
    spaced, unspaced = set(data["password"]["long"]) - {"any"}, set(data["password"]["unspaced"])
    assert len(spaced) >= 20
    assert unspaced >= {"zh", "ja", "ko", "th"}
    assert len(data["is"]) >= 15
    assert {"abgelaufen", "caducada", "verlopen"} <= no_values()


def test_a_stem_with_a_sign_counts_only_at_the_beginning_of_a_word() -> None:
    assert "^pin" in GROUPS.cue_words
    for text, count in (("the pin is", 1), ("PIN", 1), ("spinning", 0), ("shopping", 0), ("(pin)", 1)):
        assert len(GROUPS.find_cues(text, 0, 0, len(text)).get("^pin", [])) == count, text


def test_cue_words_are_found_among_letters_that_grow_when_they_are_made_small() -> None:
    text = "İİ password: x"
    assert GROUPS.find_cues(text, 0, 0, len(text))["pass"] == [7]


def test_cue_words_with_blanks_are_found_whatever_of_them_was_seen_before() -> None:
    text = "xx the network security key: recovery code, net use, -u me"
    whole = GROUPS.find_cues(text, 0, 0, len(text))
    assert {"network security key", "recovery ", "net use ", "-u "} & set(GROUPS.cue_words) <= set(whole) | {"net use "}
    for known in range(len(text)):
        found = GROUPS.find_cues(text, max(known - 32, 0), known, len(text))
        assert {word: [end for end in ends if end > known] for word, ends in whole.items() if ends[-1] > known} == {
            word: new for word, ends in found.items() if (new := [end for end in ends if end > known])
        }


@given(st.text(), st.text())
def test_small_letters_of_a_text_are_those_of_its_parts(left: str, right: str) -> None:
    assert lowered(left + right) == lowered(left) + lowered(right)
    assert len(lowered(left)) == len(left)


def test_look_alikes_are_read_as_the_latin_letters() -> None:
    assert lowered("Ра\u0455\u0455w\u043erd \u0440\u0456n") == "password pin"
    letters, digits = set(map(ord, string.ascii_letters)), set(map(ord, string.digits))
    assert letters.isdisjoint(LOOKALIKES)
    assert set(LOOKALIKES.values()) <= letters
    assert set(LOOKALIKE_DIGITS.values()) <= digits


def test_capitals_that_look_like_latin_ones_name_a_value() -> None:
    """В, Н, Ν and Τ are read as B, H, N and T; in Russian and Greek words in capitals they still are what they are."""
    for name in ("PАSSWОRD", "ΤΟΚΕΝ", "АРІ ΚΕΥ", "DOОR CΟDΕ", "ПАРОЛЬ", "КОД ОТ ДВЕРИ", "ΚΩΔΙΚΌΣ ΠΡΌΣΒΑΣΗΣ"):
        value = "4711" if "D" in name[:1] or name.startswith("КОД") else "a8Kd93mXq2Lp77Zw"
        assert redact(f"{name}: {value}", default_checks()).text == f"{name}: [redacted: credential]"
