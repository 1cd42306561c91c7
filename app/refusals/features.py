"""What a small classifier sees of a folded question: pieces of its words, its words, and pairs of these. Pure."""

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 1 << 15
PIECES = range(3, 6)  # characters, with the blanks around a word
# A question is judged by its sentences, so that harmless ones around another do not water it down.
MIN_WORDS, MAX_WORDS = 4, 40  # words
_SENTENCE_END = re.compile(r"(?<=[.?!;:。？！])\s*")
_WORD = re.compile(r"[\w']+")


def features(text: str) -> NDArray[np.int64]:
    """The numbers of its features, each once, ascending. The same in every process: `hash` is not."""
    return np.unique(np.fromiter((zlib.crc32(each.encode()) % DIMENSIONS for each in _features(text)), np.int64))


def unit_rows(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The numbers of all features of these texts, and a row for each: its features, as a vector of length one. The
    last is one in each, for the bias.
    """
    present = [features(text) for text in texts]
    columns = np.unique(np.concatenate([*present, [DIMENSIONS]]))
    rows = np.zeros((len(texts), len(columns)), np.float32)
    for row, own in zip(rows, present, strict=True):
        row[np.searchsorted(columns, own)] = 1 / np.sqrt(max(len(own), 1))
    rows[:, -1] = 1
    return columns, rows


def segments(text: str) -> list[str]:
    """What of a question is judged by itself: its sentences, in windows where they are long, and a short text whole."""
    found: list[str] = []
    words: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        words += sentence.split()
        if len(words) >= MIN_WORDS:
            found += _windows(words)
            words = []
    if words:
        found.append(" ".join(words))
    if len(found) > 1 and len(text.split()) <= MAX_WORDS:
        found.append(text)
    return found or [text]


def _windows(words: list[str]) -> list[str]:
    if len(words) <= MAX_WORDS:
        return [" ".join(words)]
    return [" ".join(words[at : at + MAX_WORDS]) for at in range(0, len(words) - MAX_WORDS // 2, MAX_WORDS // 2)]


def _features(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    for word in words:
        yield f"1 {word}"
        padded = f" {word} "
        for length in PIECES:
            for at in range(len(padded) - length + 1):
                yield padded[at : at + length]
    for first, second in pairwise(words):
        yield f"2 {first} {second}"
