"""The plans of what is really sent, at the moment it is sent: and what is wrong with a plan.

A statement that touches tables with text reads them by index alone, with filters that cannot leak: a function that may
tell of its arguments (in an error, by its time) would be asked about rows that the caller may not see.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExecutionContext

from app.db.session import Database

TABLES = frozenset({"chunk", "vector_row", "posting", "original", "document", "scope_volume"})
# Comparisons of whole numbers and ids, of paths and of moments are leakproof (a test asks the catalog, FUNCTIONS);
# nothing else is let through.
COLUMN = r"\(*(?:\w+\.)?(?:id|scope_id|document_id|chunk_id|collection_id|public_id|ordinal|term|changed)"
GIVEN = r"(?:'[^']*'::[\w\[\] ]+|\$\d+|\(\$\d+\)::\w+(?:\[\])?|\(InitPlan \d+\)\.col\d+)"
VALUE = rf"(?:ANY \((?:{GIVEN}|\w+\.\w+)\)|{GIVEN}|\w+\.\w+)"
# Where a page of a list begins, and the folder that it is of.
TEXT = r"'[^']*'::text"
PATH = rf"\(*(?:\w+\.)?path [<>] (?:{TEXT}|CASE WHEN \(c\w*\.name = {TEXT}\) THEN {TEXT} ELSE {TEXT} END)\)*"
MOMENT = rf"\(*ROW\((?:\w+\.)?updated_at, (?:\w+\.)?public_id\) < ROW\({GIVEN}, {GIVEN}\)\)*"
# What is older than the first documents of the scopes before it is not on the page.
NOT_OLDER = rf"\(*(?:\w+\.)?updated_at >= {GIVEN}\)*"
KEY = rf"(?:{COLUMN} (?:=|<>|<|<=|>|>=) {VALUE}\)*|{PATH}|{MOMENT}|{NOT_OLDER})"
# The same through a hash table of the scopes, resolved once.
HASHED = r"\(*ANY \((?:\w+\.)?scope_id = \(hashed SubPlan \d+\)\.col1\)\)*"
LEAKPROOF = re.compile(rf"(?:{KEY}|{HASHED})(?: (?:AND|OR) (?:{KEY}|{HASHED}))*", re.S)
OF_NUMBERS = [f"int{a}{op}" for a in ("4", "8", "48", "84") for op in ("eq", "ne", "lt", "le", "gt", "ge")]
EXPLAIN = "explain (analyze, verbose off, timing off, format json)"
NAMED = re.compile(r"%\((\w+)\)s")
OF_PLACES = ["text_lt", "text_gt", "timestamptz_lt", "timestamptz_eq", "timestamptz_ge", "uuid_lt"]
FUNCTIONS = [*OF_NUMBERS, *OF_PLACES, "xid8ge", "xid8lt", "uuid_eq"]


@dataclass(frozen=True)
class Sent:
    """A statement that was sent, and the plan by which it ran."""

    statement: str
    plan: Mapping[str, Any]

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(node["Relation Name"] for node in nodes(self.plan) if "Relation Name" in node) & TABLES

    @property
    def leaks(self) -> list[str]:
        """What is wrong with it: a table with text read as a whole, or filtered by what could leak."""
        return [leak for node in nodes(self.plan) if node.get("Relation Name") in TABLES for leak in _leaks_of(node)]

    @property
    def removed(self) -> int:
        """How many rows with text it read in vain."""
        return sum(
            int(node.get(key, 0) * node["Actual Loops"])
            for node in nodes(self.plan)
            if node.get("Relation Name") in TABLES
            for key in ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        )


@contextlib.contextmanager
def explained(database: Database) -> Iterator[list[Sent]]:
    """Everything that is sent through the engine while this is open, explained under the settings of that moment.

    What may keep its plan is explained once more, by the plan that would be kept: the one for any values.
    """
    sent: list[Sent] = []

    def note(
        connection: Connection, _cursor: object, statement: str, values: Any, context: ExecutionContext, _many: bool
    ) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        sent.append(Sent(statement, _plan(raw.execute(f"{EXPLAIN} {statement}".encode(), values))))
        if context.execution_options.get("prepared"):
            sent.append(Sent(statement, _kept_plan(raw, statement, values)))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _kept_plan(raw: psycopg.Connection, statement: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    names = list(dict.fromkeys(NAMED.findall(statement)))
    numbered = NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")
    raw.execute("set local plan_cache_mode = force_generic_plan")
    raw.execute(f"prepare kept as {numbered}".encode())
    given = f"({', '.join(f'%({name})s' for name in names)})" if names else ""
    plan = _plan(psycopg.ClientCursor(raw).execute(f"{EXPLAIN} execute kept{given}".encode(), values))
    raw.execute("deallocate kept")
    raw.execute("set local plan_cache_mode = auto")
    return plan


def _plan(cursor: psycopg.Cursor[Any]) -> Mapping[str, Any]:
    ((found,),) = cursor.fetchall()
    plan: Mapping[str, Any] = found[0]["Plan"]
    return plan


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def _leaks_of(node: Mapping[str, Any]) -> Iterator[str]:
    kind, relation = node["Node Type"], node["Relation Name"]
    if "Index" not in kind and kind != "Bitmap Heap Scan":
        yield f"{kind} over {relation}"
    for condition in ("Filter", "Recheck Cond", "Index Cond"):
        if (found := node.get(condition)) and not LEAKPROOF.fullmatch(found):
            yield f"{condition} over {relation}: {found[:300]}"
    if kind.startswith("Index") and "Index Cond" not in node:
        yield f"the whole of an index of {relation}"
