"""The default embedder: verified files, a stable graph, truncation, one text a run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from app.embedding import minilm, minilm_graph, minilm_int8, onnx
from app.embedding.onnx import OnnxEmbedder
from app.embedding.protocol import UnusableWeights
from app.embedding.wordpiece import MAX_SEQUENCE
from tests.support.environment import REPOSITORY

pytestmark = pytest.mark.slow

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


def test_digest_of_whole_numbers_follows_what_the_processor_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another bit in the last value of the longest probe is another digest."""
    make, digest = onnx._session, OnnxEmbedder(int8=True).digest

    class Other:
        """A processor that computes one bit otherwise, in texts of 256 tokens alone."""

        def __init__(self, *given: Any) -> None:
            self.session = make(*given)

        def run(self, names: list[str], inputs: dict[str, Any]) -> list[Any]:
            outputs: list[Any] = self.session.run(names, inputs)
            if len(inputs["ids"]) == MAX_SEQUENCE:
                outputs[-1].view(np.uint32)[-1, -1] ^= 1
            return outputs

    monkeypatch.setattr(onnx, "_session", Other)
    assert OnnxEmbedder(int8=True).digest != digest


@pytest.mark.skipif(ort.__version__ != "1.32.0", reason="another onnxruntime computes other bytes")
def test_digest_of_whole_numbers_is_that_of_other_processors() -> None:
    """It was computed with AVX-512 VNNI, and with AVX2 alone (emulated): an index may be made and asked on either.

    ADR 36 says how. A change of the graph changes it: compute it on both again.
    """
    assert OnnxEmbedder(int8=True).digest == "cf0d5d12b4fba2b5ae152059e0fa01c42df7cc355b66cabdf4e73b3effae76cb"


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
    weights = minilm.load_model(minilm.package_folder()).weights
    writable = {name: np.array(array) for name, array in minilm_int8.code_weights(weights).items()}
    session = onnx._session(minilm_graph.build_graph(writable, minilm_int8.IntegerNodes()), writable)
    ids = np.arange(1_000, 1_020)
    before = session.run(["vector"], {"ids": ids})[0].tobytes()
    for array in writable.values():
        array[:] = 0
    assert session.run(["vector"], {"ids": ids})[0].tobytes() == before
