"""Any sentence-transformers cross-encoder on any device, held to the law that pairs are read alone.

One with a single output orders passages; one that tells entailment from the rest checks sentences.
"""

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

from app.embedding.entailment import Entailment
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


class PairReader:
    """A model that is on this machine already; nothing is fetched, no pickled weights and no remote code are loaded.

    Each run sees one pair, unpadded, cut at the model's length. On a CPU it takes one thread, and threads take whole
    pairs; `threads` of them serve the whole process.
    """

    def __init__(self, name: str, *, threads: int, cache: Path, device: str | None) -> None:
        """Load the model `name` (a folder, or a name in `cache`); raises UnusableWeights if it cannot be used.

        PyTorch's number of threads is one for the process: it is set to 1.
        """
        self.model = _load(name, cache, device)
        on_cpu = self.model.device.type == "cpu"
        torch.set_num_threads(1)
        if not on_cpu:
            torch.use_deterministic_algorithms(True)
        self._lock = Lock()  # the tokenizer keeps padding and truncation as state
        self._pool = ThreadPoolExecutor(threads if on_cpu else 1, thread_name_prefix="pairs")
        self.digest = _digest(self.model)
        disable_word_cache(self.model.tokenizer.backend_tokenizer)

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
        """The model's logits of each pair, in their order; raises ArithmeticError if one is not finite."""
        return list(self._pool.map(self._read, pairs))

    def _read(self, pair: tuple[str, str]) -> list[float]:
        one, other = pair
        with self._lock:
            features: dict[str, Any] = self.model.preprocess([(encodable(one), encodable(other))])
        inputs = on_device(features, self.model.device)
        with torch.inference_mode():
            logits: list[float] = self.model(inputs)["scores"].double().cpu().reshape(-1).tolist()
        if not all(map(math.isfinite, logits)):
            raise ArithmeticError("the cross-encoder gave a score that is no number")
        return logits


class CrossEncoderReranker:
    """Scores passages for a question. A score is the model's logit: after a sigmoid the best ones would all be 1."""

    def __init__(self, name: str, *, threads: int, cache: Path, device: str | None = None) -> None:
        """Load the model `name`, a folder or a name in `cache`; raises UnusableWeights if it is no cross-encoder."""
        self.name = name
        self._reader = PairReader(name, threads=threads, cache=cache, device=device)
        self.digest = self._reader.digest
        if (outputs := self._reader.model.num_labels) != 1:
            raise UnusableWeights(f"{name} is no cross-encoder with one score: it has {outputs} outputs")

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """The model's score of each pair, in the order of `passages`; raises ArithmeticError if one is not finite."""
        return [score for [score] in self._reader.read([(question, passage) for passage in passages])]


class CrossEncoderEntailment:
    """Judges whether texts entail a sentence. The model's configuration names its outputs (`id2label`)."""

    def __init__(self, name: str, *, threads: int, cache: Path, device: str | None = None) -> None:
        """Load the model `name`, a folder or a name in `cache`; raises UnusableWeights if it names no entailment."""
        self.name = name
        self._reader = PairReader(name, threads=threads, cache=cache, device=device)
        self.digest = self._reader.digest
        named = {str(label).lower(): int(n) for n, label in self._reader.model.config.id2label.items()}
        if len(named) < 2 or "entailment" not in named:
            raise UnusableWeights(f"{name} is no entailment model: its outputs are named {', '.join(sorted(named))}")
        self._entailment, self._contradiction = named["entailment"], named.get("contradiction")

    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        """One for each text, in their order; raises ArithmeticError if the model gives what is no number."""
        return [self._judged(logits) for logits in self._reader.read([(text, sentence) for text in texts])]

    def _judged(self, logits: Sequence[float]) -> Entailment:
        top = max(logits)
        odds = [math.exp(logit - top) for logit in logits]
        total = math.fsum(odds)
        contradicted = odds[self._contradiction] / total if self._contradiction is not None else 0.0
        return Entailment(odds[self._entailment] / total, contradicted)


def _load(name: str, cache: Path, device: str | None) -> sentence_transformers.CrossEncoder:
    """The model from a folder or from `cache`; never from a network."""
    transformers.utils.logging.disable_progress_bar()
    try:
        model = sentence_transformers.CrossEncoder(name, **load_options(cache, device)).eval()
    except (OSError, ValueError) as error:
        raise unusable_model(name, cache) from error
    kinds = model.config.architectures or ["nothing"]
    if not kinds[0].endswith(TRAINED_HEAD):
        raise UnusableWeights(f"{name} is no cross-encoder: it is made as {kinds[0]}, without a trained head")
    sequence_limit(model.max_seq_length)
    return model


def _digest(model: sentence_transformers.CrossEncoder) -> str:
    """SHA-256 over every tensor, then over what else decides the outputs as canonical JSON."""
    parts = {
        "modules": [repr(module) for module in model],
        "tokenizer": model.tokenizer.backend_tokenizer.to_str(),
        "max_sequence": model.max_seq_length,
        "prompts": model.prompts,
        "outputs": {str(n): str(label) for n, label in model.config.id2label.items()},
        "runtime": [torch.__version__, transformers.__version__, sentence_transformers.__version__],
        "device": model.device.type,
        "output": "logit",
    }
    digest = tensors_digest(model)
    digest.update(json.dumps(parts, sort_keys=True).encode())
    return digest.hexdigest()
