"""Vectors kept in a file by the digest of model and text: embedding is what takes the time."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from app.embedding.protocol import EmbeddingModel


class Vectors:
    """An embedder with a memory."""

    def __init__(self, embedder: EmbeddingModel, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.embedder = embedder
        self._kept = sqlite3.connect(file)
        self._kept.execute("create table if not exists kept (digest blob primary key, vector blob) without rowid")

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimensions); what is new is embedded and kept."""
        keys = [self._key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if self._find(key) is None}
        for key, text in track(new.items(), f"embedding {len(new)} texts", disable=len(new) < 10):
            vector = self.embedder.embed_passages([text])[0]
            with self._kept:
                self._kept.execute("insert into kept values (?, ?)", (key, vector.tobytes()))
        found = [self._find(key) for key in keys]
        return np.stack([np.frombuffer(v, np.float32) for v in found if v is not None])

    def _find(self, key: bytes) -> bytes | None:
        row = self._kept.execute("select vector from kept where digest = ?", (key,)).fetchone()
        return row[0] if row else None

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.embedder.digest}\n{text}".encode()).digest()
