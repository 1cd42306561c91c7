"""A linear classifier of a category, trained from the examples in the file, and measured on what it has not seen.

Logistic regression over `features`, by Newton's method on the examples' products with each other: a few hundred
examples take a fraction of a second. The threshold is set on scores that were made by folds: the examples are parted
into five, and each part is scored by what was trained on the four others. Of the harmless questions no more than the
wanted share may be refused. The figures are nested: a part is judged by a threshold that was set without it, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.refusals.features import DIMENSIONS, features, segments, unit_rows

FOLDS = 5
SMOOTHING = 0.3  # of the weights
# Below this share of its own examples a classifier is not asked: it would refuse in vain and find next to nothing.
MIN_RECALL = 0.3
STEPS = 8  # of Newton's method
SEED = 17  # of the order in which examples are dealt to the folds

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """What a classifier does to examples that neither its weights nor its threshold have seen.

    `precision` is that of these examples, of which most are harmless; None where it refused none.
    """

    examples: int
    harmless: int
    found: int
    refused_in_vain: int

    @property
    def recall(self) -> float:
        return self.found / self.examples

    @property
    def precision(self) -> float | None:
        refused = self.found + self.refused_in_vain
        return self.found / refused if refused else None

    @property
    def worth_asking(self) -> bool:
        return self.recall >= MIN_RECALL

    @property
    def false_refusals(self) -> float:
        return self.refused_in_vain / self.harmless


@dataclass(frozen=True)
class Classifier:
    """Weights by feature, the bias last, and the score above which a question is of the category."""

    weights: NDArray[np.float32]
    threshold: float
    figures: Figures

    def score(self, folded: str) -> float:
        """That of the sentence with the highest."""
        return max(self._score(each) for each in segments(folded))

    def _score(self, text: str) -> float:
        present = features(text)
        return float(self.weights[present].sum() / np.sqrt(max(len(present), 1)) + self.weights[-1])

    def is_of(self, folded: str) -> bool:
        """Whether a question is of the category; never by a classifier that finds too little to be asked."""
        return self.figures.worth_asking and self.score(folded) > self.threshold


class Trainer:
    """Folded questions, each once, with the products of each with each: made once for all categories."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._place = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self._columns, self._rows = unit_rows(list(self._place))
        self._products = (self._rows @ self._rows.T).astype(np.float64)

    def train(self, examples: Sequence[str], harmless: Sequence[str], *, false_refusals: float) -> Classifier:
        """From those of a category, and others; `false_refusals` is the share of the others that may be taken for the
        former.
        """
        places = [self._place[text] for text in (*examples, *harmless)]
        products = self._products[np.ix_(places, places)]
        wanted = np.arange(len(places)) < len(examples)
        threshold, figures = _measured(products, wanted, false_refusals)
        weights = np.zeros(DIMENSIONS + 1, np.float32)
        weights[self._columns] = self._rows[places].T @ _fit(products, wanted).astype(np.float32)
        return Classifier(weights, threshold, figures)


def _measured(products: Scores, wanted: NDArray[np.bool_], false_refusals: float) -> tuple[float, Figures]:
    """The threshold, and the figures, from scores of what was not trained on."""
    fold = _dealt(wanted)
    scores = np.zeros(len(wanted))
    for each in range(FOLDS):
        seen, unseen = fold != each, fold == each
        weights = _fit(products[np.ix_(seen, seen)], wanted[seen])
        scores[unseen] = products[np.ix_(unseen, seen)] @ weights
    return _threshold(scores[wanted], scores[~wanted], false_refusals), _figures(scores, wanted, fold, false_refusals)


def _figures(scores: Scores, wanted: NDArray[np.bool_], fold: NDArray[np.int64], false_refusals: float) -> Figures:
    refused = np.zeros(len(scores), bool)
    for each in range(FOLDS):
        unseen = fold == each
        threshold = _threshold(scores[~unseen & wanted], scores[~unseen & ~wanted], false_refusals)
        refused[unseen] = scores[unseen] > threshold
    return Figures(
        examples=int(wanted.sum()),
        harmless=int((~wanted).sum()),
        found=int((refused & wanted).sum()),
        refused_in_vain=int((refused & ~wanted).sum()),
    )


def _threshold(examples: Scores, harmless: Scores, false_refusals: float) -> float:
    """Above the highest scores of the harmless but for the share that is wanted, half-way to the next example."""
    least = float(np.sort(harmless)[::-1][int(false_refusals * len(harmless))])
    above = examples[examples > least]
    return (least + float(above.min())) / 2 if len(above) else least


def _dealt(wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which fold each example is in: as many of either kind in each, in an order that is always the same."""
    order = np.random.default_rng(SEED)
    fold = np.zeros(len(wanted), np.int64)
    for kind in (wanted, ~wanted):
        fold[kind] = order.permutation(int(kind.sum())) % FOLDS
    return fold


def _fit(products: Scores, wanted: NDArray[np.bool_]) -> Scores:
    """What each example weighs; both kinds weigh the same together."""
    weight = np.where(wanted, 0.5 / wanted.sum(), 0.5 / (~wanted).sum()) * len(wanted)
    scores = np.zeros(len(wanted))
    solved = scores
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
        curvature = np.maximum(weight * chance * (1 - chance), 1e-6)
        target = scores + weight * (wanted - chance) / curvature
        solved = np.linalg.solve(products + np.diag(SMOOTHING / curvature), target)
        scores = products @ solved
    return solved
