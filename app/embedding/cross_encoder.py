"""Any sentence-transformers cross-encoder on any device, held to the law that pairs are scored alone."""

import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import sentence_transformers
import torch
import transformers

from app.embedding.protocol import UnusableWeights
from app.embedding.torch_models import (
    disable_word_cache,
    load_options,
    on_device,
    sequence_limit,
    tensors_digest,
    unusable_model,
)
from app.embedding.wordpiece import encodable

# The architecture whose checkpoint holds a trained head. Any other one would get a head of random numbers.
TRAINED_HEAD = "ForSequenceClassification"


class CrossEncoderReranker:
    """A model that is on this machine already; nothing is fetched, no pickled weights and no remote code are loaded.

    Each run sees one pair, unpadded, cut at the model's length. On a CPU it takes one thread, and threads take whole
    pairs; `threads` of them serve the whole process. Scores are the model's logits: after a
    sigmoid the best ones would all be 1.
    """

    def __init__(self, name: str, *, threads: int, cache: Path, device: str | None = None) -> None:
        """Load the model `name` (a folder, or a name in `cache`); raises UnusableWeights if it cannot be used.

        PyTorch's number of threads is one for the process: it is set to 1.
        """
        self.name = name
        self._model = _load(name, cache, device)
        on_cpu = self._model.device.type == "cpu"
        torch.set_num_threads(1)
        if not on_cpu:
            torch.use_deterministic_algorithms(True)
        self._lock = Lock()  # the tokenizer keeps padding and truncation as state
        self._pool = ThreadPoolExecutor(threads if on_cpu else 1, thread_name_prefix="rerank")
        self.digest = _digest(self._model)
        disable_word_cache(self._model.tokenizer.backend_tokenizer)

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """The model's score of each pair, in the order of `passages`; raises ArithmeticError if one is not finite."""
        question = encodable(question)
        return list(self._pool.map(lambda passage: self._score(question, encodable(passage)), passages))

    def _score(self, question: str, passage: str) -> float:
        with self._lock:
            features: dict[str, Any] = self._model.preprocess([(question, passage)])
        inputs = on_device(features, self._model.device)
        with torch.inference_mode():
            score = float(self._model(inputs)["scores"].float().cpu().item())
        if not math.isfinite(score):
            raise ArithmeticError("the cross-encoder gave a score that is no number")
        return score


def _load(name: str, cache: Path, device: str | None) -> sentence_transformers.CrossEncoder:
    """The model from a folder or from `cache`; never from a network."""
    transformers.utils.logging.disable_progress_bar()
    try:
        model = sentence_transformers.CrossEncoder(name, **load_options(cache, device)).eval()
    except (OSError, ValueError) as error:
        raise unusable_model(name, cache) from error
    kinds = model.config.architectures or ["nothing"]
    if not kinds[0].endswith(TRAINED_HEAD) or model.num_labels != 1:
        raise UnusableWeights(
            f"{name} is no cross-encoder with one score: it is made as {kinds[0]}, with {model.num_labels} outputs"
        )
    sequence_limit(model.max_seq_length)
    return model


def _digest(model: sentence_transformers.CrossEncoder) -> str:
    """SHA-256 over every tensor, then over what else decides the scores as canonical JSON."""
    parts = {
        "modules": [repr(module) for module in model],
        "tokenizer": model.tokenizer.backend_tokenizer.to_str(),
        "max_sequence": model.max_seq_length,
        "prompts": model.prompts,
        "runtime": [torch.__version__, transformers.__version__, sentence_transformers.__version__],
        "device": model.device.type,
        "output": "logit",
    }
    digest = tensors_digest(model)
    digest.update(json.dumps(parts, sort_keys=True).encode())
    return digest.hexdigest()
