"""`clearance eval` from files to figures: a service of its own, the real worker, search as the people who ask."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environment import REPOSITORY


def handbook(folder: Path) -> None:
    pages = {
        "pay.md": ("people", "# Pay\n\n## When is payday?\nSalaries arrive on the last Friday.\n"),
        "gate.md": ("security", "# Gate\n\nSalaries of guards arrive on Mondays. Badges are green.\n"),
        "lunch.md": ("all-staff", "# Lunch\n\nSoup is served at noon in the canteen.\n"),
    }
    questions = [
        {"id": "1", "query": "When is payday?", "role": "people", "docs": ["pay.md"]},
        {"id": "2", "query": "on which day do salaries arrive", "role": "security", "docs": ["gate.md"]},
        {"id": "3", "query": "soup at noon", "role": "people", "docs": ["lunch.md"]},
        {"id": "4", "query": "soup at noon", "role": "security", "docs": ["pay.md"]},
    ]
    (folder / "dev").mkdir(parents=True)
    (folder / "docs").mkdir()
    for name, (_, text) in pages.items():
        (folder / "docs" / name).write_text(text)
    listed = [{"id": name, "path": name, "title": name, "role": role} for name, (role, _) in pages.items()]
    (folder / "docs.jsonl").write_text("\n".join(map(json.dumps, listed)))
    (folder / "dev" / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)))


def test_a_small_handbook(tmp_path: Path) -> None:
    handbook(tmp_path / "small")
    # A database that is named must not be touched: the service has one of its own.
    elsewhere = {"CLEARANCE_DATABASE__APP_URL": "postgresql+psycopg://nobody:x@127.0.0.1:1/none"}
    environ = {**os.environ, **elsewhere, "PYTHONPATH": str(REPOSITORY), "CLEARANCE_EMBEDDER__KIND": "hashed"}
    command = [sys.executable, "-m", "app.cli", "eval", "small", "--keep", "kept", "--answers", "quote"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    data = json.loads((tmp_path / "evaluation" / "small.json").read_text("utf-8"))
    assert (data["documents"], data["questions"], data["left_out"]) == (3, 3, 1)
    means = data["everything"]["means"]
    assert {"search", "dense", "exact", "lexical"} <= set(means)
    # Words alone find all but the question whose words stand in a heading that was taken out.
    assert means["lexical"]["recall@10"]["mean"] == pytest.approx(2 / 3)
    assert means["search"]["recall@10"]["mean"] == 1, "each asker sees two documents"
    assert means["exact"] == means["dense"]
    assert not any(data["leaks"].values())
    assert "Nothing was found that its asker may not read." in done.stdout
    assert "search: 3 of 3" in done.stderr, "a log sees how far it is"
    lines = map(json.loads, (tmp_path / "evaluation" / "small.questions.jsonl").read_text("utf-8").splitlines())
    questions = {line["id"]: line for line in lines}
    assert list(questions)[:3] == ["1", "2", "3"]
    groups = {group["name"]: group for group in data["answers"]["quote"]}
    assert {name: group["questions"] for name, group in groups.items()} == {
        "right role": 3, "a wrong role": 3, "off topic": 4, "nonsense": 4,
    }  # fmt: skip
    assert groups["right role"]["means"]["page cited"]["mean"] >= 2 / 3
    reply = questions["3"]["systems"]["quote"]["reply"]
    assert (reply["outcome"], reply["cited"]) == ("quoted", ["lunch.md"])
    assert "Soup is served at noon in the canteen." in reply["text"]
