"""Which words are marked, and which part of a text is shown."""

from hypothesis import example, given
from hypothesis import strategies as st

from app.indexing.terms import query_terms, words_in
from app.retrieval.highlight import Marker

# Words of several languages and their forms, stop words, identifiers, and what is none of these.
LISTED = [
    "policy", "policies", "Policies", "policing", "paid", "pay", "pays", "SLAs", "sla", "e-mail", "email",
    "max_retry_count", "don't", "die", "the", "van", "been", "era", "Kündigung", "kündigen", "Kündigungen", "straße",
    "STRASSE", "geschreven", "schrijven", "congés", "congé", "qu'il", "niños", "niño", "и", "книги", "книга", "λόγος",
    "كتاب", "東京", "日本語", "日", "本語", "ไทย", "ไท", "ทั", "㈱", "ｱｲ",
    "v2.3.1", "2026", "C++", "ﬁnance", "naïve", "naive", "İstanbul", "ſs",
]  # fmt: skip
WORDS = st.sampled_from(LISTED) | st.text(max_size=8) | st.text("aeinstrgdüß", max_size=7)
TEXT = (
    "The committee approved twelve policies. " * 30
    + "Parental leave lasts weeks, said max_retry_count. "
    + "More follows. " * 30
)


def marked(text: str, query: str) -> list[str]:
    return [text[a:b] for a, b in Marker(query_terms(query)).marks(text)]


def test_words_are_marked_in_any_form() -> None:
    assert marked("Policies, a policy; the police.", "policy") == ["Policies", "policy"]
    assert marked("set max_retry_count to 3", "what is max_retry_count") == ["max_retry_count"]
    assert marked("nothing of it", "the of and") == []


def test_scripts_without_spaces_are_marked_where_their_pairs_match() -> None:
    assert marked("有給休暇は入社から半年後に取得できます。", "半年後の休暇") == ["休暇", "半年後"]
    assert marked("VPN設定の方法、VPN", "VPNの設定") == ["VPN", "設定", "VPN"]
    assert marked("ลาพักร้อนได้สิบวัน", "ลาพักร้อนกี่วัน") == ["ลาพักร้อน", "วัน"]
    assert marked("年假须提前申请。", "怎么申请年假？") == ["年假", "申请"]


def test_the_part_with_most_of_the_words_is_shown() -> None:
    part = Marker(query_terms("weeks of parental leave")).snippet(TEXT, length=200)
    assert {part.text[a:b] for a, b in part.marks} == {"Parental", "leave", "weeks"}
    assert part.cut == (True, True)
    assert len(part.text) <= 200


def test_what_fits_is_shown_whole() -> None:
    part = Marker(query_terms("text")).snippet("A short text.", length=200)
    assert (part.text, part.cut) == ("A short text.", (False, False))


@given(st.text(max_size=600), st.text(max_size=40), st.integers(20, 300))
def test_marks_lie_inside_and_in_order(text: str, query: str, length: int) -> None:
    part = Marker(query_terms(query)).snippet(text, length=length)
    assert len(part.text) <= length
    assert part.text in text
    edges = [edge for mark in part.marks for edge in mark]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(part.text) for edge in edges)
    assert set(marked(part.text, query)) >= {part.text[a:b] for a, b in part.marks} or part.cut != (False, False)


@given(st.lists(WORDS, max_size=12), WORDS, WORDS)
@example(["\u3400\U0003134b"], "policy", "\u3400")  # the second is in the range of Han, and not assigned
def test_many_at_once_say_what_each_alone_says(words: list[str], one: str, other: str) -> None:
    """Stemmed many at once and compared before hashing: the terms of each word, hashed, decide the same."""
    asked = query_terms(f"{one} {other}")
    forms = {form for word in asked for form in word.forms}
    each = {w for w in words if any(not forms.isdisjoint(found.forms) for found in query_terms(w))}
    assert words_in(words, asked).keys() == each


def _forms(piece: str) -> set[int]:
    """The terms of a piece, whatever its language."""
    return {form for word in query_terms(piece) for form in word.forms}


@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=4))
def test_which_words_a_piece_contains_is_what_each_alone_says(pieces: list[str], asked: list[str]) -> None:
    """What is passed over by its beginning has none of the words."""
    words = query_terms(" ".join(asked))
    each = {
        piece: frozenset(n for n, word in enumerate(words) if not _forms(piece).isdisjoint(word.forms))
        for piece in pieces
    }
    assert words_in(pieces, words) == {piece: numbers for piece, numbers in each.items() if numbers}
