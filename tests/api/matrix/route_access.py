"""How the access of a route is declared, and short ways to write its cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Stands in path, query, body or form for what the matrix varies: something visible, hidden or absent.
TARGET = "<target>"
# The id of a grant on the target, where it has one.
GRANT = "<grant>"
# Filled in by the world: the crew's document, the one that all may read, and a time at which all was as it is.
CREW_DOCUMENT = "<crew document>"
OPEN_DOCUMENT = "<open document>"
MOMENT = "<moment>"
LOG_SIZE = "<log size>"
# The review of the crew's collection, and its first grant.
CREW_REVIEW, REVIEW_ITEM = "<crew review>", "<crew review item>"
ANYBODY = {"everyone": True}
QUESTION = "What do the quarterly figures say?"


@dataclass(frozen=True)
class Case:
    """One way to call a route. `kind` says what TARGET is, `rule` names a rule of `oracle.RULES`.

    `done` and `shape` are the status and the class of body for who may. `needs` replaces the route's for this case.
    `acts`: it changes something, which for most cases method and status say. `in_person`: closed to services although
    the route is not. `seen_by`: the rule that says for whom the target is hidden, where the route treats both alike.
    """

    kind: str = ""
    rule: str = "anybody"
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, Any] | None = None
    needs: str = ""
    seen_by: str = ""
    done: int = 200
    shape: str = "json"
    acts: bool = False
    in_person: bool = False


@dataclass(frozen=True)
class Route:
    """`needs`: public, metrics key, key (any living one), or capabilities, one of which key and person must have.

    A service on behalf of a person comes in where `lent`. `values` names fields that hold a value and name nothing,
    beyond VALUES.
    """

    needs: str
    cases: tuple[Case, ...] = (Case(),)
    values: tuple[str, ...] = ()
    lent: bool = False


def on(kind: str, rule: str, place: str, **more: Any) -> Case:
    """A case with its target in one place: `name` in the path, `?name` in the query, `.name` in the body."""
    part = {"?": "query", ".": "body"}.get(place[0], "path")
    return Case(kind, rule, **{**more, part: {place.lstrip("?."): TARGET, **more.get(part, {})}})


# Where a page of a list begins: a place among what the caller sees, which names nothing.
PAGED = ("?after",)
# What a list is searched by: the names of all that it may show.
SEARCHED = ("?text", "?source")
NONE: dict[str, Any] = {"done": 204, "shape": "none"}
CREW = "qzcrewcollection"
CREW_FOLDER = "qzcrewfolder"
ON_CREW = {"collection": CREW}
RULE_BODY = {"grants": [ANYBODY, {"role": "outside"}], "inherits": True}
ROLE_ON_CREW = "a role, by who rules the crew's collection"
PERSON_ON_CREW = "a person, by who rules the crew's collection"
ROLE_ON_DOCUMENT = "a role, by curators of the crew's document"
PERSON_ON_DOCUMENT = "a person, by curators of the crew's document"
ROLE_OF_UPLOAD = "a role, by who curates the crew's collection"
FOLDER_OF_CREW = "a folder of the crew's collection"
NEW_FOLDER = "a new folder on the crew's collection"
RULERS = "who rules the collection"
OF_RULED = "a review, by who rules its collection"
ON_CREW_REVIEW = "a review of the crew's collection, by who rules it"
OWN_OR_ANY = "one's own, or any by an administrator"
OWN_NAME = "one's own name, or any by an administrator"
THERE = "what is there"
# A role can be delegated, which is no capability and counts here like one.
ROLE_OWNERS = "administer or look after"


def named_in_rule(role: str, person: str, **where: Any) -> tuple[Case, ...]:
    return (
        Case("role", role, body={"grants": [{"role": TARGET}]}, **where),
        Case("user", person, body={"grants": [{"user": TARGET}]}, **where),
    )


def in_conversation(**more: Any) -> Case:
    """A question in a conversation, which keeps the answer as a turn."""
    given = {"body": {"question": QUESTION}, **more}
    return on("conversation", "one's own", ".conversation", acts=True, in_person=True, **given)


def uploading(kind: str, rule: str, name: str, *, seen_by: str = "", **form: Any) -> Case:
    """An upload to the collection of this name."""
    fields = {"file": b"# A page\n\nIts text.", "path": "new.md", "roles": ["everyone"], **form}
    return Case(kind, rule, path={"name": name}, form=fields, seen_by=seen_by, done=202)


def changing(kind: str, by: str, /, **fields: Any) -> Case:
    needs = fields.pop("needs", "")
    return Case(kind, by, body={"changes": [fields]}, needs=needs, done=201)


def pair(
    first: tuple[str, str, str], second: tuple[str, str, str], one: str = THERE, other: str = THERE
) -> tuple[Case, ...]:
    """Two names in one path, each varied in turn beside one that is there: (parameter, kind, the fixed name)."""
    return (
        on(first[1], one, first[0], path={second[0]: second[2]}, **NONE),
        on(second[1], other, second[0], path={first[0]: first[2]}, **NONE),
    )
