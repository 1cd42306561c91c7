"""Laws of splitting on random documents: nothing lost, nothing too large, same again."""

import re
from itertools import zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.indexing.analysis.sentences import sentences
from ingest.document import Block, Extracted
from ingest.extractors.outline import Outline
from ingest.split import split


class Pieces:
    """Like a word piece tokenizer: words of up to `size` characters are a token, longer ones several; space is none."""

    def __init__(self, size: int) -> None:
        self._word = re.compile(rf"\S{{1,{size}}}")

    def count(self, text: str) -> int:
        return len(self._word.findall(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in self._word.finditer(text)]


words = (
    st.text("abcXYZ09é日.;:!?-", min_size=1, max_size=12) | st.just("x" * 200) | st.sampled_from(["e.g.", "A.", "1."])
)
lines = st.lists(words, min_size=1, max_size=60).map(" ".join)
texts = st.lists(lines, min_size=1, max_size=5).map("\n".join)
steps = st.one_of(
    st.tuples(
        st.just("heading"), st.integers(1, 4), st.sampled_from(["Intro", "Pay", "Scope of it", "y" * 90, "long " * 50])
    ),
    st.tuples(st.sampled_from(["paragraph", "table", "code", "list"]), st.integers(1, 3), texts),
)


@st.composite
def documents(draw: st.DrawFn) -> Extracted:
    outline = Outline()
    page = 1
    for kind, number, text in draw(st.lists(steps, max_size=14)):
        page += draw(st.integers(0, 1))
        if kind == "heading":
            outline.heading(text, level=number, page=page)
        else:
            outline.add(kind, text, page=page)  # type: ignore[arg-type]  # Hypothesis widens the literal to str
    return Extracted(
        title=draw(st.sampled_from(["T", "A title", "w " * 90])), blocks=outline.blocks, media_type="text/plain"
    )


sizes = st.sampled_from([(200, 254), (100, 120), (60, 100)])
counters = st.integers(1, 9).map(Pieces)


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def own_blocks(blocks: tuple[Block, ...]) -> list[Block]:
    """All blocks but the headings that hold something, which stand in the heading paths instead."""
    kept = []
    for block, after in zip_longest(blocks, blocks[1:]):
        path = block.heading_path
        holds = after is not None and after.heading_path[: len(path)] == path
        empty_twin = after is not None and after.kind == "heading" and after.heading_path == path
        if block.kind != "heading" or not holds or empty_twin:
            kept.append(block)
    return kept


def lost(document: Extracted, counter: Pieces, size: tuple[int, int]) -> bool:
    """Whether the passages say anything else than the blocks do, in their order."""
    passages = split(document, counter=counter, target=size[0], max_tokens=size[1])
    return bare("".join(p.text for p in passages)) != bare("".join(b.text for b in own_blocks(document.blocks)))


@settings(max_examples=150)
@given(documents(), counters, sizes)
def test_every_character_of_every_block_stands_in_order(
    document: Extracted, counter: Pieces, size: tuple[int, int]
) -> None:
    assert not lost(document, counter, size)


def test_a_lost_sentence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: of what is too long for a passage the last sentence is left out."""
    monkeypatch.setattr("ingest.split.sentences", lambda line: sentences(line)[:-1])
    long = Block("It is so. " * 60, "paragraph", ())
    assert lost(Extracted(title="T", blocks=(long,), media_type="text/plain"), Pieces(4), (60, 100))


@settings(max_examples=150)
@given(documents(), counters, sizes)
def test_no_passage_is_larger_than_the_model_sees(document: Extracted, counter: Pieces, size: tuple[int, int]) -> None:
    for passage in split(document, counter=counter, target=size[0], max_tokens=size[1]):
        assert counter.count(passage.embedded) <= size[1]
        assert passage.tokens == counter.count(passage.text)
        assert passage.text.strip()


@settings(max_examples=100)
@given(documents(), counters)
def test_path_and_page_are_those_of_the_first_block(document: Extracted, counter: Pieces) -> None:
    """Walk the blocks along the passages: each passage must begin inside a block of its own path and page."""
    blocks = own_blocks(document.blocks)
    starts: list[tuple[int, Block]] = []
    place = 0
    for block in blocks:
        starts.append((place, block))
        place += len(bare(block.text))
    place = 0
    for number, passage in enumerate(split(document, counter=counter)):
        block = next(b for start, b in reversed(starts) if start <= place)
        path = block.heading_path[:-1] if block.kind == "heading" else block.heading_path
        assert (passage.heading_path, passage.page, passage.ordinal) == (path, block.page, number)
        place += len(bare(passage.text))


@settings(max_examples=50)
@given(documents(), counters)
def test_the_same_document_gives_the_same_passages(document: Extracted, counter: Pieces) -> None:
    assert split(document, counter=counter) == split(document, counter=counter)
