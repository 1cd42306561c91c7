"""Finds in a source file how it reaches tables with document text or derived text: by SQL in a string, or by a model.

Text alone, nothing imported: what a file could do, not what a test happens to make it do.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from app.db.rls_probe import PROBED_TABLES
from app.db.tables import Base
from tests.support.environment import REPOSITORY

# The tables under row-level security, each of which the start-up probe looks at; index_profile and others hold no text.
TEXT = frozenset(PROBED_TABLES)
# What stands for a name that is put together when the program runs: it may be any of them.
ANY = "any_table"
MODELS = {m.class_.__name__: str(m.local_table) for m in Base.registry.mappers if str(m.local_table) in TEXT}
MODULES = frozenset(
    m.class_.__module__.rsplit(".", 1)[-1] for m in Base.registry.mappers if m.class_.__name__ in MODELS
)

_NAME = rf"(?:(?:\"?public\"?|{ANY})\s*\.\s*)?\"?({'|'.join(sorted({*TEXT, ANY}, key=len, reverse=True))})\"?(?!\w)"
# Words of SQL with a table behind them. `from`, `join` and a comma are English too: the string must look like SQL.
_ACT = r"insert\s+into|merge\s+into|delete\s+from|truncate(?:\s+table)?|copy|(?:alter|lock)\s+table"
_ACTS = rf"\b(?:{_ACT})\s+(?:only\s+)?{_NAME}(?!['’])"
_UPDATES = rf"\bupdate\s+(?:only\s+)?{_NAME}(?!['’])"
_BEHIND = rf"(?:\b(?:from|join|using)\b|,)[\s(]*(?:only\b\s*|lateral\b\s*)?[\s(]*{_NAME}"
_TABLE = rf"(?:^|[(;])\s*table\s+(?:only\s+)?{_NAME}"
ALWAYS = [re.compile(p, re.IGNORECASE | re.DOTALL) for p in (_ACTS, _UPDATES, _TABLE)]
IN_SELECT = re.compile(_BEHIND, re.IGNORECASE | re.DOTALL)
LOOKS_LIKE_SQL = re.compile(
    r"\b(?:select|delete\s+from|update\s+\S+\s.*\bset)\b.*?(?:\b(?:from|join|using)\b)", re.I | re.S
)
COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
# A call that makes or names a table, or looks a model up, by a word in quotes.
BY_WORD = {"Table", "table", "Identifier", "quoted_name", "getattr", "TableClause"}
CATALOGUES = {"tables", "sorted_tables", "reflect", "_class_registry", "mappers"}


def reached(source: str) -> dict[str, list[int]]:
    """The tables with text that a source file reaches, with the lines; ANY where a name is put together at run time.

    A module of models that is taken whole counts under the module's name.
    """
    tree = ast.parse(source)
    found: dict[str, set[int]] = {}
    for finder in (_by_sql, _by_model, _by_word):
        for table, line in finder(tree):
            found.setdefault(table, set()).add(line)
    return {table: sorted(lines) for table, lines in found.items()}


def _by_sql(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for line, words in strings(tree):
        plain = COMMENT.sub(" ", words)
        for pattern in ALWAYS:
            yield from ((match[1].lower(), line) for match in pattern.finditer(plain))
        if LOOKS_LIKE_SQL.search(plain):
            yield from ((match[1].lower(), line) for match in IN_SELECT.finditer(plain))


def _by_model(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Models imported from anywhere or taken off a module, and modules of models taken whole."""
    modules = _modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"app", "ingest"}:
            yield from ((MODELS[a.name], node.lineno) for a in node.names if a.name in MODELS)
            if node.module == "app.db.tables":
                yield from ((a.name, node.lineno) for a in node.names if a.name in MODULES)
                yield from ((ANY, node.lineno) for a in node.names if a.name in {"*", "Base"})
            if (node.module or "").rsplit(".", 1)[-1] in MODULES | {"tables"}:
                yield from ((ANY, node.lineno) for a in node.names if a.name == "*")
        elif isinstance(node, ast.Import):
            parts = [a.name.split(".") for a in node.names]
            yield from (
                (p[3], node.lineno) for p in parts if p[:3] == ["app", "db", "tables"] and p[3:4] and p[3] in MODULES
            )
        elif isinstance(node, ast.Attribute):
            if node.attr in MODULES and _last(node.value) == "tables":
                yield node.attr, node.lineno
            elif node.attr in MODELS and not _is_its_own(node, modules):
                yield MODELS[node.attr], node.lineno
            elif node.attr in CATALOGUES and _last(node.value) in {"metadata", "registry"}:
                yield ANY, node.lineno


def _modules(tree: ast.AST) -> dict[str, str]:
    """What each imported name would be, were it a module."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {a.asname or a.name: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def _is_its_own(node: ast.Attribute, modules: Mapping[str, str]) -> bool:
    """Whether the class is the module's own, or another package's, and only called like a model."""
    module = modules.get(node.value.id) if isinstance(node.value, ast.Name) else None
    if module is None:
        return False
    if module.split(".")[0] not in {"app", "ingest"}:
        return True
    file = REPOSITORY / f"{module.replace('.', '/')}.py"
    defined = ast.parse(file.read_text("utf-8")).body if file.is_file() and ".tables." not in module else []
    return any(isinstance(d, ast.ClassDef) and d.name == node.attr for d in defined)


def _by_word(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """A table or model named by a word in quotes, where a call looks it up; a module by its dotted name."""
    modules = _modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node, modules) in BY_WORD:
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            yield from ((w, node.lineno) for w in words if w in TEXT)
            yield from ((MODELS[w], node.lineno) for w in words if w in MODELS)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((m, node.lineno) for m in MODULES if re.search(rf"\btables\.{m}$", node.value))


def _called(node: ast.Call, modules: Mapping[str, str]) -> str | None:
    """The name of what is called, under which it was defined."""
    name = _last(node.func)
    return modules.get(name, name).rsplit(".", 1)[-1] if isinstance(node.func, ast.Name) and name else name


def strings(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and text of every string that is no docstring; what is put together is one, its unknown parts ANY."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    known = {t.id: text for n in ast.walk(tree) for t, text in _constants(n)}
    found = []
    for node in ast.walk(tree):
        if id(node) not in documented and isinstance(node, ast.expr) and (text := _text(node, known)) is not None:
            found.append((node.lineno, text))
    return found


def _constants(node: ast.AST) -> Iterator[tuple[ast.Name, str]]:
    """Names that are given one string: parts of statements are often named."""
    if isinstance(node, ast.Assign) and (text := _text(node.value, {})) is not None:
        yield from ((t, text) for t in node.targets if isinstance(t, ast.Name))


def _text(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """The text that an expression makes, as far as the source says; None if it makes none that we know of."""
    made: str | None = None
    match node:
        case ast.Constant(value=str() as text):
            made = text
        case ast.Constant(value=bytes() as raw):
            made = raw.decode("utf-8", "replace")
        case ast.JoinedStr(values=values):
            parts = (v if isinstance(v, ast.Constant) else v.value for v in values if isinstance(v, _PARTS))
            made = "".join(_part(p, known) for p in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            if _text(left, known) is not None or _text(right, known) is not None:
                made = _part(left, known) + _part(right, known)
        case ast.BinOp(left=left, op=ast.Mod()):
            made = _filled(_text(left, known), r"%(?:\(\w+\))?[sr]")
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            made = _filled(_formatted(value, known), r"\{[^{}]*\}")
        case ast.Call(func=ast.Attribute(value=value, attr="join"), args=[ast.List(elts=e) | ast.Tuple(elts=e)]):
            if (between := _text(value, known)) is not None:
                made = between.join(_part(p, known) for p in e)
    return made


def _filled(template: str | None, places: str) -> str | None:
    return None if template is None else re.sub(places, ANY, template)


_PARTS = ast.Constant | ast.FormattedValue


def _formatted(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """The template of a `.format`: a string, or psycopg's SQL around one."""
    if isinstance(node, ast.Call) and _last(node.func) == "SQL" and len(node.args) == 1:
        return _text(node.args[0], known)
    return _part(node, known) if isinstance(node, ast.Name) else _text(node, known)


def _part(node: ast.expr, known: Mapping[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, ANY)
    text = _text(node, known)
    return ANY if text is None else text


def _last(node: ast.expr) -> str | None:
    """The last name of a dotted expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None
