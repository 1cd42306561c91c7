"""`clearance guard refusals`: what a file finds, what becomes of a question, and where an error stands."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.app import app
from app.cli.guard_refusals import UnusableRefusals
from app.refusals.load import HARMLESS
from tests.support.refusals import EXAMPLES, Guard, llama, standing, written

RULES = """categories:
  - name: safes
    action: refuse
    message: Not here.
    phrases: [the green safe]
  - name: harbour
    action: flag
    examples:
"""
KEY = "AKIA" + "Z7QX4MPLW2RT6VNB"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["guard", "refusals", *arguments], catch_exceptions=True)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(written(tmp_path, RULES + "".join(f"      - {example}\n" for example in EXAMPLES)))


def test_a_table_has_the_figures_of_each_category(file: str) -> None:
    [safes, harbour] = json.loads(run(file, "--json").stdout)["categories"]
    assert (safes["phrases"], safes["recall"], harbour["examples"], harbour["used"]) == (1, None, len(EXAMPLES), True)
    assert harbour["recall"] > 0.9
    assert f"\t{harbour['recall']:.3f}\t" in run(file).stdout


def test_examples_that_are_of_no_use_are_said(tmp_path: Path) -> None:
    """They are like any question: nothing tells them apart."""
    lines = [line for line in HARMLESS.read_text("utf-8").splitlines() if line and line[0] != "#" and ":" not in line]
    noise = lines[::12][:24]
    text = "categories:\n  - name: noise\n    action: flag\n    examples:\n"
    result = run(str(written(tmp_path, text + "".join(f"      - {each}\n" for each in noise))))
    assert "only its rules are used" in result.output


def test_a_question_is_tried(file: str) -> None:
    tried = json.loads(run(file, "--ask", f"Where is the green safe of the harbour? {KEY}", "--json").stdout)
    assert (tried["answered"], tried["message"]) == (False, "Not here.")
    assert tried["found"] == [{"category": "safes", "action": "refuse", "rule": "phrase 1"}]
    assert "It would be answered." in run(file, "--ask", "How do I file a report?").output


def test_models_are_asked_only_if_that_is_said(tmp_path: Path) -> None:
    with standing(Guard(llama("unsafe"))) as guard:
        text = f"""models: [{{name: guard, form: llama-guard, url: "{guard.url}/v1", model: tiny, seconds: 20}}]
categories: [{{name: a, action: refuse, message: No., models: [{{name: guard}}]}}]
"""
        file = str(written(tmp_path, text))
        assert json.loads(run(file, "--ask", "red", "--json").stdout)["answered"]
        assert guard.asked == []
        tried = json.loads(run(file, "--ask", f"red {KEY}", "--models", "--json").stdout)
    assert (tried["answered"], tried["models"]) == (False, [{"model": "guard", "said": "unsafe"}])
    assert KEY not in guard.texts[0]


def test_a_wrong_file_is_an_error_with_its_line(tmp_path: Path) -> None:
    result = run(str(written(tmp_path, "categories: []\n")))
    assert isinstance(result.exception, UnusableRefusals)
    assert "refusals.yaml, line 2: `categories` is empty" in str(result.exception)
