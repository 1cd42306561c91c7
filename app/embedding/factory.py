"""Builds the embedder, the reranker and the entailment model that the settings name.

The adapters are imported late: each pulls in a run-time that the others do not need.
"""

import os
from pathlib import Path
from typing import Literal

from app.embedding.entailment import EntailmentModel
from app.embedding.protocol import EmbeddingModel
from app.embedding.reranker import Reranker
from app.indexing.analysis.language import QUESTION_LANGUAGES


def build_embedder(
    *,
    kind: Literal["onnx", "onnx-int8", "sentence-transformers", "hashed"],
    name: str,
    threads: int,
    cache: Path,
    languages: str = "en",
) -> EmbeddingModel:
    """The embedder that the settings name. `name`, `cache` and `languages` serve sentence-transformers alone.

    Raises UnusableWeights if model files are absent or changed, ModuleNotFoundError if an extra is not installed.
    """
    match kind:
        case "onnx" | "onnx-int8":
            from app.embedding.onnx import OnnxEmbedder  # noqa: PLC0415  # wiring

            return OnnxEmbedder(threads=threads, int8=kind == "onnx-int8")
        case "hashed":
            from app.embedding.hashed import HashedEmbedder  # noqa: PLC0415  # wiring

            return HashedEmbedder()
        case "sentence-transformers":
            _quiet()
            from app.embedding.sentence_transformer import (  # noqa: PLC0415  # wiring
                SentenceTransformerEmbedder,
            )

            known = _language_codes(languages)
            return SentenceTransformerEmbedder(name, threads=threads, cache=cache, languages=known)


def _language_codes(listed: str) -> frozenset[str]:
    """The codes in a list with commas between; `every` stands for all that a question can be recognised in."""
    codes = frozenset(code.strip().lower() for code in listed.split(",") if code.strip())
    return QUESTION_LANGUAGES if "every" in codes else codes


def build_reranker(name: str, *, threads: int, cache: Path) -> Reranker | None:
    """The cross-encoder that the settings name, a folder or a name in `cache`; None for no name.

    Raises UnusableWeights if it is not on this machine or is none, ModuleNotFoundError if the extra is not installed.
    """
    if not name:
        return None
    _quiet()
    from app.embedding.cross_encoder import CrossEncoderReranker  # noqa: PLC0415  # wiring

    return CrossEncoderReranker(name, threads=threads, cache=cache)


def build_entailment(name: str, *, threads: int, cache: Path) -> EntailmentModel | None:
    """The entailment model that the settings name, a folder or a name in `cache`; None for no name.

    Raises UnusableWeights if it is not on this machine or is none, ModuleNotFoundError if the extra is not installed.
    """
    if not name:
        return None
    _quiet()
    from app.embedding.cross_encoder import CrossEncoderEntailment  # noqa: PLC0415  # wiring

    return CrossEncoderEntailment(name, threads=threads, cache=cache)


def _quiet() -> None:
    """Set before the libraries are imported: no telemetry, and cuBLAS gives equal bytes on each run."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
