"""Exports with a manifest from the command line: the query that options make."""

import datetime as dt

import pytest

from app.audit.query import Choice, LogQuery, parse
from app.cli.audit_files import query_text


def test_no_option_asks_for_everything() -> None:
    assert query_text(None, user=None, kind=None, since=None, until=None) == ""


@pytest.mark.parametrize(
    "name", ["freya", "Freya Öst", 'a "b", c', "back\\slash", 'end"', "who:ada kind:x", "-x", "x\\"]
)
def test_a_name_is_a_name_whatever_it_holds(name: str) -> None:
    since, until = "2026-11-01T09:30:00+01:00", "2026-11-20T00:00:00+00:00"
    found = parse(query_text("-outcome:nothing", user=name, kind="answer", since=since, until=until))
    assert found == LogQuery(
        who=Choice(frozenset({name})),
        kind=Choice(frozenset({"answer"})),
        outcome=Choice(frozenset(), frozenset({"nothing"})),
        after=dt.datetime.fromisoformat(since),
        before=dt.datetime.fromisoformat(until),
    )
