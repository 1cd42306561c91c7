"""The default embedder: verified files, a stable graph, truncation, one text a run."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.embedding import minilm, minilm_graph
from app.embedding.onnx import OnnxEmbedder
from app.embedding.protocol import UnusableWeights
from tests.support.environment import REPOSITORY

SENTENCE = "This is an example sentence"


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the model files that a test may change."""
    for name in minilm.SHA256:
        (tmp_path / name).write_bytes((minilm.package_folder() / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", sorted(minilm.SHA256))
def test_a_changed_byte_or_a_missing_file_stops_the_start(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(UnusableWeights, match=rf"{name} .* has SHA-256 .*, expected {minilm.SHA256[name]}"):
        OnnxEmbedder(folder=folder)
    (folder / name).unlink()
    with pytest.raises(UnusableWeights, match=rf"{name} .* cannot be read"):
        OnnxEmbedder(folder=folder)


def test_a_missing_package_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(UnusableWeights, match=r"no_such_package .* is not installed"):
        OnnxEmbedder()


def test_copied_files_give_the_same_vectors(folder: Path, embedder: OnnxEmbedder) -> None:
    assert OnnxEmbedder(folder=folder).embed_query(SENTENCE).tobytes() == embedder.embed_query(SENTENCE).tobytes()


def test_digest_and_bytes_hold_in_another_process(embedder: OnnxEmbedder) -> None:
    """Hash seeds, import order and file order differ there."""
    code = (
        "from app.embedding.onnx import OnnxEmbedder; e = OnnxEmbedder(threads=2);"
        f"print(e.digest, e.embed_passages(['', {SENTENCE!r}])[1].tobytes().hex())"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "1"}, cwd=REPOSITORY, check=True, capture_output=True
    ).stdout.decode()
    assert output.split() == [embedder.digest, embedder.embed_query(SENTENCE).tobytes().hex()]


def test_digest_follows_the_graph(embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_graph, "LAYER_NORM_EPSILON", 1e-6)
    assert OnnxEmbedder().digest != embedder.digest


def test_what_lies_beyond_254_tokens_is_cut_off(embedder: OnnxEmbedder) -> None:
    words = ["policy"] * embedder.max_tokens
    limit = embedder.embed_query(" ".join(words))
    assert embedder.count(" ".join(words)) == embedder.max_tokens == 254
    assert embedder.embed_query(" ".join([*words, "valve", "steel"])).tobytes() == limit.tobytes()
    assert embedder.embed_query(" ".join([*words[:-1], "valve"])).tobytes() != limit.tobytes()


def test_counting_cuts_nothing_and_adds_nothing(embedder: OnnxEmbedder) -> None:
    assert embedder.count("policy " * 1_000) == 1_000
    assert embedder.spans("Leave policies") == [(0, 5), (6, 14)]
    assert embedder.spans("leave \ud800 policy") == [(0, 5), (6, 7), (8, 14)], "a lone surrogate keeps spans true"


def test_the_weights_are_the_session_s_own() -> None:
    """The arrays handed over at start may change or go away afterwards."""
    from app.embedding import onnx  # noqa: PLC0415  # the module's private session maker, used here alone

    files = minilm.load_model(minilm.package_folder())
    writable = {name: np.array(array) for name, array in files.weights.items()}
    graph = minilm_graph.build_graph({name: array.shape for name, array in writable.items()})
    session = onnx._session(graph, minilm.MiniLM(writable, files.tokenizer_json))
    ids = np.arange(1_000, 1_020)
    before = session.run(["vector"], {"ids": ids})[0].tobytes()
    for array in writable.values():
        array[:] = 0
    assert session.run(["vector"], {"ids": ids})[0].tobytes() == before
