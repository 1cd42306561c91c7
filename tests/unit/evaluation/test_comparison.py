"""Two runs on the same questions: paired differences, counts, and the worst first."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.evaluation import measures
from app.evaluation.comparison import NotComparable, compare
from app.evaluation.question_results import QuestionResult, SystemResult, UnreadableResults, read_results


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "BOOTSTRAP_SAMPLES", 50)


BEFORE = ({"page cited": 0.0, "whole form": 1.0}, {"page cited": 1.0, "whole form": 1.0}, {"refused": 1.0})
AFTER = ({"page cited": 1.0, "whole form": 0.0}, {"page cited": 1.0}, {"section shown": 1.0})


def result(number: int, **values: float) -> QuestionResult:
    systems = {name: SystemResult((), {"hit": value, "MRR": value / 2}) for name, value in values.items()}
    return QuestionResult(f"q{number}", "?", "all", {"p": 1.0}, systems)


def test_the_difference_is_that_of_the_shared_questions() -> None:
    before = [result(n, search=value) for n, value in enumerate((1.0, 0.0, 1.0, 0.5))]
    after = [result(n, search=value) for n, value in enumerate((1.0, 1.0, 0.0, 1.0, 1.0))][1:]
    found = compare(before, after, worst=5)
    assert (found.questions, found.only_before, found.only_after) == (3, 1, 1)
    change = found.changes["search"]["hit"]
    assert [change.before.mean, change.after.mean] == pytest.approx([0.5, 2 / 3])
    assert change.difference.mean == pytest.approx(0.5 / 3)
    assert change.difference.low < 0 < change.difference.high
    assert (change.better, change.worse) == (2, 1)


def test_the_interval_is_paired() -> None:
    """Each question gains the same: nothing is uncertain, however far the questions lie apart."""
    before = [result(n, search=n / 10) for n in range(9)]
    after = [result(n, search=n / 10 + 0.1) for n in range(9)]
    found = compare(before, after, worst=5).changes["search"]["hit"].difference
    assert [found.low, found.high] == pytest.approx([0.1, 0.1])


def test_the_worst_come_first_and_no_more_than_wanted() -> None:
    before = [result(n, search=1.0) for n in range(4)]
    after = [result(n, search=value) for n, value in enumerate((0.8, 0.0, 1.0, 0.5))]
    found = compare(before, after, worst=2).worst["search"]
    assert [(r.after.id, r.loss) for r in found] == [("q1", 1.5), ("q3", 0.75)]
    assert compare(before, after, worst=0).worst == {"search": ()}


def test_systems_of_one_run_alone_are_left_out() -> None:
    before, after = [result(1, dense=1, search=1)], [result(1, search=1, lexical=1)]
    assert list(compare(before, after, worst=1).changes) == ["search"]


def test_a_measure_counts_where_both_runs_have_it() -> None:
    """A question that was refused has no form, and an answer of one mode alone has no counterpart."""
    before = [QuestionResult(f"q{n}", "?", "all", {}, {"quote": SystemResult((), m)}) for n, m in enumerate(BEFORE)]
    after = [QuestionResult(f"q{n}", "?", "all", {}, {"quote": SystemResult((), m)}) for n, m in enumerate(AFTER)]
    changes = compare(before, [*after, result(9, search=1)], worst=1).changes
    assert list(changes) == ["quote"]
    assert {name: (c.before.count, c.better, c.worse) for name, c in changes["quote"].items()} == {
        "page cited": (2, 1, 0), "whole form": (1, 0, 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (result(2, search=1), "no question in common"),
        (result(1, dense=1), "no system in common"),
        (replace(result(1, search=1), question="Who?"), "1 questions have other words.*'q1' for one"),
        (replace(result(1, search=1), role="hr"), "another asker"),
        (replace(result(1, search=1), gold={"other": 1.0}), "other answers"),
    ],
)
def test_runs_of_different_tasks_are_not_compared(after: QuestionResult, says: str) -> None:
    with pytest.raises(NotComparable, match=says):
        compare([result(1, search=1)], [after], worst=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "cannot read .*No such file"), ("", "has no results"), ("{}\n", "line 1 of .* is no result"),
     ("{", "line 1 of .*is no result"), ("[]", "is no result")],
)  # fmt: skip
def test_a_file_that_holds_no_results(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "x").write_text(text)
    with pytest.raises(UnreadableResults, match=says):
        read_results(tmp_path / "x")
