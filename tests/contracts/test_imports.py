"""Who imports what among tests and benchmarks, which import-linter does not look at."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.environment import REPOSITORY

# What several tests use has a module that says so, and a benchmark can be read and changed without the tests.
FORBIDDEN = {"tests": r"benchmarks\b|tests\.(\w+\.)*(test_\w+|conftest)\b", "benchmarks": r"tests\b"}


def imported(source: str, forbidden: str) -> list[str]:
    """The forbidden dotted names that a source file imports, at any depth, by statement or by name."""

    def names() -> Iterator[str]:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                yield ast.unparse(node.args[0]).strip("'\"")

    return [name for name in names() if re.match(forbidden, name)]


@pytest.mark.parametrize(("folder", "forbidden"), FORBIDDEN.items())
def test_nothing_forbidden_is_imported(folder: str, forbidden: str) -> None:
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    assert len(files) > 20
    assert {str(f): found for f in files if (found := imported(f.read_text("utf-8"), forbidden))} == {}


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("benchmarks", "import tests.conftest"),
        ("benchmarks", "def late():\n    from tests.support.library_db import LibraryDb"),
        ("benchmarks", "from tests import laws"),
        ("benchmarks", "import importlib\nimportlib.import_module('tests.support.library_db')"),
        ("tests", "from benchmarks import figures"),
        ("tests", "def late():\n    from tests.api.test_routes import check"),
        ("tests", "import tests.api.test_routes"),
        ("tests", "from tests.api import test_routes"),
        ("tests", "from tests.api.conftest import serve"),
    ],
)
def test_an_import_is_found_wherever_it_stands(folder: str, source: str) -> None:
    assert len(imported(source, FORBIDDEN[folder])) == 1
    assert imported("from tests.support.waiting import wait_for", FORBIDDEN["tests"]) == []


def test_the_judge_of_the_benchmarks_is_right() -> None:
    """In a process of its own, since tests import no benchmark; the recall figures of the docs rest on it."""
    subprocess.run([sys.executable, "-m", "benchmarks.selfcheck"], cwd=REPOSITORY, check=True)
