"""What judges in benchmarks, against examples worked out by hand: `python -m benchmarks.selfcheck`."""

import numpy as np

from benchmarks.guardrail_quality.disguises import DISGUISES
from benchmarks.guardrail_quality.encodings import ENCODINGS
from benchmarks.guardrail_quality.layouts import LAYOUTS
from benchmarks.guardrail_quality.masks import Span, aligned, covered, found, left
from benchmarks.guardrail_quality.readback import readable
from benchmarks.guardrail_quality.values import VALUES
from benchmarks.search.cases import Caller, Case, Judged, truth_of
from benchmarks.search.vectors import Vectors


def check_judge() -> None:
    """Six vectors, of which the caller sees all but the best: ties are no mistakes, hidden rows are no hits."""
    angles = np.array([0.0, 0.1, 0.1, 0.2, 0.3, 1.0])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    scopes = np.array([1, 0, 0, 0, 2, 2], np.int32)
    vectors = Vectors(rows, scopes, np.ones(3, np.bool_), np.array([[1, 0]], np.float32))
    case = Case("tiny", Caller(0, (0, 2)), 0, 5)
    truth = truth_of(vectors, case, rows @ vectors.questions[0], 10)
    assert truth.best.tolist() == [1, 2, 3, 4, 5]
    for answer, k, judged in (
        ([2], 1, Judged(1.0, 0, 0)),
        ([3], 1, Judged(0.0, 0, 0)),
        ([0, 1, 2], 3, Judged(2 / 3, 1, 0)),
        ([1, 1, 2], 3, Judged(2 / 3, 0, 1)),
        ([1, 2, 3, 4, 5], 10, Judged(1.0, 0, 0)),
    ):
        assert truth.judge(vectors, case, answer, k) == judged, answer


def check_readback() -> None:
    """A disguised value can be read back where nothing is masked, and not where all of it is."""
    for way, disguise in (DISGUISES | LAYOUTS | ENCODINGS).items():
        for planted in VALUES:
            disguised = disguise(planted.value)
            text = f"It is {disguised} today."
            assert readable(planted.value, disguised, text), (way, planted)
            assert way in ENCODINGS or readable(planted.value, planted.value, text), (way, planted)
            masked = left(text, [Span(6, 6 + len(disguised))])
            assert not readable(planted.value, disguised, masked), (way, planted)
    for rest, answer in (("1234", False), ("x1-23 45", True), ("123\x0045678", True), ("123\x004567", False)):
        assert readable("12 34 56 78", "12 34 56 78", rest) is answer, rest


def check_masks() -> None:
    """Masks are where placeholders are; a span is found if half of it is masked."""
    masks = aligned("ab 12 cd 345", "ab [redacted: ip] cd [redacted: card]")
    assert masks == [Span(3, 5, "ip"), Span(9, 12, "card")]
    assert aligned("12", "[redacted: ip]") == [Span(0, 2, "ip")]
    assert aligned("ab", "ab") == []
    assert [covered(Span(4, 11), masks), found(Span(4, 6), masks), found(Span(5, 11), masks)] == [3, True, False]
    assert left("ab 12 cd", [Span(3, 5)]) == "ab \0 cd"


if __name__ == "__main__":
    check_judge()
    check_readback()
    check_masks()
    print("The judges are right.")
