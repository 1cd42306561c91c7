"""Any sentence-transformers model on any device, held to the law that a vector is a function of its text alone."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import sentence_transformers
import torch
import transformers
from numpy.typing import NDArray

from app import log
from app.embedding import minilm
from app.embedding.protocol import SpannedVector, Spans
from app.embedding.spans import embed_separately
from app.embedding.torch_models import (
    disable_word_cache,
    load_options,
    on_device,
    sequence_limit,
    tensors_digest,
    unusable_model,
)
from app.embedding.wordpiece import encodable

# The shortest length in tokens that a text is padded to in a batch; the others are its doubles.
MIN_BUCKET = 32
# Tokens in one batch off the CPU: rows = this // bucket, so the shape follows from the text's own length.
BATCH_TOKENS = 8_192

Features = dict[str, Any]  # the library's term: tensors of shape (1, n), and a few plain values


class SentenceTransformerEmbedder:
    """A model that is on this machine already; nothing is fetched, no pickled weights and no remote code are loaded.

    On a CPU each run sees one text, unpadded, on one thread, and threads take whole texts. Elsewhere texts are batched
    in shapes that follow from their own token count (padded to a bucket, rows filled up with the empty text). At start
    a text is run in different rows among different texts, and batching is switched off if a byte differs. Asymmetric
    models embed a query and a passage differently, by the prompts that the model names.
    """

    def __init__(  # what a model and a machine need
        self,
        name: str,
        *,
        threads: int,
        cache: Path,
        languages: frozenset[str] = frozenset(("en",)),
        device: str | None = None,
        batch_tokens: int | None = None,
    ) -> None:
        """Load the model `name` (a folder, or a name in `cache`); raises UnusableWeights if it cannot be used.

        `languages` are those that it was trained on, which no file of a model says in a form to rely on.
        `batch_tokens` 0 runs one text at a time; unset, that is so on a CPU only. PyTorch's number of threads is one
        for the process: it is set to 1.
        """
        self._model = _load(name, cache, device)
        self._on_cpu = self._model.device.type == "cpu"
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(not self._on_cpu)
        self.languages = languages
        self._threads = threads if self._on_cpu else 1
        self._lock = Lock()  # the tokenizer keeps padding and truncation as state
        self._batch_tokens = batch_tokens if batch_tokens is not None else 0 if self._on_cpu else BATCH_TOKENS
        self._limit = sequence_limit(self._model.max_seq_length)
        prompts: Mapping[str, str] = self._model.prompts
        self._query_prompt = prompts.get("query", "")
        self._passage_prompt = prompts.get("document", "") or prompts.get("passage", "")
        # Before the first text: from then on the tokenizer's description carries the last call's padding.
        tokenizer = self._model.tokenizer.backend_tokenizer.to_str()
        disable_word_cache(self._model.tokenizer.backend_tokenizer)
        if self._batch_tokens and not self._batching_is_exact():
            log.get().warning("embedding.batching_off", model=name, device=str(self._model.device))
            self._batch_tokens = 0
        self.digest = _digest(self._model, tokenizer, self._batch_tokens)

    @property
    def dimensions(self) -> int:
        return int(self._model.get_embedding_dimension())

    @property
    def max_tokens(self) -> int:
        """The model's limit without its special tokens and its passage prompt."""
        special = int(self._model.tokenizer.num_special_tokens_to_add())
        return self._limit - special - self.count(self._passage_prompt)

    def count(self, text: str) -> int:
        """Number of tokens in `text`, special tokens not counted, nothing cut off."""
        return len(self.spans(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        with self._lock:
            encoded = self._model.tokenizer(
                encodable(text),
                add_special_tokens=False,
                truncation=False,
                padding=False,
                return_offsets_mapping=True,
                verbose=False,
            )
        return [(int(start), int(end)) for start, end in encoded["offset_mapping"]]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._embed([text], self._query_prompt)[0]
        return vector

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, self._passage_prompt)

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Spans]) -> list[SpannedVector]:
        """Each span is embedded by itself: what a model makes of its tokens' states is its own affair."""
        return embed_separately(self.embed_passages, texts, spans)

    def _embed(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        features = [self._features(text, prompt) for text in texts]
        if self._batch_tokens:
            for rows, batch in self._batches(features, self._features("", prompt)):
                # zip ends with the rows that hold a text: the fillers come last.
                for row, vector in zip(rows, self._forward(batch), strict=False):
                    vectors[row] = _unit(vector)
            return vectors
        with ThreadPoolExecutor(self._threads, thread_name_prefix="embed") as pool:
            for row, output in enumerate(pool.map(self._forward, features)):
                vectors[row] = _unit(output[0])
        return vectors

    def _features(self, text: str, prompt: str) -> Features:
        """The model's input for one text alone, cut at the model's limit, without padding."""
        with self._lock:
            features: Features = self._model.preprocess([encodable(text)], prompt=prompt or None)
        return features

    def _batches(self, features: Sequence[Features], filler: Features) -> Iterator[tuple[list[int], Features]]:
        """The rows and the input of each batch, whose shape follows from its members' own token counts."""
        buckets = _buckets(self._limit)
        by_bucket: dict[int, list[int]] = defaultdict(list)
        for row, one in enumerate(features):
            by_bucket[next(bucket for bucket in buckets if bucket >= _tokens(one))].append(row)
        for bucket, rows in by_bucket.items():
            size = max(1, self._batch_tokens // bucket)
            for start in range(0, len(rows), size):
                members = rows[start : start + size]
                fillers = [filler] * (size - len(members))
                yield members, self._padded([*(features[row] for row in members), *fillers], bucket)

    def _padded(self, members: list[Features], bucket: int) -> Features:
        """One batch of `members`, each padded to `bucket` tokens as its tokenizer pads."""
        sequences = {
            key: [one[key][0].tolist() for one in members] for key in members[0] if _is_sequence(members[0], key)
        }
        plain = {key: value for key, value in members[0].items() if key not in sequences}
        with self._lock:
            padded = self._model.tokenizer.pad(sequences, padding="max_length", max_length=bucket, return_tensors="pt")
        return {**plain, **padded}

    def _forward(self, features: Features) -> NDArray[np.float32]:
        """Run the model on one batch: (rows, d), in float32."""
        inputs = on_device(features, self._model.device)
        with torch.inference_mode():
            output: NDArray[np.float32] = self._model(inputs)["sentence_embedding"].float().cpu().numpy()
        return output

    def _batching_is_exact(self) -> bool:
        """Whether a text has the same bytes in the first row among short texts and in the last among long ones."""
        short = self._features("", "")
        for bucket in _buckets(self._limit):
            size = max(1, self._batch_tokens // bucket)
            probe = self._features("leave policy " * (bucket // 4), "")
            full = self._features("budget " * bucket, "")
            probe, full = (_cut(one, bucket) for one in (probe, full))
            first = self._forward(self._padded([probe, *[short] * (size - 1)], bucket))[0]
            last = self._forward(self._padded([*[full] * (size - 1), probe], bucket))[-1]
            if first.tobytes() != last.tobytes():
                return False
        return True


def _load(name: str, cache: Path, device: str | None) -> sentence_transformers.SentenceTransformer:
    """The model from a folder, from the packaged official weights (verified), or from `cache`; never from a network."""
    transformers.utils.logging.disable_progress_bar()
    if name == minilm.NAME and not Path(name).exists():
        minilm.verify(minilm.package_folder())
        name = str(minilm.package_folder())
    try:
        return sentence_transformers.SentenceTransformer(name, **load_options(cache, device)).eval()
    except (OSError, ValueError) as error:
        raise unusable_model(name, cache) from error


def _buckets(limit: int) -> list[int]:
    """The lengths that texts are padded to: 32, 64, 128 … and the limit."""
    doubling = (MIN_BUCKET << power for power in range(limit.bit_length()))
    return [*takewhile(lambda bucket: bucket < limit, doubling), limit]


def _tokens(features: Features) -> int:
    return int(features["input_ids"].shape[1])


def _is_sequence(features: Features, key: str) -> bool:
    """Whether the entry has one value for each token."""
    value = features[key]
    return isinstance(value, torch.Tensor) and value.shape == features["input_ids"].shape


def _cut(features: Features, tokens: int) -> Features:
    """The first `tokens` tokens; for the trial at start, where the lost end mark does not matter."""
    return {key: value[:, :tokens] if _is_sequence(features, key) else value for key, value in features.items()}


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vector` at length 1; raises ArithmeticError if it has no direction."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(length) or length == 0.0:
        raise ArithmeticError("the model gave a vector without a direction")
    return (vector / length).astype(np.float32)


def _digest(model: sentence_transformers.SentenceTransformer, tokenizer: str, batch_tokens: int) -> str:
    """SHA-256 over every tensor, then over what else decides the vectors as canonical JSON."""
    digest = tensors_digest(model)
    parts = {
        "modules": [repr(module) for module in model],
        "tokenizer": hashlib.sha256(tokenizer.encode()).hexdigest(),
        "prompts": model.prompts,
        "max_sequence": model.max_seq_length,
        "runtime": [torch.__version__, transformers.__version__, sentence_transformers.__version__],
        "device": model.device.type,
        "batch_tokens": batch_tokens,
        "normalisation": "L2",
    }
    digest.update(json.dumps(parts, sort_keys=True).encode())
    return digest.hexdigest()
