"""`clearance guard train-names` and `learn-words`: what they refuse, and what is written."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.app import app
from app.cli.guard_names import NoNamesModel
from app.guardrail.names import lexicon
from app.guardrail.names.lexicon import Lexicon, words_of
from app.guardrail.names.training import train as training
from app.guardrail.names.training.faker_lists import NameListsMissing


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["guard", *arguments], catch_exceptions=True)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "meta.json").write_text("{}", "utf-8")
    lexicon.write(folder, Lexicon(words_of(("Anna", "Zuri")), words_of(("Müller",))))
    return folder


def test_words_of_documents_are_no_names_from_here_on(model: Path, tmp_path: Path) -> None:
    company = tmp_path / "company"
    company.mkdir()
    for number in range(2):
        (company / f"{number}.md").write_text("Zuri is the zuri period, Anna has a Batch.", "utf-8")
        (company / f"{number}.png").write_bytes(b"\x89 an Anna")
    assert lexicon.read(model).is_only_name("zuri")
    shown = json.loads(run("learn-words", str(model), str(company), "--json").stdout)
    assert shown["documents"] == 2
    read = lexicon.read(model)
    assert {"zuri", "batch"} <= read.ordinary
    assert read.is_only_name("anna")


def test_what_was_learned_before_is_replaced(model: Path, tmp_path: Path) -> None:
    lexicon.write_learnt(model, {"anna"})
    (tmp_path / "a.txt").write_text("nothing", "utf-8")
    assert run("learn-words", str(model), str(tmp_path / "a.txt")).exit_code == 0
    assert lexicon.read(model).is_only_name("anna")


def test_a_folder_without_such_a_model_is_refused(model: Path, tmp_path: Path) -> None:
    (model / "given.txt").unlink()
    for folder in (model, tmp_path / "none"):
        assert isinstance(run("learn-words", str(folder), str(tmp_path)).exception, NoNamesModel)


def test_a_folder_without_text_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in ("empty", "missing"):
        assert isinstance(run("learn-words", str(model), str(tmp_path / path)).exception, NoNamesModel)


def test_no_model_is_overwritten(model: Path) -> None:
    refused = run("train-names", str(model)).exception
    assert isinstance(refused, NoNamesModel)
    assert "is there already" in str(refused)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise NameListsMissing("'faker' is not installed: pip install clearance[names]")

    monkeypatch.setattr(training, "require", lambda base: None)
    monkeypatch.setattr(training, "name_lists", missing)
    refused = run("train-names", str(tmp_path / "new")).exception
    assert isinstance(refused, NoNamesModel)
    assert "clearance[names]" in str(refused)
    assert not (tmp_path / "new").exists()


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("presidio_analyzer")
    refused = run("train-names", str(tmp_path / "new"), "--base", "no_such_model").exception
    assert isinstance(refused, NoNamesModel)
    assert "no_such_model" in str(refused)
