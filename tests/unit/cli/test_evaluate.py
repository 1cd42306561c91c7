"""`clearance eval`: its options, exit status and tables, and what it refuses before it starts anything."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import evaluate as module
from app.cli.app import app
from app.cli.evaluate import Wanted
from app.evaluation import baselines, measures
from app.evaluation.answer_measures import Reply
from app.evaluation.answer_questions import AskedQuestion, answer_questions
from app.evaluation.answer_report import answer_result
from app.evaluation.datasets import Dataset
from app.evaluation.question_results import QuestionResult
from app.evaluation.report import SystemRankings


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two sites, a question in each."""
    folder = tmp_path / "shops"
    (folder / "dev").mkdir(parents=True)
    rows = [{"id": f"p{n}", "title": f"shop{n}.com", "text": "We sell."} for n in (1, 2)]
    asked = [{"id": f"q{n}", "query": "sell?", "site": f"shop{n}.com", "docs": [f"p{n}"]} for n in (1, 2)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "dev" / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    return folder


def answers(monkeypatch: pytest.MonkeyPatch, *found: tuple[str, ...]) -> None:
    """Stand in for the service: these documents for the two questions, by each system that is wanted."""

    def measure(_home: Path, asked: Dataset, _scratch: Path, wanted: Wanted) -> Found:
        by_id = dict(zip(("q1", "q2"), found, strict=True))
        rankings = tuple(by_id[q.id] for q in asked.answerable().questions)
        systems = [SystemRankings(name, rankings) for name in wanted.systems if name != baselines.NAME]
        replies = {
            mode: [answered(asked, each, mode, by_id) for each in answer_questions(asked)] for mode in wanted.modes
        }
        return systems, replies

    def answered(asked: Dataset, each: AskedQuestion, mode: str, by_id: dict[str, tuple[str, ...]]) -> QuestionResult:
        said = "nothing" if each.refusable else "quoted"
        documents = () if each.refusable else by_id[each.question.id]
        reply = Reply(said, "We sell: [1]", ("We sell:",), documents, documents)
        return answer_result(each, mode, reply, asked.readable(each.question.role))

    monkeypatch.setattr(module, "measure", measure)
    monkeypatch.setattr(measures, "BOOTSTRAP_SAMPLES", 20)
    monkeypatch.setattr(baselines, "installed", lambda: False)


Found = tuple[list[SystemRankings], dict[str, list[QuestionResult]]]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def test_figures_and_files(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    done = run(dataset, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "1.000 1.00–1.00" in done.output
    assert "not installed" in done.output, "a baseline that is missing is said to be so"
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["shops.json", "shops.questions.jsonl"]


def test_a_leak_is_shown_and_fails(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own status, also where a bound is missed: a leak is worse."""
    answers(monkeypatch, ("p2", "p1"), ("p2",))
    done = run(dataset, "--out", tmp_path / "out", "--legs", "search", "--fail-under", "recall@1=1")
    assert done.exit_code == 1
    assert "1 times something was found that its asker may not read" in done.output
    assert "search: question q1 gave p2" in done.output


@pytest.mark.parametrize(("bound", "status"), [("recall@1=.5", 0), ("recall@1=.51", 3), ("MRR@10=.75", 0)])
def test_a_mean_below_its_bound_has_a_status_of_its_own(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, status: int
) -> None:
    """The files are written all the same: they say where it fails."""
    answers(monkeypatch, ("p1",), ("p1", "p2")[1:] if status == 0 and "MRR" in bound else ())
    done = run(dataset, "--out", tmp_path / "out", "--fail-under", bound, "--fail-under", "recall@20=0")
    assert done.exit_code == status, done.output
    assert ("recall@1 is 0.500, below 0.51" in done.output) == (status == 3)
    assert (tmp_path / "out" / "shops.json").exists()


def test_only_the_legs_that_are_wanted(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    done = run(dataset, "--out", tmp_path / "out", "--legs", "lexical, search", "--json")
    means = json.loads(done.stdout)["everything"]["means"]
    assert list(means) == ["search", "lexical"]


def test_a_limit_and_a_split_are_said(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    done = run(dataset, "--out", tmp_path / "out", "--limit", "1", "--split", "dev", "--json")
    figures = json.loads(done.stdout)
    assert (figures["questions"], figures["sampled_from"], figures["split"]) == (1, 2, "dev")
    assert "1 of 2 questions (dev)" in done.stderr


def test_a_run_is_compared_with_an_earlier_one(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured now, or from the files of two runs without measuring again: both say the same."""
    answers(monkeypatch, ("p1",), ("p2",))
    run(dataset, "--out", tmp_path / "before", "--legs", "search")
    answers(monkeypatch, ("p1",), ())
    before = tmp_path / "before" / "shops.questions.jsonl"
    measured = run(dataset, "--out", tmp_path / "after", "--legs", "search", "--against", before)
    assert measured.exit_code == 0, measured.output
    assert "recall@10\t1.000\t0.500\t-0.500 -1.00 +0.00\t0\t1" in measured.output
    assert "sell?\trank 1\tnot among 0" in measured.output
    read = run(tmp_path / "after" / "shops.questions.jsonl", "--against", before, "--json")
    assert json.loads(read.stdout)["changes"]["search"]["recall@10"]["worse"] == 1
    assert not any(f.name == "evaluation" for f in tmp_path.iterdir())


def test_answers_are_measured_by_group_beside_search_or_alone(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each site's question is asked by the other site too, which should be refused; a bound may name these measures."""
    answers(monkeypatch, ("p1",), ())
    done = run(dataset, "--out", tmp_path / "out", "--legs", "none", "--answers", "quote", "--fail-under", "refused=1")
    assert done.exit_code == 0, done.output
    ended = done.output[done.output.index("asked by") :].splitlines()
    assert ended[:3] == [
        "asked by\tquestions\tquoted\tnothing", "right role\t2\t1.000\t0.000", "a wrong role\t2\t0.000\t1.000",
    ]  # fmt: skip
    assert "right role, answers with a broken form: colon 2" in done.output
    assert "recall" not in done.output
    done = run(
        dataset, "--out", tmp_path / "both", "--legs", "search", "--answers", "quote", "--fail-under", "page cited=.6"
    )
    assert done.exit_code == 3
    assert "page cited is 0.500, below 0.6" in done.output
    lines = [json.loads(line) for line in (tmp_path / "both" / "shops.questions.jsonl").read_text().splitlines()]
    assert [(line["id"], line["group"], list(line["systems"])) for line in lines] == [
        ("q1", "right role", ["search", "quote"]),
        ("q2", "right role", ["search", "quote"]),
        ("q1 as shop2.com", "a wrong role", ["quote"]),
        ("q2 as shop1.com", "a wrong role", ["quote"]),
    ]


def test_answers_of_two_runs_stand_side_by_side(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    run(dataset, "--out", tmp_path / "before", "--legs", "none", "--answers", "quote")
    answers(monkeypatch, ("p1",), ())
    before = tmp_path / "before" / "shops.questions.jsonl"
    done = run(dataset, "--out", tmp_path / "after", "--legs", "none", "--answers", "quote", "--against", before)
    assert "quote\tpage cited\t1.000\t0.500\t-0.500" in done.output
    assert "sell?\tquoted: We sell: [1]\tquoted: We sell: [1]" in done.output


def test_a_source_that_its_asker_may_not_read_is_a_leak(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, ("p1", "p2"), ("p2",))
    done = run(dataset, "--out", tmp_path / "out", "--legs", "none", "--answers", "quote")
    assert done.exit_code == 1
    assert "quote: question q1 gave p2" in done.output


@pytest.mark.parametrize(("kept", "says"), [("other corpus", "another corpus"), ("something else", "something else")])
def test_a_kept_folder_of_another_corpus_is_refused(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, says: str
) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    home = tmp_path / "home"
    home.mkdir()
    (home / ("dataset.sha256" if kept == "other corpus" else "letters.txt")).write_text("x")
    done = run(dataset, "--keep", home)
    assert (done.exit_code, says in done.stderr) == (2, True)


def test_the_same_corpus_may_be_kept_and_used_again(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    for _ in range(2):
        assert run(dataset, "--keep", tmp_path / "home", "--out", tmp_path / "out").exit_code == 0
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["EMPTY"], "expected a folder with"),
        (["DATA", "--split", "test"], "it has no split 'test': it has dev"),
        (["DATA", "--legs", "serach"], "'serach' is none of search, dense, exact, lexical, bm25s, none"),
        (["DATA", "--answers", "quotes"], "'quotes' is none of quote, generate"),
        (["DATA", "--legs", "none"], "nothing is measured: name --legs or --answers"),
        (["DATA", "--fail-under", "refused=.9"], "names no measure of this run"),
        (["DATA", "--legs", "bm25s"], "bm25s is not installed: pip install bm25s"),
        (["DATA", "--fail-under", "recall=.9"], "names no measure of this run"),
        (["DATA", "--legs", "dense", "--fail-under", "recall@1=.9"], "names no measure of this run"),
        (["DATA", "--against", "nothing.questions.jsonl"], "cannot read nothing.questions.jsonl"),
        (["DATA", "--limit", "0"], "greater than or equal to 1"),
        (["DATA", "--questions-from", "EMPTY"], "expected a folder with"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_starts(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    """With the status of options that cannot be understood, and nothing is written."""
    answers(monkeypatch)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    places = {"EMPTY": str(tmp_path / "empty"), "DATA": str(dataset)}
    done = run(*(places.get(argument, argument) for argument in arguments))
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert not (tmp_path / "evaluation").exists()


def test_errors_have_the_shape_of_all_commands(tmp_path: Path) -> None:
    error = json.loads(run(tmp_path, "--json").stderr)
    assert (error["code"], error["hint"]) == ("CannotEvaluate", "")
    assert "is no dataset" in error["message"]
