"""The contract of `app.embedding.entailment`, on every implementation: a verdict depends on the two texts alone."""

import random
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.embedding.entailment import Entailment, EntailmentModel
from app.embedding.factory import build_entailment
from app.embedding.protocol import UnusableWeights
from app.embedding.shared_sentences import SharedSentences
from tests.support.cross_encoders import PASSAGES, made_in

LABELS = ("contradiction", "entailment", "neutral")
SENTENCE = "Staff get 25 days of paid holiday."

Build = Callable[[int], EntailmentModel]


def bits(judged: Sequence[Entailment]) -> list[bytes]:
    """Verdicts as they must agree: to the last bit."""
    return [struct.pack("dd", one.entailed, one.contradicted) for one in judged]


def real(name: str, threads: int) -> EntailmentModel:
    """The adapter, as the wiring builds it."""
    built = build_entailment(name, threads=threads, cache=Path("nowhere"))
    assert built is not None
    return built


@pytest.fixture(
    scope="class", params=["shared-sentences", pytest.param("sentence-transformers", marks=pytest.mark.real)]
)
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    if request.param == "shared-sentences":
        return lambda _threads: SharedSentences()
    name = made_in(tmp_path_factory.mktemp("entailment"), labels=LABELS)
    return lambda threads: real(name, threads)


class TestEntailmentContract:
    def test_probabilities_for_each_text(self, build: Build) -> None:
        judged = build(2).judge(PASSAGES, SENTENCE)
        assert len(judged) == len(PASSAGES)
        for one in judged:
            assert min(one.entailed, one.contradicted) >= 0
            assert one.entailed + one.contradicted <= 1 + 1e-9
        assert build(2).judge([], SENTENCE) == []

    def test_alone_in_company_in_any_order_and_on_any_number_of_threads(self, build: Build) -> None:
        together = bits(build(2).judge(PASSAGES, SENTENCE))
        assert [bits(build(1).judge([text], SENTENCE))[0] for text in PASSAGES] == together
        order = random.Random(7).sample(range(len(PASSAGES)), len(PASSAGES))
        assert bits(build(4).judge([PASSAGES[n] for n in order], SENTENCE)) == [together[n] for n in order]

    def test_while_others_ask(self, build: Build) -> None:
        model = build(2)
        sentences = [SENTENCE, "", "The valve is not made of steel.", "leave " * 300]
        expected = [bits(model.judge(PASSAGES[:6], sentence)) for sentence in sentences]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda sentence: bits(model.judge(PASSAGES[:6], sentence)), sentences * 4))
        assert found == expected * 4

    def test_text_and_sentence_both_count(self, build: Build) -> None:
        model = build(1)
        judged = bits(model.judge(PASSAGES[:2], SENTENCE))
        assert judged[0] != judged[1]
        assert bits(model.judge(PASSAGES[:2], "The valve of the pump is made of steel.")) != judged


@pytest.mark.real
def test_outputs_are_read_by_their_names(tmp_path: Path) -> None:
    """The same weights with other names for their outputs: what was contradiction is entailment."""
    [one] = real(made_in(tmp_path / "a", labels=LABELS), 1).judge(PASSAGES[:1], SENTENCE)
    [other] = real(made_in(tmp_path / "b", labels=("ENTAILMENT", "CONTRADICTION", "NEUTRAL")), 1).judge(
        PASSAGES[:1], SENTENCE
    )
    assert (one.entailed, one.contradicted) == (other.contradicted, other.entailed)
    two = real(made_in(tmp_path / "c", labels=("entailment", "not_entailment")), 1).judge(PASSAGES[:1], SENTENCE)
    assert two[0].contradicted == 0.0, "what does not follow is not contradicted"


@pytest.mark.real
@pytest.mark.parametrize("labels", [("LABEL_0", "LABEL_1", "LABEL_2"), ("entailment",)])
def test_a_model_that_names_no_entailment_is_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(UnusableWeights, match="is no entailment model"):
        build_entailment(made_in(tmp_path, labels=labels), threads=1, cache=tmp_path)


@pytest.mark.real
def test_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(UnusableWeights, match="fetch it with: hf download"):
        build_entailment("nobody/nothing", threads=1, cache=tmp_path)


def test_without_a_name_there_is_none() -> None:
    assert build_entailment("", threads=1, cache=Path()) is None
