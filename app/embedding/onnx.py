"""The default embedder: the official all-MiniLM-L6-v2 weights on onnxruntime's CPU kernels, in float32 or in int8."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from app.embedding import minilm, minilm_graph, minilm_int8
from app.embedding.protocol import SpannedVector, Spans
from app.embedding.spans import pool
from app.embedding.wordpiece import MAX_SEQUENCE, WordPiece

SPECIAL = ("[CLS]", "[SEP]")
# Lengths of the texts whose vectors are in the digest of whole numbers: what a processor does otherwise shows in one.
PROBES = (3, 21, 77, MAX_SEQUENCE)
Item = TypeVar("Item")
Result = TypeVar("Result")


class OnnxEmbedder:
    """all-MiniLM-L6-v2, one text a run; texts beyond 254 tokens are cut off there, as the model's card says.

    Every run sees one text, unpadded, on one thread: a vector cannot depend on its neighbours, its place or the number
    of threads because none of them takes part in the computation. Threads take whole texts. Queries and passages are
    embedded alike (the model is symmetric).
    """

    dimensions = minilm.DIMENSIONS
    languages = frozenset(("en",))

    def __init__(self, *, threads: int = 1, folder: Path | None = None, int8: bool = False) -> None:
        """Verify and load the weights, from the installed package unless `folder` says otherwise.

        `int8` multiplies in whole numbers: half the CPU, slightly other vectors (ADR 36).

        Raises UnusableWeights if a file is missing from its package or is not the official one.
        """
        files = minilm.load_model(folder or minilm.package_folder())
        arrays = minilm_int8.code_weights(files.weights) if int8 else files.weights
        graph = minilm_graph.build_graph(arrays, minilm_int8.IntegerNodes() if int8 else None)
        self._threads = threads
        self._tokens = WordPiece(files.tokenizer_json)
        self._session = _session(graph, arrays)
        self.digest = _digest(graph, **(_int8_parts(self._session) if int8 else {}))

    @property
    def max_tokens(self) -> int:
        """254: `MAX_SEQUENCE` without [CLS] and [SEP]."""
        return self._tokens.max_tokens

    def count(self, text: str) -> int:
        """Number of tokens in `text`, special tokens not counted, nothing cut off."""
        return self._tokens.count(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        return self._tokens.spans(text)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of `text`, shape (384,), length 1; the same bytes as it has as a passage."""
        ids = np.asarray(self._tokens.ids(text), np.int64)
        vector: NDArray[np.float32] = self._session.run(["vector"], {"ids": ids})[0]
        return vector

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Spans]) -> list[SpannedVector]:
        """The vector of a span is the mean of its tokens' states in the text's own run: it costs no other run."""
        return self._each(self._spanned, list(zip(texts, spans, strict=True)))

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, vector in enumerate(self._each(self.embed_query, texts)):
            vectors[row] = vector
        return vectors

    def _spanned(self, asked: tuple[str, Spans]) -> SpannedVector:
        text, spans = asked
        ids = np.asarray(self._tokens.ids(text), np.int64)
        vector, states = self._session.run(["vector", "states"], {"ids": ids})
        # Without the states of [CLS] and [SEP]; a text without words has no others.
        inner = states[1:-1] if len(states) > len(SPECIAL) else states
        return SpannedVector(vector, pool(inner, self._tokens.spans(text), spans))

    def _each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results in the order of the items; threads take whole items."""
        if self._threads == 1 or len(items) < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="embed") as workers:
            return list(workers.map(work, items))


def _session(graph: bytes, arrays: Mapping[str, NDArray[Any]]) -> ort.InferenceSession:
    """A session that holds its own copy of the weights."""
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Memory plans are kept for each input shape; with a shape for every length they would only pile up.
    options.enable_mem_pattern = False
    values = [ort.OrtValue.ortvalue_from_numpy(array) for array in arrays.values()]
    options.add_external_initializers(list(arrays), values)
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _digest(graph: bytes, **others: str) -> str:
    """SHA-256 over what decides the vectors, as canonical JSON."""
    parts = {
        "model": minilm.NAME,
        "files": minilm.SHA256,
        "graph": hashlib.sha256(graph).hexdigest(),
        "runtime": f"onnxruntime {ort.__version__} CPU float32",
        "shape": f"one text a run, unpadded, at most {MAX_SEQUENCE} tokens",
        "pooling": "mean",
        "normalisation": "L2",
        **others,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _int8_parts(session: ort.InferenceSession) -> dict[str, str]:
    """What the processor has a part in: the vectors and states of fixed token ids.

    Machines with one digest give the same bytes for them. A kind of processor that gives others is another embedder.
    """
    outputs = [output for n in PROBES for output in session.run(["vector", "states"], {"ids": probe(n)})]
    return {
        "runtime": f"onnxruntime {ort.__version__} CPU, 7-bit weights, 8-bit states",
        "probes": hashlib.sha256(b"".join(output.tobytes() for output in outputs)).hexdigest(),
    }


def probe(length: int) -> NDArray[np.int64]:
    """(length,) fixed ids of words, spread over the vocabulary."""
    return 1_000 + np.arange(length, dtype=np.int64) * 7_919 % 28_000
