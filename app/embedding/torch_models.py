"""What both adapters for sentence-transformers need: how a model is loaded, cut and named."""

import hashlib
from pathlib import Path
from typing import Any

import torch

from app.embedding.protocol import UnusableWeights

# A model without a true limit reports a huge one.
MAX_SEQUENCE = 131_072


def loading(cache: Path, device: str | None) -> dict[str, Any]:
    """How a model is loaded: from this machine alone, without pickled weights and without code of its own."""
    return {
        "device": device,
        "cache_folder": str(cache),
        "local_files_only": True,
        "trust_remote_code": False,
        # Eager attention: the fused kernels are chosen by whether *any* row of the batch has padding.
        "model_kwargs": {"use_safetensors": True, "attn_implementation": "eager"},
    }


def not_usable(name: str, cache: Path) -> UnusableWeights:
    """The error for a model that is not here."""
    return UnusableWeights(
        f"{name} is not a usable model folder and not in {cache} with safetensors weights; "
        f"fetch it with: hf download {name} --cache-dir {cache}"
    )


def sequence_limit(limit: int | None) -> int:
    """The longest sequence in tokens, special tokens counted; raises UnusableWeights if the model names none."""
    if limit is None or not 0 < limit <= MAX_SEQUENCE:
        raise UnusableWeights(f"the model names no usable max_seq_length ({limit})")
    return int(limit)


def encodable(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot carry, replaced one for one, so that spans stay true."""
    return text.encode("utf-8", "replace").decode("utf-8")


def forget_words(tokenizer: Any) -> None:
    """Take a tokenizer's memory of words away, where its kind has one (BPE, Unigram).

    All callers share it, and a text would be quicker where somebody else's had the same words (promise N3).
    """
    resize = getattr(tokenizer.model, "_resize_cache", None)
    if resize is not None:
        resize(0)


def tensors_digest(model: torch.nn.Module) -> "hashlib._Hash":
    """SHA-256 over every tensor of a model, to be updated with what else decides its output."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest
