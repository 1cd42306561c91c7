"""What several tests use has a module that says so: no module imports one that holds tests."""

import ast
from pathlib import Path

import pytest

from tests.support.environment import REPOSITORY


def imports_of_tests(file: Path) -> list[str]:
    """The modules called `test_…` or `conftest` that a file imports, by their own name or from their package."""
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tests":
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in names if name.startswith("tests.") and _holds_tests(name)]


def _holds_tests(name: str) -> bool:
    """Whether a dotted name goes through a module of tests or fixtures."""
    return any(part.startswith("test_") or part == "conftest" for part in name.split("."))


def test_nothing_imports_a_module_of_tests() -> None:
    """What is needed twice lies in `tests/support`, or beside its tests where one folder alone needs it."""
    files = [file for folder in ("tests", "benchmarks") for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    assert len(files) > 200
    assert {str(file.relative_to(REPOSITORY)): found for file in files if (found := imports_of_tests(file))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from tests.api.test_routes import ABSENT",
        "def late():\n    from tests.api.test_routes import check",
        "import tests.api.test_routes",
        "from tests.api import test_routes",
        "from tests.api.conftest import serve",
    ],
)
def test_an_import_of_tests_is_found(source: str, tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    file.write_text(source)
    assert len(imports_of_tests(file)) == 1
