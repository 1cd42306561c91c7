"""The contract of `app.embedding.protocol`, on every implementation: a vector is a function of its text alone."""

import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.embedding.factory import build_embedder
from app.embedding.hashed import HashedEmbedder
from app.embedding.minilm import NAME
from app.embedding.onnx import OnnxEmbedder
from app.embedding.protocol import EmbeddingModel
from tests.support.cross_encoders import sentence_transformers_needed

SHORT = [
    "How many days of annual leave does an employee get?",
    "Staff are entitled to 25 days of paid holiday a year.",
    "The valve of the cooling pump is made of stainless steel.",
    "Grüße aus Zürich: Ferien gibt es ab dem ersten Tag.",
    "休暇は年に二十五日です。",
    "leave",
    "",
    " \n\t ",
    "a\x00b \ud800 [SEP] [PAD]",
]
LONG = [" ".join(f"{word} {number}" for number in range(90)) for word in ("salary", "budget", "audit", "valve")]
# One text for each of many lengths: around every power of two, a batched implementation changes its shape.
LENGTHS = [" ".join(["policy"] * n) for n in (1, 13, 29, 30, 31, 61, 62, 63, 125, 126, 127, 253, 254, 255, 300)]
TEXTS = [*SHORT, *LONG, *LENGTHS]

Build = Callable[[int], EmbeddingModel]


def real(threads: int, cache: Path = Path(), batch_tokens: int | None = None) -> EmbeddingModel:
    """The sentence-transformers adapter on the packaged weights."""
    sentence_transformers_needed()
    from app.embedding.sentence_transformer import SentenceTransformerEmbedder  # noqa: PLC0415  # an extra

    return SentenceTransformerEmbedder(NAME, threads=threads, cache=cache, device="cpu", batch_tokens=batch_tokens)


def batched(threads: int) -> EmbeddingModel:
    """As off the CPU: fixed shapes of many rows."""
    return real(threads, batch_tokens=1_024)


@pytest.fixture(
    scope="class",
    params=[
        pytest.param(lambda _threads: HashedEmbedder(), id="hashed"),
        pytest.param(lambda threads: OnnxEmbedder(threads=threads), id="onnx"),
        pytest.param(lambda threads: OnnxEmbedder(threads=threads, int8=True), id="onnx-int8"),
        pytest.param(real, id="sentence-transformers", marks=pytest.mark.real),
        pytest.param(batched, id="sentence-transformers-batched", marks=pytest.mark.real),
    ],
)
def build(request: pytest.FixtureRequest) -> Build:
    chosen: Build = request.param
    return chosen


@pytest.fixture(scope="class")
def embedder(build: Build) -> EmbeddingModel:
    return build(2)


@pytest.fixture(scope="class")
def vectors(embedder: EmbeddingModel) -> NDArray[np.float32]:
    """Of all texts, embedded in one go."""
    return embedder.embed_passages(TEXTS)


class TestEmbedderContract:
    def test_shape_type_and_unit_length(self, embedder: EmbeddingModel, vectors: NDArray[np.float32]) -> None:
        assert vectors.shape == (len(TEXTS), embedder.dimensions)
        assert vectors.dtype == np.float32
        assert embedder.embed_query(TEXTS[0]).shape == (embedder.dimensions,)
        assert embedder.embed_passages([]).shape == (0, embedder.dimensions)
        assert np.linalg.norm(vectors.astype(np.float64), axis=1) == pytest.approx(1.0, abs=1e-6)

    def test_alone_or_in_a_batch(self, embedder: EmbeddingModel, vectors: NDArray[np.float32]) -> None:
        for text, vector in zip(TEXTS, vectors, strict=True):
            assert embedder.embed_passages([text])[0].tobytes() == vector.tobytes(), text[:40]

    def test_whatever_the_neighbours_and_the_place(self, embedder: EmbeddingModel) -> None:
        """The same short text among empty, short and long ones, in the first, a middle and the last place."""
        text = SHORT[0]
        alone = embedder.embed_passages([text])[0].tobytes()
        for neighbours in ([""] * 7, SHORT[1:8], [*LONG, *LONG[:3]], [text] * 7):
            embedded = embedder.embed_passages([text, *neighbours, text, *neighbours, text])
            assert [embedded[place].tobytes() for place in (0, 8, 16)] == [alone] * 3

    def test_in_any_order(self, embedder: EmbeddingModel, vectors: NDArray[np.float32]) -> None:
        order = list(range(len(TEXTS)))
        random.Random(7).shuffle(order)
        shuffled = embedder.embed_passages([TEXTS[i] for i in order])
        assert shuffled.tobytes() == vectors[order].tobytes()

    def test_on_any_number_of_threads(
        self, build: Build, embedder: EmbeddingModel, vectors: NDArray[np.float32]
    ) -> None:
        """The digest names the function."""
        assert len(bytes.fromhex(embedder.digest)) == 32
        for threads in (1, 4):
            built = build(threads)
            assert built.digest == embedder.digest
            assert built.embed_passages(TEXTS).tobytes() == vectors.tobytes()

    def test_while_others_embed(self, embedder: EmbeddingModel, vectors: NDArray[np.float32]) -> None:
        expected = [vector.tobytes() for vector in vectors[: len(SHORT)]]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda text: embedder.embed_query(text).tobytes(), SHORT * 3))
        assert found == expected * 3

    def test_a_symmetric_model_embeds_a_query_as_a_passage(
        self, embedder: EmbeddingModel, vectors: NDArray[np.float32]
    ) -> None:
        """All of these are symmetric; a model with a query prompt would not be."""
        for text, vector in zip(SHORT, vectors, strict=False):
            assert embedder.embed_query(text).tobytes() == vector.tobytes()

    def test_vectors_of_spans(self, embedder: EmbeddingModel, vectors: NDArray[np.float32]) -> None:
        """Beside the vector that the text has anyway; each a function of text and span, and one that questions meet."""
        text = f"{SHORT[2]} {SHORT[1]} {SHORT[2]}"
        pump, leave = (0, len(SHORT[2])), (len(SHORT[2]) + 1, len(SHORT[2]) + 1 + len(SHORT[1]))
        texts = [*TEXTS, text]
        spans = [[(0, len(t)), (0, 0)] for t in TEXTS] + [[pump, leave, (0, len(text))]]
        found = embedder.embed_with_spans(texts, spans)
        assert [f.vector.tobytes() for f in found[:-1]] == [v.tobytes() for v in vectors]
        for one, inside in zip(found, spans, strict=True):
            assert one.spans.shape == (len(inside), embedder.dimensions)
            assert one.spans.dtype == np.float32
            assert np.linalg.norm(one.spans.astype(np.float64), axis=1) == pytest.approx(1.0, abs=1e-6)
        alone = embedder.embed_with_spans([text], [[leave]])[0]
        assert alone.spans[0].tobytes() == found[-1].spans[1].tobytes()
        assert embedder.embed_with_spans([], []) == []
        similarity = found[-1].spans @ embedder.embed_query(SHORT[0])
        assert similarity[1] > similarity[2] > similarity[0]

    def test_different_texts_differ(self, vectors: NDArray[np.float32]) -> None:
        distinct = [vector.tobytes() for text, vector in zip(SHORT, vectors, strict=False) if text.strip()]
        assert len(set(distinct)) == len(distinct)

    def test_meaning(self, embedder: EmbeddingModel, vectors: NDArray[np.float32]) -> None:
        if isinstance(embedder, HashedEmbedder):
            assert embedder.embed_query("leave leaves") @ embedder.embed_query("leaves") > 0.5  # shared parts only
            return
        question, answer, other = vectors[:3]
        assert question @ answer > 0.5
        assert question @ other < 0.2

    def test_spans_are_tokens_of_the_text(self, embedder: EmbeddingModel) -> None:
        for text in TEXTS:
            spans = embedder.spans(text)
            assert embedder.count(text) == len(spans)
            assert all(0 <= start < end <= len(text) for start, end in spans)
            assert spans == sorted(spans)
        text = "Über-Stunden: 12 Tage"
        assert "".join(text[s:e] for s, e in embedder.spans(text)) == text.replace(" ", "")
        assert embedder.count("") == 0


@pytest.mark.real
def test_onnx_and_sentence_transformers_are_the_same_model(tmp_path: Path) -> None:
    """An index made by one serves the other: cosine at least 0.99999, token counts and spans equal."""
    theirs, ours = real(1, tmp_path), OnnxEmbedder()
    pairs = zip(ours.embed_passages(TEXTS).astype(float), theirs.embed_passages(TEXTS).astype(float), strict=True)
    cosines = [float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b)) for a, b in pairs]
    assert min(cosines) >= 0.99999, TEXTS[int(np.argmin(cosines))][:40]
    assert ours.max_tokens == theirs.max_tokens
    assert [ours.spans(text) for text in TEXTS] == [theirs.spans(text) for text in TEXTS]


@pytest.mark.real
def test_batches_that_move_bytes_are_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device where the place in a batch shows in the bytes, texts run one at a time, and the digest says so."""
    sentence_transformers_needed()
    from app.embedding.sentence_transformer import SentenceTransformerEmbedder  # noqa: PLC0415  # an extra

    forward = SentenceTransformerEmbedder._forward

    def placed(self: SentenceTransformerEmbedder, features: dict[str, Any]) -> NDArray[np.float32]:
        output = forward(self, features)
        return output + np.float32(1e-6) * np.arange(len(output), dtype=np.float32)[:, None]

    honest = batched(1)
    monkeypatch.setattr(SentenceTransformerEmbedder, "_forward", placed)
    moved = batched(1)
    assert moved.digest == real(1).digest != honest.digest
    assert moved.embed_passages(SHORT)[3].tobytes() == moved.embed_passages([SHORT[3]])[0].tobytes()


@pytest.mark.real
def test_a_batch_s_shape_follows_from_a_text_s_own_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are chosen by shape: a text must meet the same one alone as among others, full rows or not."""
    sentence_transformers_needed()
    from app.embedding.sentence_transformer import SentenceTransformerEmbedder  # noqa: PLC0415  # an extra

    shapes: list[tuple[int, ...]] = []
    forward = SentenceTransformerEmbedder._forward

    def recorded(self: SentenceTransformerEmbedder, features: dict[str, Any]) -> NDArray[np.float32]:
        shapes.append(tuple(features["input_ids"].shape))
        return forward(self, features)

    embedder = batched(1)
    monkeypatch.setattr(SentenceTransformerEmbedder, "_forward", recorded)
    for text, expected in (("", (32, 32)), (LENGTHS[3], (32, 32)), (LENGTHS[4], (16, 64)), (LENGTHS[-1], (4, 256))):
        shapes.clear()
        embedder.embed_passages([text])
        assert shapes == [expected]
    shapes.clear()
    embedder.embed_passages(TEXTS)
    assert set(shapes) == {(32, 32), (16, 64), (8, 128), (4, 256)}


@pytest.mark.real
def test_nothing_is_fetched(tmp_path: Path) -> None:
    sentence_transformers_needed()
    with pytest.raises(Exception, match="fetch it with: hf download") as caught:
        build_embedder(kind="sentence-transformers", name="nobody/nothing", threads=1, cache=tmp_path)
    assert type(caught.value).__name__ == "UnusableWeights"


def test_wiring_keeps_heavy_run_times_apart() -> None:
    """The default process never loads torch."""
    built = build_embedder(kind="hashed", name="", threads=1, cache=Path())
    assert isinstance(built, HashedEmbedder)
    exact = build_embedder(kind="onnx", name="", threads=1, cache=Path())
    assert isinstance(exact, OnnxEmbedder)
    coded = build_embedder(kind="onnx-int8", name="", threads=1, cache=Path())
    assert (exact.digest, coded.digest) == (OnnxEmbedder().digest, OnnxEmbedder(int8=True).digest)
    assert exact.digest != coded.digest
    if find_spec("sentence_transformers") is None:
        assert "torch" not in sys.modules
