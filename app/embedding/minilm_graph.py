"""The ONNX graph of all-MiniLM-L6-v2: a BERT encoder, mean pooling and L2 normalisation, for one text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from app.embedding.minilm import DIMENSIONS

LAYERS = 6
HEADS = 12
WORDS = "embeddings.word_embeddings.weight"
LAYER_NORM_EPSILON = 1e-12
OPSET = 23
IR_VERSION = 11


def build_graph(arrays: Mapping[str, NDArray[Any]], nodes: "Nodes | None" = None) -> bytes:
    """Serialised ONNX model of one text of n tokens: `ids (n,) int64 -> vector (384,), states (n, 384)`, in float32.

    `arrays` are the weights, whose names, types and shapes are used. `nodes` says how layers are computed, else in
    float32. `vector` has length 1. `states` are those of the last layer, which it is the mean of.

    One text a run and no padding, so no tensor has a batch axis and no mask is needed: attention sees every token and
    the mean is over all of them. The weights are left external, to be handed over when the session is made, so the
    graph is small and is built anew at each start.
    """
    nodes = nodes or Nodes()
    positions = nodes.add("Slice", [_positions(nodes), "zero", nodes.add("Shape", ["ids"]), "zero"])
    x = nodes.add("Add", [nodes.words(), positions])
    x = nodes.layer_norm(x, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        x = _encoder_layer(nodes, x, f"encoder.layer.{layer}")
    nodes.nodes.append(helper.make_node("Identity", [x], ["states"], name="states"))
    mean = nodes.add("ReduceMean", [x, "zero"], keepdims=0)
    length = nodes.add("ReduceL2", [mean, "zero"], keepdims=1)
    nodes.nodes.append(helper.make_node("Div", [mean, length], ["vector"], name="unit"))
    model = helper.make_model(
        helper.make_graph(
            nodes.nodes,
            "all-MiniLM-L6-v2",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])],
            [
                helper.make_tensor_value_info("vector", TensorProto.FLOAT, [DIMENSIONS]),
                helper.make_tensor_value_info("states", TensorProto.FLOAT, ["tokens", DIMENSIONS]),
            ],
            initializer=[
                *_external(arrays),
                *(numpy_helper.from_array(a, name) for name, a in nodes.constants.items()),
            ],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    content: bytes = model.SerializeToString(deterministic=True)
    return content


class Nodes:
    """Collects nodes; each `add` names its one output and returns that name. Layers are computed in float32."""

    constants: Mapping[str, NDArray[Any]] = {"zero": np.array([0], np.int64)}

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(
                kind, inputs, [output], name=output, domain=None, doc_string=None, overload=None, **attributes
            )
        )
        return output

    def layer_norm(self, x: str, prefix: str) -> str:
        inputs = [x, f"{prefix}.weight", f"{prefix}.bias"]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=LAYER_NORM_EPSILON)

    def dense(self, x: str, prefix: str) -> str:
        """Linear layer; the official weights are stored (out, in)."""
        return self.add("Gemm", [x, f"{prefix}.weight", f"{prefix}.bias"], transB=1)

    def words(self) -> str:
        """The embedding of each token, (n, 384)."""
        return self.add("Gather", [WORDS, "ids"])

    def attention(self, x: str, prefix: str) -> str:
        """Self-attention of all heads, (n, 384) to (n, 384)."""
        parts = [self.dense(x, f"{prefix}.{part}") for part in ("query", "key", "value")]
        # Attention wants a batch axis; it is always 1.
        batched = [self.add("Unsqueeze", [part, "zero"]) for part in parts]
        return self.add("Squeeze", [self.add("Attention", batched, q_num_heads=HEADS, kv_num_heads=HEADS), "zero"])


def _positions(nodes: Nodes) -> str:
    """Position embeddings plus the embedding of token type 0, the only type a single text has."""
    segment = nodes.add("Gather", ["embeddings.token_type_embeddings.weight", "zero"])
    return nodes.add("Add", ["embeddings.position_embeddings.weight", segment])


def _encoder_layer(nodes: Nodes, x: str, prefix: str) -> str:
    """One post-norm transformer layer of BERT: self-attention, then a feed-forward net, each with a residual."""
    mixed = nodes.dense(nodes.attention(x, f"{prefix}.attention.self"), f"{prefix}.attention.output.dense")
    x = nodes.layer_norm(nodes.add("Add", [mixed, x]), f"{prefix}.attention.output.LayerNorm")
    inner = nodes.add("Gelu", [nodes.dense(x, f"{prefix}.intermediate.dense")])
    return nodes.layer_norm(
        nodes.add("Add", [nodes.dense(inner, f"{prefix}.output.dense"), x]), f"{prefix}.output.LayerNorm"
    )


def _external(arrays: Mapping[str, NDArray[Any]]) -> list[TensorProto]:
    """Initializers without data: the location is formal, since the session is given the arrays themselves."""
    tensors = []
    for name, array in arrays.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "model.safetensors"
        tensors.append(tensor)
    return tensors
