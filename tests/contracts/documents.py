"""What a page of the documentation says of the code, in backticks, and whether it is so.

- `app/paths.py`, `docs/adr/`, `tests/laws/test_*.py`: a path from the root. `scopes.py` lies beside another file that
  the page has named before, or beside the page.
- `normal_path` (`app/paths.py`), or `normal_path` in `app/paths.py`: that file defines it. Every other `name()`,
  `Class`, `Class.method`, `snake_case` or `CONSTANT` is defined in some file that the page has named before.
- `answer()` → `retrieve()`: the body of the first names the second. Where a paragraph ends with "`answer()` calls:",
  so it does with the first name of each item of the list below.
- `make check`, `clearance audit verify --head`, `GET /jobs/{id}`, `python -m tests.laws.run`: there is such a thing.
"""

import ast
import builtins
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.environment import REPOSITORY

CODE = re.compile(r"`([^`\n]+)`")
NAME = r"[A-Za-z_][\w.]*?(?:\(\))?"
DEFINED_IN = re.compile(rf"`({NAME})` (?:\(|in )`([\w./-]+\.\w+)`\)?")
CALLS = re.compile(rf"`({NAME})`\s*→\s*(?=`({NAME})`)")
CALLER = re.compile(rf"`({NAME})`[^`]* calls[^`]*:\s*")
ITEM = re.compile(r"\s*(?:[-*]|\d+\.) ")
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^ ?]*).*")
SOURCES = (".py", ".sql")
TOP = {path.name for path in REPOSITORY.iterdir()}
Definitions = dict[str, ast.AST]


class Page:
    """A page, read from the top; `wrong` has a line for each thing that is not so."""

    def __init__(self, text: str, *, folder: Path = REPOSITORY, with_names: bool) -> None:
        self.wrong: list[str] = []
        self._folder = folder
        self._files: list[Path] = []
        caller = ""
        for block in _blocks(text):
            for code in CODE.findall(block):
                self._look_for(code)
            if with_names:
                caller = caller if ITEM.match(block) else ""
                self._look_at_names(block, caller)
                if match := CALLER.search(DEFINED_IN.sub(r"`\1`", block) + " "):
                    caller = match[1]

    def _look_for(self, code: str) -> None:
        """Paths, which are remembered, and commands and routes."""
        words = code.split()
        if len(words) == 1 and (code.split("/", maxsplit=1)[0] in TOP or code.endswith(SOURCES)):
            if "/" not in code and code not in TOP:
                beside = [folder / code for folder in (self._folder, *(file.parent for file in self._files))]
                found = [path for path in beside if path.is_file()]
            else:
                found = list(REPOSITORY.glob(code.rstrip("/")))
            self._files += found
            self._must(bool(found), f"there is no {code}")
        elif words[0] == "make" and len(words) > 1:
            self._must(f"\n{words[1]}:" in _read("Makefile"), f"no target: {code}")
        elif words[0].endswith("clearance"):
            self._must(_is_command(words[1:]), f"no command or option: {code}")
        elif words[0].endswith("python") and "-m" in words:
            module = words[words.index("-m") + 1].replace(".", "/")
            ours = module.split("/")[0] in TOP
            self._must(
                not ours or any((REPOSITORY / module).with_suffix(s).exists() for s in ("", ".py")),
                f"no module: {code}",
            )
        elif match := ROUTE.fullmatch(code):
            self._must((match[1], _route(match[2])) in _routes(), f"no route: {code}")

    def _look_at_names(self, block: str, caller: str) -> None:
        for name, path in DEFINED_IN.findall(block):
            files = [file for file in self._files if str(file).endswith(f"/{path}")]
            self._must(any(_defines(file, _bare(name)) for file in files), f"{path} does not define {name}")
        plain = DEFINED_IN.sub(r"`\1`", block)
        pairs = CALLS.findall(plain)
        codes = CODE.findall(plain)
        if caller and (first := next((code for code in codes if re.fullmatch(NAME, code)), "")):
            pairs.append((caller, first))
        for outer, inner in pairs:
            bodies = [_definitions(file)[_bare(outer)] for file in self._files if _bare(outer) in _definitions(file)]
            self._must(
                any(_bare(inner).split(".")[-1] in _names_in(body) for body in bodies), f"{outer} does not call {inner}"
            )
        for code in codes:
            if re.fullmatch(NAME, code) and _is_name(code):
                files = [*self._files, *_modules_of(code)]
                self._must(any(_defines(file, _bare(code)) for file in files), f"no file named here defines {code}")

    def _must(self, so: bool, otherwise: str) -> None:
        if not so:
            self.wrong.append(otherwise)


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs and items of lists, without the code that stands by itself."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        if not block.startswith("    ") or ITEM.match(block):
            yield " ".join(block.split())


def _is_name(code: str) -> bool:
    """Whether this must be a name of ours: not a word, a builtin, a setting, a file, or something of a library."""
    first, *rest = code.removesuffix("()").split(".")
    if first in dir(builtins) or first.startswith("CLEARANCE_") or (rest and rest[-1] in {"md", "toml", "py", "sql"}):
        return False
    if rest and first.islower():
        return first in TOP
    return code.endswith("()") or "_" in code or code != code.lower()


def _modules_of(code: str) -> list[Path]:
    """The file that a dotted name begins with, if it does."""
    parts = code.removesuffix("()").split(".")
    files = [REPOSITORY.joinpath(*parts[:count]).with_suffix(".py") for count in range(1, len(parts) + 1)]
    return [file for file in files if file.is_file()]


def _bare(code: str) -> str:
    """A name as its own file knows it."""
    parts = code.removesuffix("()").split(".")
    for file in _modules_of(code):
        parts = parts[len(file.relative_to(REPOSITORY).parts) :]
    return ".".join(parts)


@functools.cache
def _read(path: str) -> str:
    return (REPOSITORY / path).read_text("utf-8")


def _defines(file: Path, name: str) -> bool:
    if file.suffix == ".py":
        return not name or name in _definitions(file)
    return file.is_file() and re.search(rf"\b{re.escape(name)}\b", file.read_text("utf-8")) is not None


@functools.cache
def _definitions(file: Path) -> Definitions:
    """Functions, classes with their members, and what a module assigns."""
    found: Definitions = {}

    def add(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found[prefix + name] = node
                case ast.ClassDef(name=name):
                    found[prefix + name] = node
                    stored = (inner for inner in ast.walk(node) if isinstance(inner, ast.Attribute))
                    found.update(
                        {f"{name}.{inner.attr}": inner for inner in stored if isinstance(inner.ctx, ast.Store)}
                    )
                    add(node.body, f"{name}.")
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found[prefix + name] = node
                case ast.Assign(targets=targets):
                    found.update({prefix + target.id: node for target in targets if isinstance(target, ast.Name)})

    if file.suffix == ".py" and file.is_file():
        add(ast.parse(file.read_text("utf-8")).body, "")
    return found


def _names_in(body: ast.AST) -> set[str]:
    return {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Name | ast.Attribute)
    }


@functools.cache
def _commands() -> dict[str, str]:
    """Each command of the snapshot with its help."""
    blocks = re.split(r"^clearance ", _read("tests/contracts/snapshots/cli.txt"), flags=re.MULTILINE)[1:]
    return {name: text for name, _, text in (block.partition("\n") for block in blocks)}


def _is_command(words: list[str]) -> bool:
    if not words or words[0].startswith("-") or words[0].isupper():
        return True
    name = next(
        (" ".join(words[:count]) for count in range(len(words), 0, -1) if " ".join(words[:count]) in _commands()), ""
    )
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    return bool(name) and all(re.search(rf"{option}\b", _commands()[name]) for option in options)


def _route(path: str) -> str:
    """A path as routes are compared: whatever stands in for a parameter is one asterisk."""
    steps = path.removeprefix("/api/v1").rstrip("/").split("/")
    return "/".join("*" if re.fullmatch(r"\{.*\}|<.*>|[A-Z_]+|…", step) else step for step in steps)


@functools.cache
def _routes() -> set[tuple[str, str]]:
    paths = json.loads(_read("tests/contracts/snapshots/openapi.json"))["paths"]
    return {(verb.upper(), _route(path)) for path, verbs in paths.items() for verb in verbs}
