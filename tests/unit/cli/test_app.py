"""The tree of commands: what a start imports, what is listed, and that every command that prints data gives JSON."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from inspect import isfunction

import pytest
import typer

from app.cli.app import Commands
from app.cli.lazy import Command, load
from tests.support.http_stub import Request, http_stub, status

HEAVY = {
    "alembic", "app.db", "app.settings", "faiss", "fastapi", "httpcore2._async.http2", "numpy", "onnxruntime", "openai",
    "psycopg", "pydantic", "rich", "sqlalchemy", "structlog", "unstructured", "uvicorn", "yaml",
}  # fmt: skip
# They draw bars, read access files, or run the guardrail's checks, whose lists are files too.
WITH_BARS, MORE = {"demo", "guard", "ingest", "leak-test"}, {"rich", "yaml"}
# They measure and look into the database themselves.
ON_THE_DATABASE = {"codebook", "doctor", "eval"}
# Their result is what they start, show or play.
NO_DATA = {"run", "demo", "witness"}
PROBE = """
import sys
sys.argv = ["clearance", *sys.argv[1:]]
from app.cli.app import main
try:
    main()
finally:
    print("\\n" + "\\n".join(sys.modules), file=sys.stderr)
"""
HIT: dict[str, object] = {
    "collection": "c", "path": "a.md", "label": "public", "page": None, "title": "A", "heading": [], "copies": [],
    "document": "ea3bbabf-880e-495a-aaf8-0a7b0900d844", "snippet": "x", "highlights": [], "before": [], "after": [],
}  # fmt: skip
ANSWERS = {
    "/api/v1/users/me": {"name": "maya", "roles": ["staff"]},
    "/api/v1/search": {"hits": [HIT], "unmatched": []},
    "/api/v1/ask": {"answer": "x", "sources": [], "mode": "quote", "outcome": "nothing", "blocks": [],
                    "trail": "t", "redactions": {}, "fallback": None, "grounding": None, "conversation": None,
                    "searched": None, "conflicts": [], "refusal": None},
}  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A service that answers three requests, for real processes."""

    def answer(handler: Request) -> None:
        body = json.dumps(ANSWERS[handler.path]).encode()
        status(200, body, **{"Content-Length": str(len(body))})(handler)

    with http_stub(answer) as url:
        yield url


def loaded(modules: str) -> set[str]:
    """Which of the heavy ones are among these modules, or have a part there."""
    return {heavy for heavy in HEAVY for name in modules.split() if name == heavy or name.startswith(heavy + ".")}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"], ["--version"], ["people", "--help"], ["people", "me"], ["search", "words"],
        ["ask", "why?", "--no-stream", "--mode", "quote"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_start_loads_nothing_heavy(arguments: list[str], service: str, tmp_path: str) -> None:
    """The whole process, so that what is imported on the way counts too."""
    environ = {**os.environ, "CLEARANCE_URL": service, "CLEARANCE_KEY": "k", "XDG_STATE_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert loaded(ended.stderr) == set()


@pytest.mark.slow
def test_each_command_of_the_service_imports_nothing_heavy() -> None:
    """All modules of the tree, one after another in one process; those of the database last."""
    entries = [(name, entry.target) for name, entry in Commands.entries.items() if name not in ON_THE_DATABASE]
    entries.sort(key=lambda entry: entry[0] in WITH_BARS)
    code = (
        "import sys\nfrom app.cli.lazy import load\n"
        f"for name, target in {entries!r}:\n    load(target, name)\n    print(name, *sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for line in ended.stdout.splitlines():
        name, _, modules = line.partition(" ")
        assert loaded(modules) <= (MORE if name in WITH_BARS else set()), name


def leaves(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    """All commands at and below one, with their names as they are typed."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
    for word, below in (inner or {}).items():
        yield from leaves(f"{name} {word}", below)


@pytest.fixture(scope="module")
def tree() -> dict[str, Command]:
    """Top-level commands and groups, loaded."""
    return {name: load(entry.target, name) for name, entry in Commands.entries.items()}


def test_the_list_of_commands_says_what_their_own_help_says(tree: dict[str, Command]) -> None:
    """The list is shown without importing them, so it could go stale."""
    for name, entry in Commands.entries.items():
        assert (tree[name].help or "").split("\n\n")[0].replace("\n", " ") == entry.summary, name


def test_every_command_of_a_module_is_listed() -> None:
    """One that is neither in the tree nor in a group of its module would be found by nobody."""
    listed = {entry.target for entry in Commands.entries.values()}
    for module in {target.partition(":")[0] for target in listed}:
        members = vars(importlib.import_module(f"app.cli.{module}"))
        groups = [member for member in members.values() if isinstance(member, typer.Typer)]
        in_groups = [command.callback for group in groups for command in group.registered_commands]
        for name, member in members.items():
            is_command = isinstance(member, typer.Typer) or (isfunction(member) and hasattr(member, "__signature__"))
            if is_command and member not in in_groups:
                assert f"{module}:{name}" in listed


def test_every_command_with_a_result_gives_json(tree: dict[str, Command]) -> None:
    """tests/e2e/test_cli_commands.py and test_cli_audit.py run them; here a new one cannot forget the option."""
    for top, command in tree.items():
        for name, leaf in leaves(top, command):
            options = {option for param in leaf.params for option in param.opts}
            assert ("--json" in options) is (name not in NO_DATA), name
