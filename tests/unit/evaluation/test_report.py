"""What is made of rankings: groups, leaks, differences, files."""

import json
from pathlib import Path

import pytest

from app.evaluation import measures
from app.evaluation.answer_measures import Reply
from app.evaluation.datasets import CorpusPage, Dataset, Question
from app.evaluation.question_results import QuestionResult, SystemResult, read_results, write_results
from app.evaluation.report import Evaluation, SystemRankings, evaluate, question_results, save

# Role `few` sees one page of ten, `many` nine; each asks once, `few` twice.
PAGES = tuple(CorpusPage(f"p{n}", f"{n}.md", "few" if n == 0 else "many", b"", "") for n in range(10))
QUESTIONS = (
    Question("q1", "?", "few", {"p0": 1.0}),
    Question("q2", "?", "many", {"p1": 1.0, "p0": 1.0}),
    Question("q3", "?", "few", {"p0": 1.0}),
    Question("nothing for them", "?", "few", {"p5": 1.0}),
)
SMALL = Dataset("small", "beir", PAGES, QUESTIONS)
OURS = SystemRankings("search", (("p0",), ("p2", "p1"), ("p0",)))
OTHER = SystemRankings("dense", ((), ("p1",), ("p0", "p3")))


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "BOOTSTRAP_SAMPLES", 20)


def evaluation(*systems: SystemRankings) -> Evaluation:
    return evaluate(SMALL, question_results(SMALL, systems or (OURS, OTHER)), absent={"bm25s": "not here"})


def test_means_over_everything() -> None:
    found = evaluation()
    assert (found.questions, found.left_out, found.documents) == (3, 1, 10)
    ours = found.everything.means["search"]
    assert ours["recall@1"].mean == pytest.approx(2 / 3)
    assert ours["recall@10"].mean == 1, "what the asker may not read is no answer that is missing"
    assert ours["MRR@10"].mean == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found.absent == {"bm25s": "not here"}


def test_by_role_and_by_what_is_seen() -> None:
    found = evaluation()
    assert [(g.name, g.questions) for g in found.by_role] == [("few", 2), ("many", 1)]
    assert [(g.name, g.questions) for g in found.by_share] == [("up to 20%", 2), ("up to 100%", 1)]
    assert found.by_role[0].means["dense"]["MRR@10"].mean == 0.5
    assert found.by_role[1].means["search"]["MRR@10"].mean == 0.5


def test_differences_are_of_the_same_questions() -> None:
    over = evaluation().over
    assert over.keys() == {"dense"}
    assert over["dense"]["MRR@10"].mean == pytest.approx((1 - 1 / 2 + 0) / 3)


def test_what_the_asker_may_not_read_is_a_leak_wherever_it_stands() -> None:
    found = evaluation()
    assert found.leaks == {"search": (), "dense": (("q3", "p3"),)}
    assert found.leaked == 1
    deep = SystemRankings("search", (("p0",) * 49 + ("p9",), ("p1",), ("canary",)))
    assert evaluation(deep).leaks["search"] == (("q1", "p9"), ("q3", "canary"))
    copies = SystemRankings("search", (("p0",), ("p1",), ("p0",)), (("p0",), ("p0", "p2"), ("p4",)))
    assert evaluation(copies).leaks["search"] == (("q2", "p0"), ("q3", "p4"))


def test_rankings_of_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="answers 1 of 3"):
        question_results(SMALL, [SystemRankings("search", (("p0",),))])


def test_the_product_is_compared_only_where_it_was_measured() -> None:
    assert evaluation(OTHER).over == {}


def test_the_figures_are_kept_as_json_and_each_question_beside_them(tmp_path: Path) -> None:
    """What is read back is what was measured, also the leaks, which have no other place with their question."""
    found = question_results(SMALL, [OURS, OTHER])
    files = save(evaluation(), found, tmp_path / "new")
    assert [f.name for f in files] == ["small.json", "small.questions.jsonl"]
    data = json.loads(files[0].read_text("utf-8"))
    assert data["everything"]["means"]["search"]["recall@1"]["count"] == 3
    assert read_results(files[1]) == found
    assert (found[1].id, found[1].role, found[1].systems["search"].ranking) == ("q2", "many", ("p2", "p1"))
    assert found[2].systems["dense"].leaks == ("p3",)


def test_an_answer_is_read_back_as_it_was(tmp_path: Path) -> None:
    reply = Reply("answered", "Eight. [1]", ("Eight.",), ("p0",), ("p0", "p1"), 0.5, None, {"kept": 1})
    found = [QuestionResult("q", "?", "few", {}, {"quote": SystemResult(("p0",), {"refused": 0.0}, (), reply)}, "x")]
    write_results(found, tmp_path / "x")
    assert read_results(tmp_path / "x") == found


def test_a_long_ranking_is_kept_in_part_and_measured_in_whole(tmp_path: Path) -> None:
    long = SystemRankings("search", (tuple(f"p{n}" for n in range(1, 10)) * 3 + ("p0",), ("p1",), ("p0",)))
    first = question_results(SMALL, [long])[0].systems["search"]
    assert len(first.ranking) <= 20
    assert first.measures["MRR@10"] == 0.1
