"""The query language of the log, as in `who:freya kind:answer -outcome:nothing after:2026-11-01`. Pure.

Between qualifiers stands "and", between values with commas "or", a minus in front excludes. Whatever is not understood
is refused, with its place: a filter that was read otherwise than it was meant would hide records from an auditor.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, get_args

from app.audit.events import KINDS
from app.audit.events.answers import Outcome
from app.identity.subject import Label

# What the guardrail redacts, and how far an answer rests on its passages. A test holds both to where they are made.
FINDINGS = ("email", "phone", "card", "iban", "ip", "national id", "address", "tax id", "passport",
            "driving licence", "bank account", "staff number", "customer number", "birth date", "vehicle",
            "mac address", "wallet", "medical id", "name", "pay", "health", "host", "path",
            "prompt", "company term", "credential",
            "grounded", "partly", "ungrounded", "declined")  # fmt: skip
MAX_CHARACTERS = 2_000
MAX_VALUES = 20
SHOWN = 60  # characters of a text that is repeated in an error
# `answer` for all of `answer.opened`, `answer.closed` …
KIND_GROUPS = tuple(dict.fromkeys(kind.partition(".")[0] for kind in KINDS))
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?")
_QUALIFIER = re.compile(r"(-?)([^\s:\"]+):")
_BARE = re.compile(r"[^\s,\"]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r"\\([\"\\])")


class LogQueryError(ValueError):
    """The text is no query; the message says at which character, counted from 1, and what there is."""


@dataclass(frozen=True)
class Choice:
    """Values of one qualifier: one of `wanted` if there are any, and none of `unwanted`."""

    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)


ANYTHING = Choice()


@dataclass(frozen=True)
class LogQuery:
    """Which records: all, or those for which everything holds that is given; from `after` on, until before `before`.

    `who` and `via` hold names or ids of users, `kind` kinds or what stands before their dot, `document` and
    `collection` ids, `model` names of models, `internal` or `external`.
    """

    who: Choice = ANYTHING
    kind: Choice = ANYTHING
    document: Choice = ANYTHING
    via: Choice = ANYTHING
    outcome: Choice = ANYTHING
    address: Choice = ANYTHING
    label: Choice = ANYTHING
    finding: Choice = ANYTHING
    model: Choice = ANYTHING
    collection: Choice = ANYTHING
    opened: Choice = ANYTHING
    after: dt.datetime | None = None
    before: dt.datetime | None = None

    @property
    def text(self) -> str:
        """The canonical text, which parses to this query: `parse(query.text) == query`."""
        terms = [term for name in VALUES for term in _terms(name, getattr(self, name))]
        moments = ((name, getattr(self, name)) for name in MOMENTS)
        return " ".join([*terms, *(f"{name}:{_moment_text(at)}" for name, at in moments if at is not None)])

    @property
    def filters(self) -> dict[str, str]:
        """The query as records of a reading and headers of exports have it; nothing where it asks for everything."""
        return {"q": self.text} if self.text else {}


EVERYTHING = LogQuery()


def parse(text: str) -> LogQuery:
    """The query of a text; of an empty one, everything. Raises LogQueryError."""
    if len(text) > MAX_CHARACTERS:
        raise LogQueryError(f"A query has at most {MAX_CHARACTERS} characters.")
    found: dict[str, Any] = {}
    for term in _QueryTerms(text).all():
        found[term.name] = (_moment if term.name in MOMENTS else _choice)(term, found.get(term.name))
    query = LogQuery(**found)
    if query.after is not None and query.before is not None and query.after >= query.before:
        first, last = _moment_text(query.after), _moment_text(query.before)
        raise LogQueryError(f"No moment is both from {first} on and before {last}.")
    return query


def is_of_kind(kind: str, wanted: str) -> bool:
    """Whether a record's kind is this one, or one of the group of this name."""
    return kind == wanted or kind.startswith(f"{wanted}.")


def is_id(text: str) -> bool:
    """Whether a value is an id, as it stands in a canonical text."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


@dataclass(frozen=True)
class _QueryTerm:
    """One qualifier with its values, each with its place in the text."""

    name: str
    negated: bool
    at: int
    values: tuple[tuple[int, str], ...]


class _QueryTerms:
    """Cuts a text into terms."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def all(self) -> Iterator[_QueryTerm]:
        while self._skip_spaces():
            begin = self._at
            found = _QUALIFIER.match(self._text, begin)
            if found is None:
                word = self._text[begin:].split(maxsplit=1)[0]
                _refuse(begin, f"{_shown(word)} stands alone. Say what it is, as in who:freya; there are {_NAMES}.")
            if found[2] not in QUALIFIERS:
                _refuse(begin, f"there is no qualifier {_shown(found[2])}. There are {_NAMES}.")
            self._at = found.end()
            yield _QueryTerm(found[2], bool(found[1]), begin, tuple(self._values(found[2])))

    def _skip_spaces(self) -> bool:
        """Go to the next term; whether there is one."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at < len(self._text)

    def _values(self, name: str) -> Iterator[tuple[int, str]]:
        while True:
            begin = self._at
            quoted = _QUOTED.match(self._text, begin)
            found = quoted or _BARE.match(self._text, begin)
            if found is None:
                unclosed = self._text[begin : begin + 1] == '"'
                lacking = "the quotation is not closed" if unclosed else "a value is missing"
                _refuse(begin, f"{lacking} behind {name}:.")
            self._at = found.end()
            value = _ESCAPED.sub(r"\1", quoted[1]) if quoted else found[0]
            if not value or not value.isprintable():
                _refuse(begin, f"{_shown(value)} is no value for {name}.")
            yield begin, value
            following = self._text[self._at : self._at + 1]
            if following and following != "," and not following.isspace():
                _refuse(self._at, f"behind a value of {name} comes a comma or a space.")
            if following != ",":
                return
            self._at += 1


def _choice(term: _QueryTerm, given: Choice | None) -> Choice:
    """What was given, and this term. What is excluded may stand in several terms; what is wanted in one."""
    choice = given or ANYTHING
    values = frozenset(VALUES[term.name](at, value) for at, value in term.values)
    if not term.negated and choice.wanted:
        _refuse(term.at, f"{term.name} stands twice. Give its values once, with commas for 'one of them'.")
    choice = Choice(choice.wanted, choice.unwanted | values) if term.negated else Choice(values, choice.unwanted)
    if len(choice.wanted | choice.unwanted) > MAX_VALUES:
        _refuse(term.at, f"{term.name} has more than {MAX_VALUES} values.")
    return choice


def _moment(term: _QueryTerm, given: dt.datetime | None) -> dt.datetime:
    """A day's beginning in UTC, or a moment with its zone, in UTC."""
    if term.negated:
        _refuse(term.at, f"{term.name} cannot be excluded; after and before say the opposite of one another.")
    if len(term.values) > 1 or given is not None:
        _refuse(term.at, f"{term.name} takes one moment.")
    [(at, value)] = term.values
    try:
        if _MOMENT.fullmatch(value) is None:
            raise ValueError
        moment = dt.datetime.fromisoformat(value)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        _refuse(at, f"{_shown(value)} is no date. Write 2026-11-01, or a moment with its zone: 2026-11-01T09:30Z.")


def _moment_text(at: dt.datetime) -> str:
    """A day where it is the beginning of one in UTC; else to the second or, if need be, the microsecond."""
    at = at.astimezone(dt.UTC)
    return at.date().isoformat() if at.time() == dt.time() else at.isoformat().replace("+00:00", "Z")


def _kind(at: int, value: str) -> str:
    if value not in KINDS and value not in KIND_GROUPS:
        group = value.partition(".")[0]
        there = [kind for kind in KINDS if is_of_kind(kind, group)] or KIND_GROUPS
        _refuse(at, f"there is no kind {_shown(value)}. There are {', '.join(there)}.")
    return value


def _id_of(what: str) -> Callable[[int, str], str]:
    def parsed(at: int, value: str) -> str:
        try:
            return str(uuid.UUID(value))
        except ValueError:
            _refuse(at, f"{_shown(value)} is no id of a {what}.")

    return parsed


def _one_of(what: str, there: Sequence[str]) -> Callable[[int, str], str]:
    def parsed(at: int, value: str) -> str:
        if value not in there:
            _refuse(at, f"there is no {what} {_shown(value)}. There are {', '.join(there)}.")
        return value

    return parsed


def _name(_at: int, value: str) -> str:
    return value.lower() if is_id(value.lower()) else value


def _any(_at: int, value: str) -> str:
    return value


# How a value of each qualifier is checked, and the qualifiers that take a moment.
VALUES: Mapping[str, Callable[[int, str], str]] = {
    "who": _name, "kind": _kind, "document": _id_of("document"), "via": _name,
    "outcome": _one_of("outcome", get_args(Outcome)), "address": _any,
    "label": _one_of("label", [label.text for label in Label]), "finding": _one_of("finding", FINDINGS), "model": _any,
    "collection": _id_of("collection"), "opened": _one_of("answer", ("yes", "no")),
}  # fmt: skip
MOMENTS = ("after", "before")
QUALIFIERS = (*VALUES, *MOMENTS)
_NAMES = f"{', '.join(QUALIFIERS[:-1])} and {QUALIFIERS[-1]}"


def _terms(name: str, choice: Choice) -> Iterator[str]:
    for sign, values in (("", choice.wanted), ("-", choice.unwanted)):
        if values:
            yield f"{sign}{name}:{','.join(map(_value_text, sorted(values)))}"


def _value_text(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _refuse(at: int, why: str) -> NoReturn:
    raise LogQueryError(f"At character {at + 1}: {why}")
