"""The access rules as tables of cases: what decides, what inherits, what is equal."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.acl.rules import Decision, Effect, Grant, OwnRule, Rule, decide, effective, next_change
from app.identity.subject import EVERYONE, Capability, Label, Principal, Subject

AT = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
TICK = dt.timedelta(microseconds=1)
ADA, STAFF, OTHER = (uuid.UUID(int=n) for n in (1, 2, 3))
ME, MINE, THEIRS = Principal("user", ADA), Principal("role", STAFF), Principal("role", OTHER)
SUBJECT = Subject(
    user_id=ADA,
    name="ada",
    roles=frozenset({STAFF}),
    clearance=Label.CONFIDENTIAL,
    capabilities=frozenset(Capability),
    curates=frozenset(),
    key_id=uuid.UUID(int=9),
    key_prefix="clr_x",
)


def allow(principal: Principal, starts: dt.datetime | None = None, ends: dt.datetime | None = None) -> Grant:
    return Grant("allow", principal, starts, ends)


def deny(principal: Principal, starts: dt.datetime | None = None, ends: dt.datetime | None = None) -> Grant:
    return Grant("deny", principal, starts, ends)


def under(*grants: Grant, label: Label = Label.INTERNAL) -> Decision:
    return decide(SUBJECT, Rule(label, frozenset(grants)), AT)


@pytest.mark.parametrize(
    ("grants", "allowed", "reason"),
    [
        ([], False, "nothing granted"),
        ([allow(EVERYONE)], True, "granted"),
        ([allow(ME)], True, "granted"),
        ([allow(MINE)], True, "granted"),
        ([allow(THEIRS)], False, "nothing granted"),
        ([allow(Principal("role", ADA))], False, "nothing granted"),
        ([allow(Principal("user", STAFF))], False, "nothing granted"),
        ([allow(Principal("everyone", OTHER))], False, "nothing granted"),
        ([deny(EVERYONE)], False, "denied"),
        ([allow(ME), deny(EVERYONE)], False, "denied"),
        ([allow(ME), deny(MINE)], False, "denied"),
        ([allow(EVERYONE), deny(ME)], False, "denied"),
        ([allow(ME), deny(ME)], False, "denied"),
        ([allow(ME), deny(THEIRS)], True, "granted"),
        ([allow(ME, starts=AT)], True, "granted"),
        ([allow(ME, starts=AT + TICK)], False, "not in time"),
        ([allow(ME, ends=AT)], False, "not in time"),
        ([allow(ME, ends=AT + TICK)], True, "granted"),
        ([allow(ME, ends=AT), allow(EVERYONE)], True, "granted"),
        ([allow(ME), deny(ME, ends=AT)], True, "granted"),
        ([allow(ME), deny(ME, ends=AT + TICK)], False, "denied"),
        ([allow(ME), deny(ME, starts=AT + TICK)], True, "granted"),
        ([deny(ME, ends=AT)], False, "nothing granted"),
    ],
)
def test_decide(grants: list[Grant], allowed: bool, reason: str) -> None:
    decision = under(*grants)
    assert (decision.allowed, decision.reason) == (allowed, reason)
    assert (decision.grant is None) == (reason == "nothing granted")


@pytest.mark.parametrize("label", list(Label))
def test_a_label_above_the_clearance_hides(label: Label) -> None:
    wanted = label <= Label.CONFIDENTIAL
    assert under(allow(ME), label=label).allowed is wanted
    assert not under(label=label).allowed
    assert under(deny(ME), allow(ME), label=label).reason == "denied"


principals = st.sampled_from([EVERYONE, ME, MINE, THEIRS])
times = st.none() | st.sampled_from([AT - TICK, AT, AT + TICK])
effects: st.SearchStrategy[Effect] = st.sampled_from(["allow", "deny"])
grants = st.builds(Grant, effects, principals, times, times)
rules = st.builds(Rule, st.sampled_from(list(Label)), st.frozensets(grants, max_size=6))
owns = st.builds(OwnRule, st.frozensets(grants, max_size=4), st.booleans(), st.none() | st.sampled_from(list(Label)))


@given(rules, grants)
def test_a_deny_never_opens_and_an_allow_never_closes(rule: Rule, more: Grant) -> None:
    before, after = (decide(SUBJECT, r, AT).allowed for r in (rule, replace(rule, grants=rule.grants | {more})))
    assert before <= after if more.effect == "allow" else after <= before


@given(rules)
def test_more_clearance_and_no_role_less_never_hides(rule: Rule) -> None:
    labelled = [decide(replace(SUBJECT, clearance=label), rule, AT).allowed for label in Label]
    assert labelled == sorted(labelled)


@given(owns)
def test_own_rules_survive_storage(own: OwnRule) -> None:
    stored = OwnRule.from_json(own.to_json())
    assert (stored, stored.digest) == (own, own.digest)


@given(rules, rules)
def test_equal_digests_are_equal_rules(one: Rule, two: Rule) -> None:
    assert (one.digest == two.digest) == (one == two)
    assert Rule(one.label, frozenset(sorted(one.grants, key=str, reverse=True))).digest == one.digest


def test_a_digest_knows_moments_not_zones() -> None:
    here, elsewhere = (allow(ME, at) for at in (AT, AT.astimezone(dt.timezone(dt.timedelta(hours=5)))))
    assert Rule(Label.PUBLIC, frozenset({here})).digest == Rule(Label.PUBLIC, frozenset({elsewhere})).digest


OPEN = OwnRule(frozenset({allow(ME)}), False, Label.PUBLIC)


@pytest.mark.parametrize(
    ("collection", "own", "rule"),
    [
        (OPEN, OwnRule(), Rule(Label.PUBLIC, frozenset({allow(ME)}))),
        (OPEN, OwnRule(frozenset({deny(MINE)})), Rule(Label.PUBLIC, frozenset({allow(ME), deny(MINE)}))),
        (OPEN, OwnRule(frozenset({allow(MINE)}), inherits=False), Rule(Label.PUBLIC, frozenset({allow(MINE)}))),
        (OPEN, OwnRule(label=Label.RESTRICTED), Rule(Label.RESTRICTED, frozenset({allow(ME)}))),
        (OwnRule(label=Label.RESTRICTED), OwnRule(label=Label.PUBLIC), Rule(Label.PUBLIC, frozenset())),
        (OwnRule(), OwnRule(), Rule(Label.RESTRICTED, frozenset())),
    ],
)
def test_effective(collection: OwnRule, own: OwnRule, rule: Rule) -> None:
    assert effective(collection, own) == rule


@pytest.mark.parametrize(
    "broken",
    [
        {"label": "secret"},
        {"grants": [{"effect": "allow"}]},
        {"grants": [{"effect": "allow", "kind": "user", "principal": "x", "starts_at": None, "ends_at": None}]},
    ],
)
def test_a_broken_rule_is_an_error(broken: dict[str, object]) -> None:
    """Whatever is missing or cannot be read."""
    whole = OwnRule(frozenset({allow(ME)})).to_json()
    for wrong in (whole | broken, *({k: v for k, v in whole.items() if k != missing} for missing in whole)):
        with pytest.raises((KeyError, ValueError)):
            OwnRule.from_json(wrong)


@pytest.mark.parametrize("text", ["", "secret", "0", "public "])
def test_labels_have_names_and_other_names_are_no_label(text: str) -> None:
    assert [Label.parse(label.text) for label in Label] == list(Label)
    with pytest.raises(ValueError, match="is no label"):
        Label.parse(text)


def test_next_change() -> None:
    hour = dt.timedelta(hours=1)
    assert next_change([], AT) is None
    assert next_change([allow(ME, AT - hour, AT)], AT) is None
    assert next_change([allow(ME, AT - hour, AT + hour), deny(ME, AT + 2 * hour)], AT) == AT + hour


@given(st.frozensets(grants, max_size=5))
def test_nothing_changes_before_the_next_change(some: frozenset[Grant]) -> None:
    rule, at = Rule(Label.PUBLIC, some), AT - 3 * TICK
    turn = next_change(some, at)
    for n in range(6):
        moment = at + n * TICK
        if turn is None or moment < turn:
            assert decide(SUBJECT, rule, moment).allowed == decide(SUBJECT, rule, at).allowed
