"""Where passages begin and end, on documents small enough to see."""

import pytest

from app.indexing.analysis.headings import distinct_headings
from app.indexing.analysis.sentences import sentences
from app.indexing.terms import Counts, term_hash
from ingest.document import Block, DocumentPassage, Extracted
from ingest.embed import terms_of
from ingest.split import HEADLINE, headline, split


class Words:
    """A token for each run of letters without white space."""

    def count(self, text: str) -> int:
        return len(text.split())

    def spans(self, text: str) -> list[tuple[int, int]]:
        found, start = [], 0
        for word in text.split():
            start = text.index(word, start)
            found.append((start, start + len(word)))
            start += len(word)
        return found


def document(*blocks: Block, title: str = "Title") -> Extracted:
    return Extracted(title=title, blocks=blocks, media_type="text/plain")


def text(words: int, *, word: str = "word") -> str:
    return " ".join([word] * words)


def cut(*blocks: Block, target: int = 100, max_tokens: int = 120) -> list[DocumentPassage]:
    return list(split(document(*blocks), counter=Words(), target=target, max_tokens=max_tokens))


@pytest.mark.parametrize(
    ("paragraphs", "passages"),
    [((40, 50, 60, 20), [90, 80]), ((60, 35, 15), [110]), ((300,), [117, 117, 66])],
    ids=["joined up to the target", "a stub joins the passage before it", "a long sentence is cut between words"],
)
def test_neighbours_under_one_heading_are_joined_and_cut(paragraphs: tuple[int, ...], passages: list[int]) -> None:
    blocks = [Block(text(words), "paragraph", ("A",)) for words in paragraphs]
    assert [passage.tokens for passage in cut(*blocks)] == passages


def test_sections_are_never_joined() -> None:
    found = cut(
        Block("A", "heading", ("A",)), Block("one", "paragraph", ("A",)),
        Block("B", "heading", ("A", "B")), Block("two", "paragraph", ("A", "B")),
    )  # fmt: skip
    assert [(p.text, p.heading_path, p.ordinal, p.headline) for p in found] == [
        ("one", ("A",), 0, "Title > A"),
        ("two", ("A", "B"), 1, "Title > A > B"),
    ]
    assert found[1].embedded == "Title > A > B\ntwo"


def test_a_heading_with_nothing_below_it_is_kept_as_text() -> None:
    found = cut(
        Block("A", "heading", ("A",)), Block("Empty", "heading", ("A", "Empty")), Block("B", "heading", ("B",)),
        Block("b", "paragraph", ("B",)), Block("Last", "heading", ("Last",)),
    )  # fmt: skip
    assert [(p.text, p.heading_path) for p in found] == [("Empty", ("A",)), ("b", ("B",)), ("Last", ())]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    long = " ".join(f"Sentence {n} " + text(37) + "." for n in range(6))
    found = cut(Block(long, "paragraph"))
    assert len(found) > 1
    assert all(p.text.startswith("Sentence") and p.text.endswith(".") for p in found)


@pytest.mark.parametrize("items", [3, 11, 16, 40])
def test_a_line_that_introduces_a_list_stands_with_its_beginning(items: int) -> None:
    """Also where the list, whole, has no room for it, and where it is longer than a passage."""
    listed = "\n".join(f"- item {n} " + text(5) for n in range(items))
    found = cut(Block(text(88), "paragraph"), Block("These are the ones:", "paragraph"), Block(listed, "list"))
    assert not any(p.text.endswith(":") for p in found)
    assert "\n".join(p.text for p in found).split("\n")[1:] == ["These are the ones:", *listed.split("\n")]


def test_one_endless_word_is_cut_by_its_length() -> None:
    found = cut(Block("x" * 10_000, "paragraph"))
    assert max(len(p.text) for p in found) <= 120 * 12
    assert "".join(p.text for p in found) == "x" * 10_000


def test_a_table_is_cut_between_rows_and_a_wide_row_between_cells() -> None:
    rows = [f"Name: person {n}; Amount: {text(36)}" for n in range(5)]
    found = cut(Block("\n".join(rows), "table"))
    assert all(p.text.startswith("Name: ") for p in found)
    assert "\n".join(p.text for p in found).split("\n") == rows
    wide = "; ".join(f"Column {n}: {text(30)}" for n in range(8))
    assert all(p.text.startswith("Column ") for p in cut(Block(wide, "table")))


def test_the_headline_keeps_title_and_last_heading_within_its_bound() -> None:
    path = (*(f"Heading {n} of the middle part" for n in range(12)), "The last one")
    line = headline("The title", path, counter=Words())
    assert line.startswith("The title > ")
    assert line.endswith(" > The last one")
    assert Words().count(line) <= HEADLINE
    huge = headline(text(500, word="t"), (text(500, word="h"),), counter=Words())
    assert Words().count(huge) <= HEADLINE
    assert {"t", "h"} <= set(huge.split())


def test_a_heading_that_repeats_the_title_is_said_once() -> None:
    assert headline("Leave", ("Leave", "Pay"), counter=Words()) == "Leave > Pay"


def test_a_passage_has_the_title_whole_and_counts_it_once() -> None:
    """Whatever the headline leaves out, and where it stands again as the first heading."""
    title = "Sick leave > " + text(60, word="zeal")
    path = (title.replace(" ", "\n", 1), "Pay of Zeal")
    [passage] = split(
        document(Block("Body", "paragraph", path), title=title), counter=Words(), target=100, max_tokens=120
    )
    assert passage.title == title
    assert passage.headline.count("zeal") < 60
    counts = terms_of(passage).counts
    assert counts[term_hash("en:zeal")] == Counts(title=60, headings=1)
    assert counts[term_hash("en:leav")] == Counts(title=1)
    assert terms_of(passage).length == 62 + 2 + 1


@pytest.mark.parametrize(
    ("title", "headings", "kept"),
    [
        ("Leave", ("Leave", "Pay"), ("Pay",)),
        ("Sick leave", ("Sick  leave",), ()),
        ("Leave", ("Pay", "Leave"), ("Pay", "Leave")),
        ("Leave", ("Leave", "Leave"), ("Leave",)),
        ("Leave", ("Leaves",), ("Leaves",)),
        ("Leave", (), ()),
        ("", ("Leave",), ("Leave",)),
    ],
)
def test_headings_beside_the_title(title: str, headings: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert distinct_headings(title, headings) == kept


def test_sizes_that_cannot_work_are_refused() -> None:
    for sizes in ({"target": 300}, {"target": 0}, {"target": 40, "max_tokens": 60}):
        with pytest.raises(ValueError, match="sizes"):
            cut(Block("a", "paragraph"), **sizes)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Ask Dr. Smith, e.g. On Monday. Then go.", ["Ask Dr. Smith, e.g. On Monday.", "Then go."]),
        ("It costs 3.50 a day. J. Doe pays.", ["It costs 3.50 a day.", "J. Doe pays."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("今日は。明日は。", ["今日は。", "明日は。"]),
        ("好！！ 走吧？\n是。", ["好！！", "走吧？", "是。"]),
        ("彼は「はい。」と言った。「いいえ。」次。", ["彼は「はい。」と言った。", "「いいえ。」", "次。"]),
        ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
        ("No. The crew stays. See No. 5 for more.", ["No.", "The crew stays.", "See No. 5 for more."]),
        ("1. First step. 2. Second", ["1. First step.", "2. Second"]),
        ("see www.example.com. for more", ["see www.example.com. for more"]),
        ("", []),
    ],
)
def test_sentences(given: str, found: list[str]) -> None:
    assert sentences(given) == found
