"""`clearance eval`: its exit status, its tables, and what it refuses before it starts anything."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import evaluate as module
from app.cli.app import app
from app.cli.evaluate import CannotEvaluate
from app.evaluation import measures
from app.evaluation.datasets import Dataset
from app.evaluation.report import Evaluation, SystemRankings, evaluate


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
    """Stand in for the service: these documents for the two questions."""

    def measure(_home: Path, wanted: Dataset, _scratch: Path) -> Evaluation:
        return evaluate(
            wanted, [SystemRankings("search", found), SystemRankings("dense", found)], absent={"bm25s": "not installed"}
        )

    monkeypatch.setattr(module, "measure", measure)
    monkeypatch.setattr(measures, "BOOTSTRAP_SAMPLES", 20)


def test_figures_and_files(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    done = CliRunner().invoke(app, ["eval", str(dataset), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "1.000 1.00–1.00" in done.output
    assert "not installed" in done.output, "a baseline that is missing is said to be so"
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["shops.json"]


def test_a_leak_is_shown_and_fails(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ("p1", "p2"), ("p2",))
    done = CliRunner().invoke(app, ["eval", str(dataset), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "2 times something was found that its asker may not read" in done.output
    assert "search: question q1 gave p2" in done.output


@pytest.mark.parametrize(("kept", "says"), [("other corpus", "another corpus"), ("something else", "something else")])
def test_a_kept_folder_of_another_corpus_is_refused(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, says: str
) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    home = tmp_path / "home"
    home.mkdir()
    (home / ("dataset.sha256" if kept == "other corpus" else "letters.txt")).write_text("x")
    done = CliRunner().invoke(app, ["eval", str(dataset), "--keep", str(home)])
    assert isinstance(done.exception, CannotEvaluate)
    assert says in str(done.exception)


def test_the_same_corpus_may_be_kept_and_used_again(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, ("p1",), ("p2",))
    for _ in range(2):
        command = ["eval", str(dataset), "--keep", str(tmp_path / "home"), "--out", str(tmp_path / "out")]
        assert CliRunner().invoke(app, command).exit_code == 0
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_what_is_no_dataset(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["eval", str(tmp_path)])
    assert isinstance(done.exception, CannotEvaluate)
    assert "expected a folder with" in str(done.exception)
