"""The verifier of docs/ that shares no code with ours, run here as if from a shell."""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path
from unittest import mock

from tests.support.environment import REPOSITORY

PROGRAM = REPOSITORY / "docs" / "verify_log.py"
_spec = importlib.util.spec_from_file_location("verify_log", PROGRAM)
assert _spec is not None
assert _spec.loader is not None
verify_log = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify_log)


def stand_alone(path: Path, *options: str) -> set[str]:
    """The kinds of what it finds; it fails if there is any."""
    said = io.StringIO()
    with mock.patch.object(sys, "argv", [PROGRAM.name, str(path), *options]), contextlib.redirect_stdout(said):
        try:
            verify_log.main()
        except SystemExit as ended:
            failed = bool(ended.code)
    kinds = {line.partition(":")[0] for line in said.getvalue().splitlines() if not line.startswith("OK")}
    assert failed == bool(kinds)
    return kinds
