"""Wiring of the embedder. The adapters are imported late: each pulls in a run-time that the others do not need."""

import os
from pathlib import Path
from typing import Literal

from app.embedding.protocol import EmbeddingModel


def build_embedder(
    *, kind: Literal["onnx", "sentence-transformers", "hashed"], name: str, threads: int, cache: Path
) -> EmbeddingModel:
    """The embedder that the settings name. `name` and `cache` serve sentence-transformers alone.

    Raises UnusableWeights if model files are absent or changed, ModuleNotFoundError if an extra is not installed.
    """
    match kind:
        case "onnx":
            from app.embedding.onnx import OnnxEmbedder  # noqa: PLC0415  # wiring

            return OnnxEmbedder(threads=threads)
        case "hashed":
            from app.embedding.hashed import HashedEmbedder  # noqa: PLC0415  # wiring

            return HashedEmbedder()
        case "sentence-transformers":
            # Read when the libraries are imported: nothing phones home, and cuBLAS gives equal bytes on each run.
            os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
            from app.embedding.sentence_transformer import (  # noqa: PLC0415  # wiring
                SentenceTransformerEmbedder,
            )

            return SentenceTransformerEmbedder(name, threads=threads, cache=cache)
