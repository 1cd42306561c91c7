"""Fixed replies: every one in every language, with the same placeholders, and in the language of the question."""

import re

import pytest

from app.answer.replies import DEFAULT_LANGUAGE, REPLIES, REPLY_KEYS, reply
from app.indexing.analysis.language import question_language


@pytest.mark.parametrize("language", REPLIES)
def test_every_reply_stands_in_every_language_with_the_same_placeholders(language: str) -> None:
    assert set(REPLIES[language]) == set(REPLY_KEYS)
    for key, text in REPLIES[language].items():
        assert re.findall(r"\{\w*\}", text) == re.findall(r"\{\w*\}", REPLIES[DEFAULT_LANGUAGE][key])
        assert text == text.strip() != ""


@pytest.mark.parametrize("key", REPLY_KEYS)
def test_no_two_languages_say_the_same(key: str) -> None:
    """A text that somebody forgot to translate would."""
    assert len({REPLIES[language][key] for language in REPLIES}) == len(REPLIES)  # type: ignore[index]  # the key is one


@pytest.mark.parametrize("language", REPLIES)
def test_a_reply_reads_as_its_language(language: str) -> None:
    """A question in the words of the reply would be answered in the same language: no text stands in a wrong row."""
    assert question_language(" ".join(REPLIES[language].values())) == language


def test_other_languages_are_answered_in_english() -> None:
    assert reply("nothing", "fi") == reply("nothing", "en") != reply("nothing", "de")
