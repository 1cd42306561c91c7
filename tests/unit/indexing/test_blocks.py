"""The blocks of a passage: what a reader would point at, and the stored form of their vectors."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.indexing.block_vectors import PassageBlock, directions, encode_vectors, pack_blocks, unpack_blocks
from app.indexing.blocks import MAX_BLOCK_WORDS, block_spans, lines

LONG = " ".join(f"Sentence number {n} of a long paragraph has ten words." for n in range(12))
PASSAGE = f"""Before you travel:
- Ask your manager, e.g. by mail.
  - In writing.
1. Book the train.
Grade: 3; Limit: EUR 145 a night; From: 2026
{LONG}"""


def test_lines_have_their_kind_depth_and_words() -> None:
    found = [(line.kind, line.indent, PASSAGE[line.body : line.end]) for line in lines(PASSAGE)]
    assert found == [
        ("paragraph", 0, "Before you travel:"),
        ("item", 0, "Ask your manager, e.g. by mail."),
        ("item", 2, "In writing."),
        ("step", 0, "Book the train."),
        ("row", 0, "Grade: 3; Limit: EUR 145 a night; From: 2026"),
        ("paragraph", 0, LONG),
    ]


@pytest.mark.parametrize("text", ["A company has 25 days.", "Note: see below; it matters", "3.5 tonnes", "-5 degrees"])
def test_what_looks_like_structure_and_is_none(text: str) -> None:
    assert [line.kind for line in lines(text)] == ["paragraph"]


def test_only_long_lines_are_cut_and_only_between_sentences() -> None:
    texts = [PASSAGE[span.start : span.end] for span in block_spans(PASSAGE)]
    assert texts[:5] == [line.strip() for line in PASSAGE.split("\n")[:5]]
    assert len(texts) > 6
    assert all(part.startswith("Sentence") and part.endswith(".") for part in texts[5:])
    assert all(len(part.split()) <= MAX_BLOCK_WORDS + 10 for part in texts[5:])


@given(st.text(alphabet="ab1. -\n:;?*)", max_size=300))
def test_blocks_hold_every_word_once_in_order(text: str) -> None:
    spans = block_spans(text)
    assert "".join("".join(text[s.start : s.end].split()) for s in spans) == "".join(text.split())
    assert all(s.start < s.end for s in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_stored_vectors_keep_their_direction() -> None:
    vectors = np.random.default_rng(1).standard_normal((5, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    blocks = [PassageBlock(n, n + 9, code) for n, code in enumerate(encode_vectors(vectors))]
    assert unpack_blocks(pack_blocks(blocks), 384) == tuple(blocks)
    found = directions(blocks)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (found * vectors).sum(axis=1).min() > 0.9995
    # A scale taken from the texts beside it would make a vector depend on them.
    assert encode_vectors(vectors[:1])[0] == blocks[0].code


def test_blocks_of_another_embedder_are_refused() -> None:
    stored = pack_blocks([PassageBlock(0, 3, bytes(384))])
    assert unpack_blocks(b"", 384) == ()
    with pytest.raises(ValueError, match="256 dimensions"):
        unpack_blocks(stored, 256)
