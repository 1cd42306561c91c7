"""Shared by both sentence-transformers adapters: load options, limits, and the digest of a model."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from app.embedding.protocol import UnusableWeights

# A model without a true limit reports a huge one.
MAX_SEQUENCE = 131_072


def load_options(cache: Path, device: str | None) -> dict[str, Any]:
    """Options that load a model from this machine alone, without pickled weights and without remote code."""
    return {
        "device": device,
        "cache_folder": str(cache),
        "local_files_only": True,
        "trust_remote_code": False,
        # Eager attention: the fused kernels are chosen by whether *any* row of the batch has padding.
        "model_kwargs": {"use_safetensors": True, "attn_implementation": "eager"},
    }


def unusable_model(name: str, cache: Path) -> UnusableWeights:
    return UnusableWeights(
        f"{name} is not a usable model folder and not in {cache} with safetensors weights; "
        f"fetch it with: hf download {name} --cache-dir {cache}"
    )


def sequence_limit(limit: int | None) -> int:
    """The longest sequence in tokens, special tokens counted; raises UnusableWeights if the model names none."""
    if limit is None or not 0 < limit <= MAX_SEQUENCE:
        raise UnusableWeights(f"the model names no usable max_seq_length ({limit})")
    return int(limit)


def on_device(features: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """A model's input with its tensors moved to the device."""
    return {key: v.to(device) if isinstance(v, torch.Tensor) else v for key, v in features.items()}


def disable_word_cache(tokenizer: Any) -> None:
    """Switch off a tokenizer's word cache, where its kind has one (BPE, Unigram).

    All callers share it, so a text would be faster if somebody else's had the same words (promise N3).
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
