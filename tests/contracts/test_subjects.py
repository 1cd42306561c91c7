"""A Subject says what its bearer may read, so that only `app.identity` makes one."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.environment import REPOSITORY

NAME = "Subject"


def made(source: str) -> Iterator[int]:
    """The lines that call the class, by whatever name it is imported; `dataclasses.replace` makes one as well."""
    tree = ast.parse(source)
    imports = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    names = {NAME} | {alias.asname for alias in imports if alias.name == NAME and alias.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "id", getattr(called, "attr", ""))
            first = node.args[0] if node.args else None
            copied = name == "replace" and isinstance(first, ast.Name) and first.id in {"subject", "caller", "reader"}
            if name in names or copied:
                yield node.lineno


def test_subjects_are_made_in_identity_alone() -> None:
    files = [path for top in ("app", "ingest") for path in (REPOSITORY / top).rglob("*.py")]
    found = {path.relative_to(REPOSITORY).as_posix() for path in files if list(made(path.read_text("utf-8")))}
    assert found == {"app/identity/authenticate.py", "app/identity/past.py"}


@pytest.mark.parametrize(
    "line",
    [
        "from app.identity.subject import Subject\nSubject(1)",
        "from app.identity.subject import Subject as S\nS(1)",
        "from app.identity import subject as who\nwho.Subject(1)",
        "from dataclasses import replace\nreplace(subject, roles=all_roles)",
        "import dataclasses\ndataclasses.replace(subject, clearance=top)",
    ],
)
def test_another_maker_is_found(line: str) -> None:
    assert list(made(line))
    assert not list(made("from app.identity.authenticate import identify\nidentify(session, secret)"))
