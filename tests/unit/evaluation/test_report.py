"""What is made of rankings: groups, leaks, differences, files."""

import json
from pathlib import Path

import pytest

from app.evaluation import measures
from app.evaluation.datasets import CorpusPage, Dataset, Question
from app.evaluation.report import Evaluation, SystemRankings, evaluate, save

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


def evaluation() -> Evaluation:
    return evaluate(SMALL, [OURS, OTHER], absent={"bm25s": "not here"})


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
    assert evaluate(SMALL, [deep], absent={}).leaks["search"] == (("q1", "p9"), ("q3", "canary"))
    copies = SystemRankings("search", (("p0",), ("p1",), ("p0",)), (("p0",), ("p0", "p2"), ("p4",)))
    assert evaluate(SMALL, [copies], absent={}).leaks["search"] == (("q2", "p0"), ("q3", "p4"))


def test_rankings_of_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="answers 1 of 3"):
        evaluate(SMALL, [SystemRankings("search", (("p0",),))], absent={})


def test_the_figures_are_kept_as_json(tmp_path: Path) -> None:
    file = save(evaluation(), tmp_path / "new")
    assert file == tmp_path / "new" / "small.json"
    data = json.loads(file.read_text("utf-8"))
    assert data["everything"]["means"]["search"]["recall@1"]["count"] == 3
