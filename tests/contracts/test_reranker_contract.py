"""The contract of `app.embedding.reranker`, on every implementation: a pair's score is a function of the pair alone."""

import math
import random
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from app.embedding.factory import build_reranker
from app.embedding.protocol import UnusableWeights
from app.embedding.reranker import Reranker
from app.embedding.shared_words import SharedWords
from tests.support.cross_encoders import LONG, MAX_LENGTH, PASSAGES, made_in, sentence_transformers_needed

QUESTION = "How many days of annual leave does an employee get?"
Build = Callable[[int], Reranker]


def bits(scores: Sequence[float]) -> list[bytes]:
    """Scores as they must agree: to the last bit."""
    return [struct.pack("d", score) for score in scores]


def real(name: str, threads: int) -> Reranker:
    """The adapter, as the wiring builds it."""
    built = build_reranker(name, threads=threads, cache=Path("nowhere"))
    assert built is not None
    return built


@pytest.fixture(
    scope="class",
    params=["shared-words", pytest.param("sentence-transformers", marks=pytest.mark.real)],
)
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    if request.param == "shared-words":
        return lambda _threads: SharedWords()
    name = made_in(tmp_path_factory.mktemp("cross-encoder"))
    return lambda threads: real(name, threads)


@pytest.fixture(scope="class")
def reranker(build: Build) -> Reranker:
    return build(2)


class TestRerankerContract:
    def test_one_finite_number_for_each_passage(self, reranker: Reranker) -> None:
        scores = reranker.scores(QUESTION, PASSAGES)
        assert len(scores) == len(PASSAGES)
        assert all(type(score) is float and math.isfinite(score) for score in scores)
        assert reranker.scores(QUESTION, []) == []
        assert reranker.name

    def test_alone_or_in_company(self, reranker: Reranker) -> None:
        together = bits(reranker.scores(QUESTION, PASSAGES))
        assert [bits(reranker.scores(QUESTION, [passage]))[0] for passage in PASSAGES] == together

    def test_whatever_the_neighbours_and_the_place(self, reranker: Reranker) -> None:
        """The same passage among empty, short and long ones, in the first, a middle and the last place."""
        passage = PASSAGES[0]
        [alone] = bits(reranker.scores(QUESTION, [passage]))
        for neighbours in ([""] * 7, PASSAGES[1:8], [*LONG, *LONG, ""], [passage] * 7):
            company = [passage, *neighbours, passage, *neighbours, passage]
            scored = bits(reranker.scores(QUESTION, company))
            assert [scored[place] for place in (0, 8, 16)] == [alone] * 3

    def test_in_any_order(self, reranker: Reranker) -> None:
        straight = bits(reranker.scores(QUESTION, PASSAGES))
        order = random.Random(7).sample(range(len(PASSAGES)), len(PASSAGES))
        assert bits(reranker.scores(QUESTION, [PASSAGES[n] for n in order])) == [straight[n] for n in order]

    def test_on_any_number_of_threads(self, build: Build, reranker: Reranker) -> None:
        expected = bits(reranker.scores(QUESTION, PASSAGES))
        assert len(bytes.fromhex(reranker.digest)) == 32
        for threads in (1, 4):
            built = build(threads)
            assert built.digest == reranker.digest, "it names the function"
            assert bits(built.scores(QUESTION, PASSAGES)) == expected

    def test_while_others_ask(self, reranker: Reranker) -> None:
        questions = [QUESTION, "", "leave", LONG[0]]
        expected = [bits(reranker.scores(question, PASSAGES)) for question in questions]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda question: bits(reranker.scores(question, PASSAGES)), questions * 4))
        assert found == expected * 4

    def test_question_and_passage_both_count(self, reranker: Reranker) -> None:
        scores = reranker.scores(QUESTION, PASSAGES[:3])
        assert len(set(scores)) == 3
        assert reranker.scores("Which pump has a steel valve?", PASSAGES[:3]) != scores


@pytest.mark.real
def test_other_weights_have_another_digest_and_other_scores(tmp_path: Path) -> None:
    one, other = (real(made_in(tmp_path / str(seed), seed=seed), 1) for seed in (1, 2))
    assert one.digest != other.digest
    assert one.scores(QUESTION, PASSAGES[:3]) != other.scores(QUESTION, PASSAGES[:3])


@pytest.mark.real
def test_each_run_sees_one_pair_cut_at_the_model_s_length_and_unpadded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = made_in(tmp_path)
    from app.embedding.cross_encoder import CrossEncoderReranker  # noqa: PLC0415  # an extra

    reranker = CrossEncoderReranker(name, threads=2, cache=tmp_path)
    shapes: list[tuple[int, ...]] = []
    forward = reranker._reader.model.forward

    def recorded(features: dict[str, Any], **options: Any) -> Any:
        shapes.append(tuple(features["input_ids"].shape))
        assert bool((features["attention_mask"] == 1).all())
        return forward(features, **options)

    monkeypatch.setattr(reranker._reader.model, "forward", recorded)
    reranker.scores("q", ["a", "b c", LONG[0] * 20])
    # [CLS] q [SEP] passage [SEP]
    assert sorted(shapes) == [(1, 5), (1, 6), (1, MAX_LENGTH)]
    assert reranker.scores("q", [LONG[0] * 20]) == reranker.scores("q", [LONG[0] * 30])


@pytest.mark.real
def test_one_thread_at_a_time_uses_the_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps padding and truncation as state, and a change of these while another thread reads is an error."""
    name = made_in(tmp_path)
    from app.embedding.cross_encoder import CrossEncoderReranker  # noqa: PLC0415  # an extra

    reranker = CrossEncoderReranker(name, threads=4, cache=tmp_path)
    preprocess, inside, met = reranker._reader.model.preprocess, Lock(), []

    def slowly(pairs: list[tuple[str, str]]) -> Any:
        met.append(not inside.acquire(blocking=False))
        time.sleep(0.02)
        features = preprocess(pairs)
        if not met[-1]:
            inside.release()
        return features

    monkeypatch.setattr(reranker._reader.model, "preprocess", slowly)
    reranker.scores(QUESTION, PASSAGES[:8])
    assert met == [False] * 8


@pytest.mark.real
def test_scores_are_not_squashed(tmp_path: Path) -> None:
    """Behind a sigmoid they would lie between 0 and 1, the best of them all at 1."""
    scores = real(made_in(tmp_path), 1).scores(QUESTION, PASSAGES)
    assert min(scores) < 0 or max(scores) > 1


@pytest.mark.real
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused(tmp_path: Path, number: float) -> None:
    name = made_in(tmp_path)
    from app.embedding.cross_encoder import CrossEncoderReranker  # noqa: PLC0415  # an extra

    reranker = CrossEncoderReranker(name, threads=1, cache=tmp_path)
    reranker._reader.model.transformers_model.classifier.bias.data[0] = number
    with pytest.raises(ArithmeticError, match="no number"):
        reranker.scores(QUESTION, PASSAGES[:2])


@pytest.mark.real
def test_nothing_is_fetched_and_nothing_pickled_is_loaded(tmp_path: Path) -> None:
    sentence_transformers_needed()
    with pytest.raises(UnusableWeights, match="fetch it with: hf download"):
        build_reranker("nobody/nothing", threads=1, cache=tmp_path)
    name = made_in(tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(UnusableWeights, match="safetensors"):
        build_reranker(name, threads=1, cache=tmp_path)


@pytest.mark.real
@pytest.mark.parametrize(("kind", "says"), [({"outputs": 3}, "3 outputs"), ({"headless": True}, "BertModel")])
def test_a_model_that_is_no_cross_encoder_is_refused(tmp_path: Path, kind: dict[str, Any], says: str) -> None:
    """A plain encoder would be given a head of random numbers, and order by them."""
    with pytest.raises(UnusableWeights, match=says):
        build_reranker(made_in(tmp_path, **kind), threads=1, cache=tmp_path)


def test_without_a_name_there_is_none() -> None:
    assert build_reranker("", threads=1, cache=Path()) is None
