"""Benchmarks and tests stand side by side: neither imports the other, so that each can be read and changed alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import REPOSITORY


def imported(source: str) -> Iterator[str]:
    """The packages that a source file imports, at any depth, by statement or by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield ast.unparse(node.args[0]).strip("'\"").split(".")[0]


def offenders(folder: Path, forbidden: str) -> list[str]:
    """The Python files below the folder that import the forbidden package."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*.py"))
        if forbidden in imported(file.read_text("utf-8"))
    ]


@pytest.mark.parametrize(("folder", "forbidden"), [("tests", "benchmarks"), ("benchmarks", "tests")])
def test_neither_imports_the_other(folder: str, forbidden: str) -> None:
    assert offenders(REPOSITORY / folder, forbidden) == []


def test_the_statistics_behind_the_figures_are_right() -> None:
    """In a process of its own: the figures of the docs rest on them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.selfcheck"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "import tests.conftest",
        "def late():\n    from tests.support.library_db import LibraryDb",
        "from tests import laws",
        "import importlib\nimportlib.import_module('tests.support.library_db')",
    ],
)
def test_an_import_is_found_wherever_it_stands(source: str, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file.py").write_text(source)
    assert offenders(tmp_path, "tests") == ["below/file.py"]
    assert offenders(tmp_path, "benchmarks") == []
