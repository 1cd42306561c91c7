"""What a directory asks for among its entries, apart from any protocol, and the SQL of it.

A condition is evaluated in the database alone: what it cannot say raises UnsupportedFilter, and is never left out. Text
is compared as `fold` says, so that a name is found whatever its case.
"""

import datetime as dt
import operator
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, literal_column, not_, or_, select, true

from app.errors import InvalidInput

CompareWith = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
ValueKind = Literal["text", "flag", "moment", "complex"]
Operand = str | bool | dt.datetime | None
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
# On text alone, and no pattern: `%` and `_` are what they are.
STRINGS: dict[str, Callable[[Any, Any], Any]] = {
    "co": lambda value, part: func.strpos(value, part) > 0,
    "sw": lambda value, part: func.starts_with(value, part).is_(true()),
    "ew": lambda value, part: func.right(value, func.length(literal(part))) == part,
}
# How JSON without a value reads as text.
EMPTY = ("", "{}", "[]")


class UnsupportedFilter(InvalidInput):
    title = "The filter cannot be evaluated"


@dataclass(frozen=True)
class EntryAttribute:
    """A place in the JSON of an entry. `many`: it holds a list, and `sub` is a member of its elements.

    `exact`: its text is compared as it stands.
    """

    path: tuple[str, ...]
    sub: str | None = None
    many: bool = False
    exact: bool = False
    kind: ValueKind = "text"

    @property
    def dotted(self) -> str:
        return ".".join((*self.path, self.sub) if self.sub else self.path)


@dataclass(frozen=True)
class Compared:
    """An attribute compared with a value, which is folded already."""

    attribute: EntryAttribute
    op: CompareWith
    value: Operand


@dataclass(frozen=True)
class IsPresent:
    """The attribute has a value that is not empty."""

    attribute: EntryAttribute


@dataclass(frozen=True)
class Negated:
    term: "Condition"


@dataclass(frozen=True)
class Joined:
    """All of the terms hold, or any of them."""

    terms: tuple["Condition", ...]
    every: bool


@dataclass(frozen=True)
class AnyElement:
    """One element of a list holds the term."""

    attribute: EntryAttribute
    term: "Condition"


Condition: TypeAlias = Compared | IsPresent | Negated | Joined | AnyElement
# What is in a table of its own: the ids that an entry is linked with, as `exists` of one of them, or of any.
Linked: TypeAlias = Callable[[uuid.UUID | None], ColumnElement[bool]]
# A key that one entry has, looked up by an index.
Looked: TypeAlias = Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True)
class EntryColumns:
    """Where the attributes of an entry stand. What is in none of the columns is in `json`.

    `columns`: by dotted name, folded unless they are exact. `lookups`: equality by an index. `linked`: lists of ids.
    """

    json: Any
    columns: Mapping[str, Any] = field(default_factory=dict)
    lookups: Mapping[str, Looked] = field(default_factory=dict)
    linked: Mapping[str, Linked] = field(default_factory=dict)


def fold(text: str) -> str:
    """Text as directories compare it: without case, and characters in one form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def condition_sql(source: EntryColumns, condition: Condition) -> ColumnElement[bool]:
    """The condition as SQL that is true or false, never null. Raises UnsupportedFilter."""
    match condition:
        case Negated(term):
            return not_(condition_sql(source, term))
        case Joined(terms, every):
            parts = [condition_sql(source, term) for term in terms]
            return and_(true(), *parts) if every else or_(false(), *parts)
        case AnyElement(attribute, term):
            return _any_element(source, attribute, term)
        case IsPresent(attribute):
            return _present(source, attribute)
        case Compared():
            return _compared(source, condition)


def sort_sql(source: EntryColumns, attribute: EntryAttribute) -> ColumnElement[Any]:
    """The one value that an entry is sorted by: of a list that of the primary element, else of the first."""
    if attribute.path[0] in source.linked:
        raise UnsupportedFilter(f"Entries cannot be sorted by '{attribute.dotted}'.")
    if not attribute.many:
        return _scalar(source, attribute)
    whole = _list(source, attribute)
    element = func.jsonb_array_elements(whole).column_valued("element")
    primary = select(element).where(_at(element, ("primary",)) == "true").limit(1).scalar_subquery()
    chosen = func.coalesce(primary, func.jsonb_extract_path(whole, "0"))
    return _value(_at(chosen, (attribute.sub,) if attribute.sub else ()), attribute)


def _compared(source: EntryColumns, node: Compared) -> ColumnElement[bool]:
    attribute = node.attribute
    if attribute.kind == "complex":
        raise UnsupportedFilter(f"'{attribute.dotted}' holds several values; compare one of them.")
    if attribute.path[0] in source.linked:
        return _compared_link(source.linked[attribute.path[0]], node)
    if attribute.many:
        return _compared_list(source, node)
    if node.op in {"eq", "ne"} and isinstance(node.value, str) and attribute.dotted in source.lookups:
        found = source.lookups[attribute.dotted](node.value)
        return found if node.op == "eq" else not_(found)
    return _holds(_scalar(source, attribute), node)


def _compared_link(linked: Linked, node: Compared) -> ColumnElement[bool]:
    if node.attribute.sub not in {None, "value"} or node.op not in {"eq", "ne"}:
        raise UnsupportedFilter(f"'{node.attribute.dotted}' can be compared by its value with eq and ne alone.")
    if node.value is None:
        return not_(linked(None)) if node.op == "eq" else linked(None)
    target = canonical_id(str(node.value))
    found = false() if target is None else linked(target)
    return found if node.op == "eq" else not_(found)


def _compared_list(source: EntryColumns, node: Compared) -> ColumnElement[bool]:
    """Any element compares; for `ne`, all of them. An absent list is compared as a missing value."""
    whole = _list(source, node.attribute)
    element = func.jsonb_array_elements(whole).column_valued("element")
    value = _value(_at(element, (node.attribute.sub,) if node.attribute.sub else ()), node.attribute)
    holds = _holds(value, node)
    if node.op == "ne":
        differs = not_(exists(select(literal(1)).where(not_(holds))))
        return and_(differs, _there(source, node.attribute)) if node.value is None else differs
    found = exists(select(literal(1)).where(holds))
    return or_(found, not_(_there(source, node.attribute))) if node.op == "eq" and node.value is None else found


def _any_element(source: EntryColumns, attribute: EntryAttribute, term: Condition) -> ColumnElement[bool]:
    if attribute.path[0] in source.linked:
        if isinstance(term, Compared) and term.op == "eq" and term.attribute.path == ("value",):
            return _compared_link(source.linked[attribute.path[0]], Compared(attribute, "eq", term.value))
        raise UnsupportedFilter(f"'{attribute.dotted}' can be selected from by 'value eq' alone.")
    element = func.jsonb_array_elements(_list(source, attribute)).column_valued("element")
    inner = EntryColumns(element)
    return exists(select(literal(1)).where(condition_sql(inner, term)))


def _present(source: EntryColumns, attribute: EntryAttribute) -> ColumnElement[bool]:
    if attribute.path[0] in source.linked:
        return source.linked[attribute.path[0]](None)
    if attribute.many:
        element = func.jsonb_array_elements(_list(source, attribute)).column_valued("element")
        inner = _at(element, (attribute.sub,) if attribute.sub else ())
        return exists(select(literal(1)).where(func.coalesce(inner, "").not_in(EMPTY)))
    if attribute.kind == "complex":
        return func.coalesce(_at(source.json, attribute.path), "").not_in(EMPTY)
    if attribute.kind == "text":
        return func.coalesce(_scalar(source, attribute), "") != ""
    return _scalar(source, attribute).is_not(None)


def _scalar(source: EntryColumns, attribute: EntryAttribute) -> ColumnElement[Any]:
    if (column := source.columns.get(attribute.dotted)) is not None:
        plain: ColumnElement[Any] = column
        return plain
    if attribute.path[0] == "meta":
        raise UnsupportedFilter(f"Nothing can be asked of '{attribute.dotted}'.")
    return _value(_at(source.json, attribute.path), attribute)


def _value(text: ColumnElement[Any], attribute: EntryAttribute) -> ColumnElement[Any]:
    """A text of the JSON as the kind that it is compared as."""
    if attribute.kind == "flag":
        return case((text == "true", true()), (text == "false", false()))
    if attribute.kind != "text":
        raise UnsupportedFilter(f"Nothing can be asked of '{attribute.dotted}'.")
    return text.collate("C") if attribute.exact else folded(text)


def folded(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """The SQL of `fold`, in the order of code points. What is a small letter is said by the locale of the database."""
    return func.normalize(func.lower(func.normalize(text))).collate("C")


def _at(json: ColumnElement[Any], path: tuple[str | None, ...]) -> ColumnElement[Any]:
    whole: ColumnElement[Any] = json.op("#>>")(literal_column("'{}'"))
    inner: ColumnElement[Any] = func.jsonb_extract_path_text(json, *path)
    return inner if path else whole


def _list(source: EntryColumns, attribute: EntryAttribute) -> ColumnElement[Any]:
    whole = func.jsonb_extract_path(source.json, *attribute.path)
    return case((func.jsonb_typeof(whole) == "array", whole), else_=func.jsonb_build_array())


def _there(source: EntryColumns, attribute: EntryAttribute) -> ColumnElement[bool]:
    return func.coalesce(func.jsonb_typeof(func.jsonb_extract_path(source.json, *attribute.path)) == "array", false())


def _holds(value: ColumnElement[Any], node: Compared) -> ColumnElement[bool]:
    """A value compared: what is missing equals null alone, and is different from everything else."""
    op, operand = node.op, node.value
    if operand is None:
        return {"eq": value.is_(None), "ne": value.is_not(None)}.get(op, false())
    if op == "ne":
        return value.is_distinct_from(operand)
    if op in STRINGS and node.attribute.kind != "text":
        return false()
    return func.coalesce((STRINGS | COMPARISONS)[op](value, operand), false())


def canonical_id(text: str) -> uuid.UUID | None:
    """An id as we write it; None for anything else, also for another way to write one."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
