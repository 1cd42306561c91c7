"""The query language of the log: what is understood, what is refused and where, and that every query has a text."""

import contextlib
import datetime as dt
import uuid
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import KINDS
from app.audit.events.answers import Outcome
from app.audit.query import (
    EVERYTHING,
    FINDINGS,
    KIND_GROUPS,
    MAX_VALUES,
    Choice,
    LogQuery,
    LogQueryError,
    is_of_kind,
    parse,
)
from app.grounding import report
from app.guardrail import check

ID = uuid.UUID("0192f5aa-0000-7000-8000-0000000000aa")
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def wanting(*values: str) -> Choice:
    return Choice(wanted=frozenset(values))


def without(*values: str) -> Choice:
    return Choice(unwanted=frozenset(values))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        (" \t\n", EVERYTHING),
        ("who:freya", LogQuery(who=wanting("freya"))),
        ("who:okta:freya", LogQuery(who=wanting("okta:freya"))),
        ('who:"Freya Tamm",jonas', LogQuery(who=wanting("Freya Tamm", "jonas"))),
        (r'who:"say \"no\" \\ yes"', LogQuery(who=wanting('say "no" \\ yes'))),
        ("who:back\\slash", LogQuery(who=wanting("back\\slash"))),
        ("kind:answer", LogQuery(kind=wanting("answer"))),
        ("kind:answer.opened,search.done", LogQuery(kind=wanting("answer.opened", "search.done"))),
        ("-outcome:nothing", LogQuery(outcome=without("nothing"))),
        ("-kind:search -kind:audit.read", LogQuery(kind=without("search", "audit.read"))),
        ("kind:audit -kind:audit.read", LogQuery(kind=Choice(frozenset({"audit"}), frozenset({"audit.read"})))),
        (f"document:{str(ID).upper()}", LogQuery(document=wanting(str(ID)))),
        ("via:bot address:10.0.0.7", LogQuery(via=wanting("bot"), address=wanting("10.0.0.7"))),
        ("address:2001:db8::7", LogQuery(address=wanting("2001:db8::7"))),
        (
            "label:restricted,confidential -label:public",
            LogQuery(label=Choice(frozenset({"restricted", "confidential"}), frozenset({"public"}))),
        ),
        ('finding:iban,"national id"', LogQuery(finding=wanting("iban", "national id"))),
        ("model:external -model:qwen3", LogQuery(model=Choice(frozenset({"external"}), frozenset({"qwen3"})))),
        (f"collection:{str(ID).upper()} opened:yes", LogQuery(collection=wanting(str(ID)), opened=wanting("yes"))),
        ("after:2026-11-01", LogQuery(after=dt.datetime(2026, 11, 1, tzinfo=dt.UTC))),
        ("before:2026-11-20T13:00+01:00", LogQuery(before=NOON)),
        ("before:2026-11-20T12:00:00.5Z", LogQuery(before=NOON.replace(microsecond=500_000))),
    ],
)
def test_parse(text: str, query: LogQuery) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("freya", 1, "'freya' stands alone. Say what it is, as in who:freya; there are who, kind"),
        ("who:freya salary", 11, "'salary' stands alone"),
        ('"who:freya"', 1, "stands alone"),
        ("-", 1, "stands alone"),
        ("whom:freya", 1, "no qualifier 'whom'. There are who, kind, document, via, outcome, address, label, finding"),
        ("whom:freya", 1, ", finding, model, collection, opened, after and before."),
        ("--who:freya", 1, "no qualifier '-who'"),
        ("WHO:freya", 1, "no qualifier 'WHO'"),
        ("who:", 5, "a value is missing behind who:"),
        ("who: freya", 5, "a value is missing behind who:"),
        ("who:freya,", 11, "a value is missing behind who:"),
        ('who:""', 5, "no value for who"),
        ('who:"freya', 5, "the quotation is not closed behind who:"),
        ('who:"freya"tamm', 12, "a comma or a space"),
        ('who:fre"ya"', 8, "a comma or a space"),
        ("who:a\0b", 5, "no value for who"),
        ("who:a who:b", 7, "who stands twice. Give its values once, with commas"),
        ("kind:answr", 6, "no kind 'answr'. There are answer, search"),
        ("kind:answer.open", 6, "no kind 'answer.open'. There are answer.opened, answer.closed, answer.feedback."),
        ("kind:search,answr", 13, "no kind 'answr'"),
        ("outcome:fine", 9, "no outcome 'fine'. There are answered, quoted"),
        ("document:leave.md", 10, "no id of a document"),
        ("collection:handbook", 12, "'handbook' is no id of a collection"),
        ("label:secret", 7, "no label 'secret'. There are public, internal, confidential, restricted."),
        ("finding:visa", 9, "no finding 'visa'. There are email, phone, card"),
        ("opened:maybe", 8, "no answer 'maybe'. There are yes, no."),
        ("after:2026-13-01", 7, "no date. Write 2026-11-01, or a moment with its zone"),
        ("after:20261101", 7, "no date"),
        ("after:2026-11-01T10:00", 7, "no date"),
        ("after:0001-01-01T00:00+14:00", 7, "no date"),
        ("-after:2026-11-01", 1, "cannot be excluded"),
        ("after:2026-11-01,2026-11-02", 1, "one moment"),
        ("after:2026-11-01 after:2026-11-02", 18, "one moment"),
        ("who:" + ",".join(map(str, range(MAX_VALUES + 1))), 1, "more than 20 values"),
    ],
)
def test_what_is_refused_is_named_with_its_place(text: str, at: int, says: str) -> None:
    with pytest.raises(LogQueryError) as refused:
        parse(text)
    assert str(refused.value).startswith(f"At character {at}: ")
    assert says in str(refused.value)


def test_nothing_lies_between_a_later_and_an_earlier_moment() -> None:
    with pytest.raises(LogQueryError, match="both from 2026-11-02 on and before 2026-11-01"):
        parse("after:2026-11-02 before:2026-11-01")


def test_a_long_text_is_refused_and_a_long_word_repeated_in_part() -> None:
    with pytest.raises(LogQueryError, match="at most 2000 characters"):
        parse("who:" + "a" * 2_000)
    with pytest.raises(LogQueryError) as refused:
        parse("a" * 1_900)
    assert len(str(refused.value)) < 250


def test_a_group_of_kinds_is_what_stands_before_the_dot() -> None:
    assert [kind for kind in KINDS if is_of_kind(kind, "answer")] == [
        "answer.opened", "answer.closed", "answer.feedback",
    ]  # fmt: skip
    assert not is_of_kind("answer.opened", "ans")


def test_findings_are_what_the_guardrail_redacts_and_what_grounding_says() -> None:
    assert (*check.KINDS, *get_args(report.Outcome)) == FINDINGS


values = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=8)
moments = st.none() | st.datetimes(timezones=st.just(dt.UTC))


def choices(of: st.SearchStrategy[str]) -> st.SearchStrategy[Choice]:
    sets = st.frozensets(of, max_size=4)
    return st.builds(Choice, sets, sets)


queries = st.builds(
    LogQuery,
    who=choices(values),
    kind=choices(st.sampled_from([*KINDS, *KIND_GROUPS])),
    document=choices(st.uuids().map(str)),
    label=choices(st.sampled_from(["public", "restricted"])),
    finding=choices(st.sampled_from(FINDINGS)),
    model=choices(st.text("ab c:-", min_size=1)),
    collection=choices(st.uuids().map(str)),
    opened=choices(st.sampled_from(["yes", "no"])),
    via=choices(values),
    outcome=choices(st.sampled_from(get_args(Outcome))),
    address=choices(values),
    after=moments,
    before=moments,
)


@given(queries)
def test_every_query_has_one_text_that_parses_to_it(query: LogQuery) -> None:
    if query.after and query.before and query.after >= query.before:
        with pytest.raises(LogQueryError, match="No moment"):
            parse(query.text)
    else:
        assert parse(query.text) == query
        assert parse(query.text).text == query.text


@given(st.text(alphabet='who:kindaftr.-,"\\ 1T0Z\n', max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    """And what is read has a canonical text that says the same."""
    with contextlib.suppress(LogQueryError):
        query = parse(text)
        assert parse(query.text) == query
