"""Rows with text have few doors: no SQL outside of them names their tables, not even as a string."""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOORS = {
    "app/retrieval/dense.py",
    "app/retrieval/lexical.py",
    "app/retrieval/search.py",
    "app/retrieval/browse.py",
    "app/acl/placing.py",
    "app/acl/explain.py",
    "app/db/probe.py",
    "app/db/tables/library.py",
    "ingest/write.py",
    "ingest/pipeline.py",
}
TABLES = r"(?:public\.)?\"?(?:document|original|chunk|vector_row|posting)\"?\b"
# The table behind a word of SQL. `from` and `join` are English too: with them the string must look like SQL otherwise.
TOUCHES = re.compile(
    rf"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?|copy|alter\s+table)\s+(?:only\s+)?{TABLES}(?!['’])"
    rf"|\bselect\b.*\b(?:from|join|,)\s+(?:only\s+)?{TABLES}",
    re.IGNORECASE | re.DOTALL,
)


def strings(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and text of every string that is no docstring; the fixed parts of an f-string count as one."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(v.value) if isinstance(v, ast.Constant) else "chunk" for v in node.values]
            found.append((node.lineno, "".join(parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            found.append((node.lineno, node.value))
    return found


def trespasses(source: str) -> list[int]:
    """The lines whose SQL touches a table with text."""
    return sorted({line for line, words in strings(ast.parse(source)) if TOUCHES.search(words)})


def python_files() -> list[Path]:
    return sorted(p for folder in ("app", "ingest") for p in (REPOSITORY / folder).rglob("*.py"))


def test_sql_over_text_stays_behind_its_doors() -> None:
    found = {
        f"{name}:{line}"
        for path in python_files()
        if (name := path.relative_to(REPOSITORY).as_posix()) not in DOORS
        for line in trespasses(path.read_text("utf-8"))
    }
    assert found == set()


def test_the_doors_are_there() -> None:
    """Every door exists, and the ones with hand-written SQL are seen by the search."""
    assert {d for d in DOORS if not (REPOSITORY / d).is_file()} == set()
    for door in ("app/retrieval/dense.py", "app/retrieval/lexical.py", "app/db/probe.py", "ingest/write.py"):
        assert trespasses((REPOSITORY / door).read_text("utf-8")), door


@pytest.mark.parametrize(
    "line",
    [
        'text("select text from chunk")',
        'session.execute("SELECT * FROM public.document d WHERE true")',
        'text("select 1 from scope s join vector_row v on true")',
        "text('''\n select 1\n from scope,\n posting''')",
        'text("update original set title = :t")',
        'text(f"delete from chunk where id = {n}")',
        'text(f"select count(*) from {table}")',
        'Q = "insert into posting values (1)"',
        'cursor.execute("copy chunk to stdout")',
    ],
)
def test_a_trespass_is_found(line: str) -> None:
    assert trespasses(line)


@pytest.mark.parametrize(
    "line",
    [
        '"""select text from chunk"""',
        'text("select id from scope")',
        'print("quotes from document titles")',
        '"update"',
    ],
)
def test_other_words_are_no_trespass(line: str) -> None:
    assert trespasses(line) == []
