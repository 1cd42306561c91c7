"""`--json`: one JSON value on standard output for each command of the service, run as a person would."""

import json
from typing import Any

import pytest

from app.cli.app import main
from tests.e2e.sample_site import SampleSite

COMMANDS = [
    ("ada", "people", "list"), ("maya", "people", "me"), ("ada", "roles", "list"), ("ada", "keys", "list"),
    ("maya", "collections", "list"), ("maya", "documents", "list"), ("maya", "documents", "show", "1"),
    ("wren", "jobs", "list"), ("maya", "conversations", "list"), ("maya", "delegations", "list"),
    ("ada", "grants", "plans"), ("ada", "grants", "show", "handbook"), ("ada", "grants", "folders", "handbook"),
    ("ada", "what-can-see", "--user", "maya"), ("maya", "explain", "1"), ("oskar", "audit", "head"),
    ("oskar", "audit", "events"), ("maya", "search", "holidays"), ("maya", "ask", "How many holidays?"),
]  # fmt: skip


def test_each_prints_one_json_value(
    sample: SampleSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("CLEARANCE_URL", "CLEARANCE_KEY"):
        monkeypatch.delenv(name, raising=False)
    for who, *arguments in [("maya", "search", "holidays"), *COMMANDS]:
        monkeypatch.setattr("sys.argv", ["clearance", *arguments, "--json", "--home", str(sample.home), "--as", who])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert not ended.value.code, (arguments, shown.err)
        assert isinstance(json.loads(shown.out), list | dict), arguments
