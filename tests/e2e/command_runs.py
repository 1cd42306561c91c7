"""Commands of `clearance`, run in this process against the sample company."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from app.cli.app import main
from tests.e2e.sample_site import SampleSite


class Result(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Result]


def runner(
    sample: SampleSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Runs `clearance …` in this process, on a screen of 80 columns."""
    for name in [name for name in os.environ if name.startswith("CLEARANCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def command(*arguments: str, who: str | None = None) -> Result:
        more = ["--home", str(sample.home), *(["--as", who] if who else [])]
        # These need no instance.
        alone = arguments[1:2] in {("verify",), ("keygen",)}
        monkeypatch.setattr("sys.argv", ["clearance", *arguments, *([] if alone else more)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return command
