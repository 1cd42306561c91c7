"""Embeddings of a dataset, for the benchmarks: `python -m benchmarks.search.embed FOLDER --out NAME`.

Writes NAME.npy, a vector for each passage as the product would store it, and NAME-q.npy, one for each question.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from app.embedding.onnx import OnnxEmbedder
from app.evaluation.datasets import CorpusPage
from app.evaluation.layouts import read
from benchmarks.tables import console
from ingest.contextual_vectors import contextualize
from ingest.extract import extract
from ingest.split import split


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("dataset", type=Path)
    options.add_argument("--out", type=Path, required=True, help="path without .npy")
    given = options.parse_args()
    embedder, dataset = OnnxEmbedder(threads=1), read(given.dataset)
    pages = [_vectors(embedder, page) for page in track(dataset.pages, f"embedding {len(dataset.pages)} pages")]
    passages = np.concatenate([vectors for vectors in pages if len(vectors)])
    asked = track(dataset.questions, f"embedding {len(dataset.questions)} questions")
    questions = np.stack([embedder.embed_query(question.text) for question in asked])
    np.save(given.out.with_name(f"{given.out.name}.npy"), passages)
    np.save(given.out.with_name(f"{given.out.name}-q.npy"), questions)
    console.print(f"{len(passages)} passages, {len(questions)} questions of {passages.shape[1]} dimensions")


def _vectors(embedder: OnnxEmbedder, page: CorpusPage) -> NDArray[np.float32]:
    """Those of a page's passages, (n, dimensions), moved towards each other as when they are written."""
    passages = split(extract(page.content, filename=page.path.rsplit("/", 1)[-1]), counter=embedder)
    if not passages:
        return np.empty((0, embedder.dimensions), np.float32)
    return contextualize(np.stack([embedder.embed_passages([p.embedded])[0] for p in passages]))


if __name__ == "__main__":
    main()
