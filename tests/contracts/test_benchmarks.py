"""Benchmarks and tests stand side by side: neither imports the other, so that each can be read and changed alone."""

import ast
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


def test_no_test_imports_a_benchmark() -> None:
    assert offenders(REPOSITORY / "tests", "benchmarks") == []


@pytest.mark.parametrize(
    "source",
    [
        "import tests.conftest",
        "def late():\n    from tests.support.library_db import House",
        "from tests import laws",
        "import importlib\nimportlib.import_module('tests.support.library_db')",
    ],
)
def test_an_import_is_found_wherever_it_stands(source: str, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file.py").write_text(source)
    assert offenders(tmp_path, "tests") == ["below/file.py"]
    assert offenders(tmp_path, "benchmarks") == []
