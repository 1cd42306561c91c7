"""Names in `app` and `ingest`: one class a name, and bounds that say `MAX_` or `MIN_`."""

import ast
import functools
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNUSUAL_BOUNDS = ("MOST_", "LEAST_", "LONGEST_", "LARGEST_", "FEWEST_")


@functools.cache
def modules() -> dict[str, ast.Module]:
    """The syntax trees by path."""
    files = [file for folder in ("app", "ingest") for file in sorted((ROOT / folder).rglob("*.py"))]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text("utf-8")) for file in files}


def classes_with_one_name(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """The files of each class name that more than one class has, unless one of them is a table."""
    places = defaultdict(list)
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    return {
        name: paths
        for name, paths in places.items()
        if len(paths) > 1 and not any(path.startswith("app/db/tables/") for path in paths)
    }


def unusual_bounds(trees: dict[str, ast.Module]) -> list[str]:
    """Names that begin with a superlative where others write MAX_ or MIN_."""
    return [
        f"{path}:{node.lineno} {node.id}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id.lstrip("_").startswith(UNUSUAL_BOUNDS)
    ]


def test_no_two_classes_have_one_name() -> None:
    assert classes_with_one_name(modules()) == {}


def test_bounds_are_max_and_min() -> None:
    assert unusual_bounds(modules()) == []


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ({"app/b.py": "class Hit: ..."}, {"Hit": ["app/a.py", "app/b.py"]}),
        ({"app/db/tables/b.py": "class Hit: ..."}, {}),
        ({"app/b.py": "class Miss: ..."}, {}),
    ],
)
def test_a_second_class_is_found(others: dict[str, str], found: dict[str, list[str]]) -> None:
    sources = {"app/a.py": "class Hit: ...", **others}
    assert classes_with_one_name({path: ast.parse(source) for path, source in sources.items()}) == found


def test_a_superlative_is_found() -> None:
    assert unusual_bounds({"app/a.py": ast.parse("_MOST_ROWS = 5")}) == ["app/a.py:1 _MOST_ROWS"]
