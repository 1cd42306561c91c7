"""all-MiniLM-L6-v2 with the products of its layers in whole numbers: weights of 7 bits, states of 8.

Processors with AVX2 and with AVX-512 give the same bytes. Sums of whole numbers are exact in any order. What else adds
up many values is a float32 matrix product, in one order on both; onnxruntime's own softmax is not, so attention is
written out without it. Weights are coded from the verified ones alone: no text calibrates them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from app.embedding.minilm import DIMENSIONS
from app.embedding.minilm_graph import HEADS, LAYERS, WORDS, Nodes

HEAD = DIMENSIONS // HEADS
# AVX2 adds two products of an unsigned and a signed byte in 16 bits, and cuts off what is beyond them: 2 × 255 × 63 is
# within. With 8-bit weights the integers would depend on the processor.
MAX_CODE = 63

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


def code_weights(weights: Mapping[str, Floats]) -> Arrays:
    """Arrays by the names that the graph gives them, from the official float32 tensors.

    A layer's matrix (out, in) becomes `codes` (in, out) int8 and `scales` (out,) float32; its `bias` stays float32.
    Query, key and value are one matrix, `attention.self`. The table of words is kept in half precision.
    """
    arrays: Arrays = {name: array for name, array in weights.items() if _is_kept(name)}
    arrays[WORDS] = weights[WORDS].astype(np.float16)
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        arrays |= _coded(f"{prefix}.attention.self", *_attention(weights, f"{prefix}.attention.self"))
        for dense in ("attention.output.dense", "intermediate.dense", "output.dense"):
            name = f"{prefix}.{dense}"
            arrays |= _coded(name, weights[f"{name}.weight"], weights[f"{name}.bias"])
    return dict(sorted(arrays.items()))


def encode_matrix(matrix: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Codes (in, out) within ±MAX_CODE of `matrix` (out, in), and the scale of each output: 1 for one of zeros."""
    greatest = np.abs(matrix).max(axis=1)
    scales = np.where(greatest > 0, greatest / np.float32(MAX_CODE), np.float32(1)).astype(np.float32)
    codes = np.rint(matrix / scales[:, None]).clip(-MAX_CODE, MAX_CODE).astype(np.int8)
    return np.ascontiguousarray(codes.T), scales


def _is_kept(name: str) -> bool:
    return "LayerNorm" in name or (name.startswith("embeddings.") and name != WORDS)


def _coded(name: str, matrix: Floats, bias: Floats) -> Arrays:
    codes, scales = encode_matrix(matrix)
    return {f"{name}.codes": codes, f"{name}.scales": scales, f"{name}.bias": bias}


def _attention(weights: Mapping[str, Floats], prefix: str) -> tuple[Floats, Floats]:
    """Query (scaled for the softmax), key and value as one layer: matrix (out, in) and bias.

    Each head's value has one more column that is always 1: weighed like the others, it is the sum of the weights.
    """
    scale = np.float32(HEAD**-0.5)
    value = np.zeros((HEADS, HEAD + 1, DIMENSIONS), np.float32)
    value[:, :HEAD] = weights[f"{prefix}.value.weight"].reshape(HEADS, HEAD, DIMENSIONS)
    ones = np.ones((HEADS, HEAD + 1), np.float32)
    ones[:, :HEAD] = weights[f"{prefix}.value.bias"].reshape(HEADS, HEAD)
    query, key = weights[f"{prefix}.query.weight"] * scale, weights[f"{prefix}.key.weight"]
    matrix = np.concatenate([query, key, value.reshape(-1, DIMENSIONS)])
    biases = [weights[f"{prefix}.query.bias"] * scale, weights[f"{prefix}.key.bias"], ones.reshape(-1)]
    return matrix, np.concatenate(biases)


class IntegerNodes(Nodes):
    """Computes the layers of `code_weights` in whole numbers."""

    constants: Mapping[str, NDArray[Any]] = {
        **Nodes.constants,
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
        "head": np.array([HEAD], np.int64),
        "head + 1": np.array([HEAD + 1], np.int64),
        "query, key, value": np.array([DIMENSIONS, DIMENSIONS, HEADS * (HEAD + 1)], np.int64),
        "(n, heads, rest)": np.array([0, HEADS, -1], np.int64),
        "(n, rest)": np.array([0, -1], np.int64),
        # States are coded as 1 to 255 around 128, a row's greatest magnitude as 1 or 255.
        "1 / 127": np.array(1 / 127, np.float32),
        "128": np.array(128, np.uint8),
        "(128)": np.array([128], np.uint8),
        "0 of a matrix": np.array(0, np.int8),
    }

    def words(self) -> str:
        return self.add("Cast", [super().words()], to=TensorProto.FLOAT)

    def dense(self, x: str, prefix: str) -> str:
        """Each row of `x` is coded by its own greatest magnitude, so by its token alone, and the weights by output.

        Both scales are put back on the exact sums.
        """
        greatest = self.add("ReduceMax", [self.add("Abs", [x]), "one"], keepdims=1)
        scale = self.add("Mul", [greatest, "1 / 127"])
        zeros = self.add("Expand", ["(128)", self.add("Shape", ["ids"])])
        codes = self.add("QuantizeLinear", [x, self.add("Squeeze", [scale, "one"]), zeros], axis=0)
        sums = self.add("MatMulInteger", [codes, f"{prefix}.codes", "128", "0 of a matrix"])
        scaled = self.add("Mul", [self.add("Cast", [sums], to=TensorProto.FLOAT), scale])
        return self.add("Add", [self.add("Mul", [scaled, f"{prefix}.scales"]), f"{prefix}.bias"])

    def attention(self, x: str, prefix: str) -> str:
        """The sum that the softmax divides by is the last column of each head's value, which is 1.

        So the matrix product adds it up. onnxruntime's softmax would add in an order that the width of the processor's
        registers decides.
        """
        parts = self._split(self.dense(x, prefix))
        query, key, value = (self.add("Reshape", [part, "(n, heads, rest)"]) for part in parts)
        query, value = (self.add("Transpose", [part], perm=[1, 0, 2]) for part in (query, value))
        logits = self.add("MatMul", [query, self.add("Transpose", [key], perm=[1, 2, 0])])
        greatest = self.add("ReduceMax", [logits, "two"], keepdims=1)
        weighed = self.add("MatMul", [self.add("Exp", [self.add("Sub", [logits, greatest])]), value])
        values, sums = (self.add("Slice", [weighed, *ends, "two"]) for ends in (("zero", "head"), ("head", "head + 1")))
        attended = self.add("Transpose", [self.add("Div", [values, sums])], perm=[1, 0, 2])
        return self.add("Reshape", [attended, "(n, rest)"])

    def _split(self, x: str) -> list[str]:
        """Query, key and value, one beside the other in `x`."""
        names = [f"{x}_{part}" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [x, "query, key, value"], names, name=f"{x}_split", axis=1))
        return names
