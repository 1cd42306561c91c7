"""The embedder for tests: the same on every machine, fast, sensitive to shared words."""

import hashlib

import pytest

from app.embedding.hashed import HashedEmbedder

embedder = HashedEmbedder()


def test_the_function_is_pinned() -> None:
    """Golden values: a change here makes every stored test vector stale."""
    vector = embedder.embed_query("Leave policy")
    assert embedder.digest == "cba592770a95f3aa28a67cdd4c6e52592c377c51614aa4c2da0ac6181d92dd14"
    assert hashlib.sha256(vector.tobytes()).hexdigest() == (
        "f1d71055f3724c07ed263ccf0f85943ba3456dc61a2ab4888dee90d11c56d61d"
    )


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("holiday entitlement", "the holiday entitlement of staff", "steel valves in the pump"),
        ("holidays", "holiday", "budget"),  # shared trigrams
        ("the budget of the year", "budget year", "of the and the of"),  # stop words count little
    ],
)
def test_shared_words_bring_texts_together(text: str, near: str, far: str) -> None:
    one, other, third = embedder.embed_passages([text, near, far])
    assert one @ other > one @ third + 0.2


def test_case_and_word_order_do_not_count() -> None:
    assert embedder.embed_query("Leave POLICY").tobytes() == embedder.embed_query("policy leave").tobytes()


def test_repetition_counts_by_its_logarithm() -> None:
    once, often = embedder.embed_query("valve budget"), embedder.embed_query("valve " * 50 + "budget")
    valve = embedder.embed_query("valve")
    assert once @ valve < often @ valve < 0.99


def test_spans() -> None:
    assert embedder.spans("It's 5 %.") == [(0, 2), (2, 3), (3, 4), (5, 6), (7, 8), (8, 9)]
