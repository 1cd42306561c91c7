"""A rule in one sentence: who, until when, under which label, and whether what lies above counts too."""

import datetime as dt
import uuid

import pytest

from app.acl.rules import Effect, Grant, OwnRule
from app.admin.rule_sentence import RuleWords, rule_sentence
from app.identity.subject import EVERYONE, EVERYONE_ID, Label, Principal

NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
MARCH = dt.datetime(2027, 3, 3, tzinfo=dt.UTC)
NOON = dt.datetime(2027, 4, 5, 12, 30, tzinfo=dt.UTC)
PAST = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
IDS = {name: uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in ("finance", "legal", "contractors", "interns", "freya")}
NAMES = {id: name for name, id in IDS.items()}


def grant(
    name: str, effect: Effect = "allow", starts: dt.datetime | None = None, ends: dt.datetime | None = None
) -> Grant:
    named = Principal("user" if name == "freya" else "role", IDS.get(name, EVERYONE_ID))
    who = EVERYONE if name == "everyone" else named
    return Grant(effect, who, starts, ends)


def deny(name: str) -> Grant:
    return grant(name, "deny")


CONFIDENTIAL = Label.CONFIDENTIAL


@pytest.mark.parametrize(
    ("grants", "inherits", "label", "sentence"),
    [
        (
            [grant("finance"), grant("legal"), deny("contractors")], True, CONFIDENTIAL,
            "finance and legal, not contractors; confidential; inherits",
        ),
        ([], True, None, "inherits"),
        ([], True, Label.PUBLIC, "public; inherits"),
        ([], False, CONFIDENTIAL, "nobody; confidential; inherits nothing"),
        # Without an allow a deny says nothing more.
        ([deny("interns")], False, None, "nobody; inherits nothing"),
        ([deny("interns"), deny("contractors")], True, None, "not contractors or interns; inherits"),
        # Everyone first, then roles, then people.
        ([grant("freya"), grant("legal"), grant("everyone")], True, None, "everyone, legal and freya; inherits"),
        ([grant("finance", ends=MARCH)], True, None, "finance until 3 March 2027; inherits"),
        # Those of other times are said apart, the boundless first.
        (
            [grant("finance", ends=MARCH), grant("legal"), grant("interns", starts=MARCH, ends=NOON)], True, None,
            "legal; finance until 3 March 2027; interns from 3 March 2027 until 5 April 2027, 12:30 UTC; inherits",
        ),
        ([grant("finance", ends=PAST)], False, None, "finance until 3 March 2026 (over); inherits nothing"),
    ],
)  # fmt: skip
def test_what_a_rule_says(grants: list[Grant], inherits: bool, label: Label | None, sentence: str) -> None:
    assert rule_sentence(OwnRule(frozenset(grants), inherits, label), NAMES, NOW) == sentence


def test_a_collection_has_nothing_to_inherit() -> None:
    own = OwnRule(frozenset([grant("everyone")]), inherits=False, label=Label.INTERNAL)
    assert rule_sentence(own, NAMES, NOW, outermost=True) == "everyone; internal"


def test_many_are_counted_and_who_is_gone_shows_an_id() -> None:
    roles = [Principal("role", uuid.UUID(int=n)) for n in range(1, 10)]
    names = {role.id: f"team{role.id.int}" for role in roles[:8]}
    said = rule_sentence(OwnRule(frozenset(Grant("allow", role) for role in roles)), names, NOW)
    assert said == f"{roles[8].id}, team1, team2, team3, team4, team5 and 3 more; inherits"


def test_the_words_and_the_dates_are_the_surfaces() -> None:
    """A page in another language gives both; names are nobody's to translate."""
    german = {"and": "und", "until {date}": "bis {date}", "confidential": "vertraulich", "inherits": "erbt"}
    words = RuleWords(lambda text: german.get(text, text), lambda moment: f"{moment:%d.%m.%Y}")
    own = OwnRule(frozenset([grant("finance", ends=MARCH), grant("legal", ends=MARCH)]), True, CONFIDENTIAL)
    assert rule_sentence(own, NAMES, NOW, words) == "finance und legal bis 03.03.2027; vertraulich; erbt"
