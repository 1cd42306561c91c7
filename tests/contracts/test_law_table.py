"""The table of promises, laws and mutants (tests/laws/README.md) names what exists, and leaves no law out."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.environment import REPOSITORY

TESTS = REPOSITORY / "tests"
PROMISES = ("N0", "N1", "N2", "N3", "R", "I", "A", "G", "L", "P")
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def missing(table: str) -> list[str]:
    """The names in the table that no file defines."""
    return [f"{file}::{name}" for file, name in NAMED.findall(table) if name not in _defined(TESTS / file)]


def _defined(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    return {node.name for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


TABLE = (TESTS / "laws" / "README.md").read_text("utf-8")


def test_every_name_in_the_table_exists() -> None:
    assert len(NAMED.findall(TABLE)) > 50
    assert missing(TABLE) == []


def test_every_promise_and_every_law_is_in_the_table() -> None:
    assert [promise for promise in PROMISES if f"**{promise}**" not in TABLE] == []
    files = {file.removeprefix("laws/") for file, _ in NAMED.findall(TABLE)}
    assert [law.name for law in sorted((TESTS / "laws").glob("test_*.py")) if law.name not in files] == []


@pytest.mark.parametrize("name", ["laws/test_g_redaction.py::test_no_such", "laws/no_such.py::test_it"])
def test_a_name_that_is_gone_is_found(name: str) -> None:
    assert missing(f"| **G** | `{name}` |") == [name]
