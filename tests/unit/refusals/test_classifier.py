"""The small classifier: what its figures are made of, and how its threshold is set."""

import random

import numpy as np
import pytest

from app.refusals import classifier
from app.refusals.classifier import MIN_RECALL, Classifier, Figures, Trainer
from app.refusals.features import DIMENSIONS, MAX_WORDS, features, segments
from tests.support.refusals import EXAMPLES

HARMLESS = [
    f"how do i {verb} the {noun}"
    for verb in ("file", "find", "read", "send")
    for noun in ["report", "form", "list", "mail", "key"]
]
OWN = [example.lower() for example in EXAMPLES]


def trained(examples: list[str], harmless: list[str], rate: float) -> Classifier:
    return Trainer([*examples, *harmless]).train(examples, harmless, false_refusals=rate)


def test_what_can_be_told_apart_is() -> None:
    made = trained(OWN, HARMLESS, 0.0)
    assert (made.figures.recall, made.figures.false_refusals, made.figures.precision) == (1.0, 0.0, 1.0)
    assert made.is_of("i want to see the high cranes of the harbour at night")
    assert not made.is_of("how do i find the report of last year")


def test_figures_of_noise_are_those_of_noise() -> None:
    """Words by chance: a threshold, or weights, that had seen the examples that are counted would find them all."""
    dice = random.Random(3)
    words = ["".join(dice.choices("abcdefghij", k=5)) for _ in range(400)]
    texts = [" ".join(dice.sample(words, 6)) for _ in range(140)]
    made = trained(texts[:40], texts[40:], 0.05)
    assert made.figures.recall < MIN_RECALL
    assert not made.is_of(texts[0]), "a classifier that finds too little is not asked"


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2])
def test_no_more_of_the_harmless_are_above_the_threshold_than_is_wanted(rate: float) -> None:
    scores = np.random.default_rng(1).normal(size=200)
    assert (scores > classifier._threshold(np.empty(0), scores, rate)).sum() == int(rate * 200)


def test_the_threshold_is_half_way_to_the_next_example() -> None:
    harmless, examples = np.array([0.0, 0.2, 0.1]), np.array([0.1, 0.6, 0.9])
    assert classifier._threshold(examples, harmless, 0.0) == pytest.approx(0.4)


def test_the_threshold_is_set_on_scores_of_what_was_not_trained_on() -> None:
    """Scores of what was trained on are far lower for the harmless: the threshold would be too."""
    mixed = [*OWN[:10], *HARMLESS[:10]]
    made = trained(mixed, [*OWN[10:], *HARMLESS[10:]], 0.0)
    seen = max(made.score(text) for text in (*OWN[10:], *HARMLESS[10:]))
    assert made.threshold > seen


def test_a_sentence_is_found_among_others() -> None:
    made = trained(OWN, HARMLESS, 0.0)
    around = "".join(f"{text}? " for text in HARMLESS)
    assert made.is_of(f"{around}Please paint the old ships of the harbour at dawn. {around}".lower())


def test_long_texts_are_looked_at_in_windows() -> None:
    words = [f"w{n}" for n in range(3 * MAX_WORDS)]
    parts = segments(" ".join(words))
    assert max(len(part.split()) for part in parts) <= MAX_WORDS
    assert {word for part in parts for word in part.split()} == set(words)
    assert segments("") == [""]


def test_features_are_the_same_in_every_process() -> None:
    assert features("a safe").tolist() == sorted(set(features("a safe").tolist()))
    assert int(features("a safe").sum()) == 206_107, "they depend on the text alone"
    assert features("a safe").max() < DIMENSIONS


def test_figures_that_refuse_nothing_have_no_precision() -> None:
    assert Figures(20, 100, 0, 0).precision is None
