"""Whole numbers in place of float32: exact sums on every processor, near the official model, each token by itself."""

import math
from collections.abc import Mapping

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from app.embedding import minilm, minilm_graph, minilm_int8
from app.embedding.onnx import OnnxEmbedder, probe
from app.embedding.wordpiece import WordPiece

pytestmark = pytest.mark.slow

Floats = NDArray[np.float64]
TEXTS = (
    "leave",
    "How many days of annual leave does an employee get in the first year?",
    "The valve of the cooling pump is made of stainless steel.",
    " ".join(f"Staff book travel at least {n} days ahead, in the tool of office {n % 7}." for n in range(30)),
)


@pytest.fixture(scope="module")
def official() -> minilm.MiniLM:
    return minilm.load_model(minilm.package_folder())


def test_codes_are_near_and_leave_room_for_two_products_in_16_bits() -> None:
    matrix = np.random.default_rng(3).standard_normal((40, 24)).astype(np.float32)
    matrix[7] = 0
    codes, scales = minilm_int8.encode_matrix(matrix)
    assert codes.dtype == np.int8
    assert codes.flags.c_contiguous
    assert (np.abs(codes.T * scales[:, None] - matrix) <= scales[:, None] * 0.5001).all()
    assert np.abs(codes[:, np.arange(40) != 7]).max(axis=0).tolist() == [minilm_int8.MAX_CODE] * 39
    assert not codes[:, 7].any()
    assert np.isfinite(scales).all()
    assert np.iinfo(np.int16).max >= 2 * 255 * minilm_int8.MAX_CODE


def test_each_sum_of_a_layer_is_exact_on_this_processor(official: minilm.MiniLM) -> None:
    """Of the packaged codes with any states, and of the greatest that there are, for one row and for many."""
    arrays = minilm_int8.code_weights(official.weights)
    rng = np.random.default_rng(5)
    for codes in (arrays["encoder.layer.3.output.dense.codes"], np.full((1_536, 40), minilm_int8.MAX_CODE, np.int8)):
        for rows in (1, 3, 70):
            drawn = rng.integers(1, 256, (rows, len(codes))).astype(np.uint8)
            for states in (drawn, np.full_like(drawn, 255), np.full_like(drawn, 1)):
                expected = (states.astype(np.int64) - 128) @ codes.astype(np.int64)
                assert np.array_equal(_product(states, codes), expected)


def test_vectors_are_near_those_of_the_official_model(official: minilm.MiniLM) -> None:
    """Computed here in double precision, by the book."""
    embedder, tokens = OnnxEmbedder(int8=True), WordPiece(official.tokenizer_json)
    for text in TEXTS:
        ids = tokens.ids(text)
        vector = embedder.embed_query(text).astype(np.float64)
        expected = _unit(_encode(official.weights, np.asarray(ids)).mean(axis=0))
        assert vector @ expected > 0.99, text[:40]


def test_attention_alone_is_the_softmax(official: minilm.MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """With layers in float32 the graph is the official model to seven digits, for one token and for 256."""

    def dense(self: minilm_int8.IntegerNodes, x: str, prefix: str) -> str:
        return self.add("Gemm", [x, f"{prefix}.matrix", f"{prefix}.bias"], transB=1)

    monkeypatch.setattr(minilm_int8.IntegerNodes, "dense", dense)
    monkeypatch.setattr(minilm_int8, "_coded", lambda name, m, bias: {f"{name}.matrix": m, f"{name}.bias": bias})
    arrays = minilm_int8.code_weights(official.weights)
    options = ort.SessionOptions()
    options.add_external_initializers(list(arrays), [ort.OrtValue.ortvalue_from_numpy(a) for a in arrays.values()])
    session = ort.InferenceSession(
        minilm_graph.build_graph(arrays, minilm_int8.IntegerNodes()), options, providers=["CPUExecutionProvider"]
    )
    words = official.weights[minilm_graph.WORDS].astype(np.float16).astype(np.float32)
    for length in (1, 2, 17, 256):
        vector = session.run(["vector"], {"ids": probe(length)})[0]
        expected = _unit(_encode({**official.weights, minilm_graph.WORDS: words}, probe(length)).mean(axis=0))
        assert np.abs(vector - expected).max() < 2e-6


def _product(states: NDArray[np.uint8], codes: NDArray[np.int8]) -> NDArray[np.int32]:
    """What onnxruntime's kernel makes of them, as in the graph: the matrix is known when the session is made."""
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["states", "codes", "128", "0"], ["sums"])],
        "product",
        [helper.make_tensor_value_info("states", TensorProto.UINT8, ["n", len(codes)])],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, ["n", codes.shape[1]])],
        initializer=[
            helper.make_tensor("codes", TensorProto.INT8, codes.shape, codes.tobytes(), raw=True),
            helper.make_tensor("128", TensorProto.UINT8, [], [128]),
            helper.make_tensor("0", TensorProto.INT8, [], [0]),
        ],
    )
    opset = [helper.make_opsetid("", minilm_graph.OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=minilm_graph.IR_VERSION)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    sums: NDArray[np.int32] = session.run(["sums"], {"states": states})[0]
    return sums


def _encode(weights: Mapping[str, NDArray[np.float32]], ids: NDArray[np.int64]) -> Floats:
    """The states of the last layer, (n, 384), as the paper and the reference implementation have them."""

    def norm(x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled: Floats = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def dense(x: Floats, name: str) -> Floats:
        return x @ weights[f"{name}.weight"].T.astype(np.float64) + weights[f"{name}.bias"]

    words, positions = weights[minilm_graph.WORDS], weights["embeddings.position_embeddings.weight"]
    x = words[ids].astype(np.float64) + positions[: len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        heads = [dense(x, f"{name}.attention.self.{part}").reshape(-1, 12, 32) for part in ("query", "key", "value")]
        logits = np.einsum("qhd,khd->hqk", heads[0], heads[1]) / math.sqrt(32)
        share = np.exp(logits - logits.max(axis=2, keepdims=True))
        share /= share.sum(axis=2, keepdims=True)
        attended = np.einsum("hqk,khd->qhd", share, heads[2]).reshape(len(ids), -1)
        x = norm(dense(attended, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        inner = dense(x, f"{name}.intermediate.dense")
        inner = 0.5 * inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = norm(dense(inner, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")
    return x


def _unit(vector: Floats) -> Floats:
    unit: Floats = vector / np.linalg.norm(vector)
    return unit
