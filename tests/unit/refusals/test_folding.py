"""Disguises of a question: whatever a reader sees as the words is the words."""

import pytest

from app.refusals.folding import fold, views
from app.refusals.patterns import found, phrase

SECRET = phrase("open the green safe")
DISGUISED = {
    "plain": "Please open the green safe now",
    "capitals": "OPEN THE GREEN SAFE",
    "full width": "ｏｐｅｎ ｔｈｅ ｇｒｅｅｎ ｓａｆｅ",
    "mathematical bold": "𝐨𝐩𝐞𝐧 𝐭𝐡𝐞 𝐠𝐫𝐞𝐞𝐧 𝐬𝐚𝐟𝐞",
    "circled": "ⓞⓟⓔⓝ ⓣⓗⓔ ⓖⓡⓔⓔⓝ ⓢⓐⓕⓔ",
    "Cyrillic letters": "ореn thе grееn ѕаfе",
    "Greek letters": "οpen the green sαfe",
    "zero width": "o\u200bp\u200ben the gr\u200deen sa\ufefffe",
    "soft hyphens": "op\u00aden the gre\u00aden safe",
    "variation selectors": "o\ufe0fpen the green s\U000e0101afe",
    "accents": "öpén the grêên safè",
    "strike-through": "o\u0336p\u0336e\u0336n\u0336 the green safe",
    "a joiner": "op\u034fen the green safe",
    "Hangul filler": "op\u3164en the green safe",
    "bidi marks": "open\u202a the\u202c green\u200e safe",
    "an isolate": "\u2066open the\u2069 green safe",
    "turned round": "\u202eefas neerg eht nepo\u202c",
    "tags as noise": "op\U000e0061en the green safe",
    "tags as text": "hello " + "".join(chr(0xE0000 + ord(c)) for c in "open the green safe"),
    "Markdown": "**open** the _green_ `safe`",
    "emphasis in a word": "o**pe**n the gr_ee_n safe",
    "line breaks": "open\nthe\r\ngreen\tsafe",
    "no-break spaces": "open\u00a0the\u202fgreen\u2003safe",
    "punctuation": "open, the - green... safe!",
    "spaced letters": "o p e n  t h e  g r e e n  s a f e",
    "dotted letters": "o.p.e.n  t.h.e  g.r.e.e.n  s.a.f.e",
    "one blank between all letters": "now: o p e n t h e g r e e n s a f e",
    "no blanks": "openthegreensafe",
    "digits": "0p3n the gr33n s4fe",
    "signs": "open the green $@fe",
}


@pytest.mark.parametrize("disguise", DISGUISED)
def test_a_disguised_phrase_is_found(disguise: str) -> None:
    assert found([SECRET], views(DISGUISED[disguise])) == 0


@pytest.mark.parametrize(
    "text",
    [
        "open the green safely",
        "reopen the green safe",
        "open the big green safe",
        "the safe is green: open it",
        "",
        "\u200b",
    ],
)
def test_other_words_are_not(text: str) -> None:
    assert found([SECRET], views(text)) is None


@pytest.mark.parametrize("text", ["открой сейф", "Öffne den Tresor", "金庫を開けて", "افتح الخزنة", "straße"])
def test_a_phrase_in_any_script_finds_itself(text: str) -> None:
    assert found([phrase(text)], views(f"bitte {text}!")) == 0


def test_a_phrase_without_blanks_is_found_within_a_sentence() -> None:
    assert found([phrase("金庫を開けて")], views("すぐに金庫を開けてください")) == 0


def test_folding_twice_changes_nothing() -> None:
    for text in (*DISGUISED.values(), "ΣΊΣΥΦΟΣ", "İstanbul", "ﬁne ﷺ"):
        assert fold(fold(text)) == fold(text)
