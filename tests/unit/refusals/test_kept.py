"""A running service reads the file again, and keeps the old rules where the new ones cannot be used."""

import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.refusals.kept import KeptRules, require_refusals
from app.refusals.yaml_file import RefusalsFileError
from tests.support.refusals import EXAMPLES, kept, written

pytestmark = pytest.mark.slow

RULE = "categories:\n  - {{name: {0}, action: refuse, message: No., phrases: [{0}]}}\n"


def names(rules: KeptRules) -> list[str]:
    return [category.name for category in rules.rules.categories]


def test_a_changed_file_is_taken(tmp_path: Path) -> None:
    rules = kept(tmp_path, RULE.format("red"))
    before = rules.rules
    rules.refresh()
    assert rules.rules is before, "what has not changed is not read again"
    written(tmp_path, RULE.format("green"))
    rules.refresh()
    assert names(rules) == ["green"]
    assert rules.rules.digest != before.digest


@pytest.mark.parametrize("broken", ["categories: []\n", "categories:\n\t- x\n", None])
def test_of_a_file_that_cannot_be_used_the_old_one_stays(tmp_path: Path, broken: str | None) -> None:
    rules = kept(tmp_path, RULE.format("red"))
    if broken is None:
        (tmp_path / "refusals.yaml").unlink()
    else:
        written(tmp_path, broken)
    with capture_logs() as logged:
        rules.refresh()
        rules.refresh()
    assert names(rules) == ["red"]
    said = [line["error"] for line in logged if line["event"] == "refusals.not_read"]
    assert len(said) == 2, "each time, until somebody mends it"
    assert ("cannot be read" if broken is None else "refusals.yaml, line") in said[0]
    written(tmp_path, RULE.format("green"))
    rules.refresh()
    assert names(rules) == ["green"]


def test_it_is_read_again_by_itself(tmp_path: Path) -> None:
    path = written(tmp_path, RULE.format("red"))
    rules = KeptRules(path, seconds=0.02)
    rules.start()
    try:
        written(tmp_path, RULE.format("green"))
        until = time.monotonic() + 10
        while names(rules) != ["green"] and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        rules.close()
    assert names(rules) == ["green"]


def test_at_the_start_a_wrong_file_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, "categories: []\n")
    with pytest.raises(RefusalsFileError, match="line 2"):
        require_refusals(path)
    with pytest.raises(RefusalsFileError, match="line 2"):
        KeptRules(path, seconds=1)
    require_refusals(None)


def test_the_log_says_how_well_examples_do(tmp_path: Path) -> None:
    text = "categories:\n  - name: harbour\n    action: flag\n    examples:\n"
    with capture_logs() as logged:
        rules = kept(tmp_path, text + "".join(f"      - {example}\n" for example in EXAMPLES))
        rules.start()
    rules.close()
    [line] = [line for line in logged if line["event"] == "refusals.category"]
    assert (line["category"], line["used"], line["examples"]) == ("harbour", True, len(EXAMPLES))
    assert line["recall"] > 0.9
    assert {"precision", "false_refusals", "harmless"} <= set(line)
    assert "cranes" not in str(logged)
