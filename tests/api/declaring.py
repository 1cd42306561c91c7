"""How the access of a route is declared, and short ways to write its cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Stands in path, query, body or form for what the matrix varies: a thing that is visible, hidden or absent.
TARGET = "<target>"
# The id of a grant on the target, where it has one.
GRANT = "<grant>"
ANYBODY = {"everyone": True}
QUESTION = "What do the quarterly figures say?"


@dataclass(frozen=True)
class Case:
    """One way to call a route. `kind` says what TARGET is, `rule` names a rule of `matrix_oracle.RULES`.

    `done` and `shape` are the status and the class of body of who may. `needs` replaces the route's for this case.
    `acts`: it changes something, which method and status say of most.
    `in_person`: closed to services although the route is not.
    `seen_by`: the rule that says for whom the target is hidden, where the route treats both alike.
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
    """A case whose target is one path parameter; `path` in `more` fills the others."""
    return Case(kind, rule, path={place: TARGET, **more.pop("path", {})}, **more)


# Where a page of a list begins: a place among what the caller sees, which names nothing.
PAGED = ("?after",)
NONE: dict[str, Any] = {"done": 204, "shape": "none"}
OPEN = "qzopenshelf"
CREW = "qzcrewshelf"
CREW_FOLDER = "qzcrewfolder"
# Filled by the world: the crew's document and the one that all may read.
CREW_DOCUMENT = "<crew document>"
OPEN_DOCUMENT = "<open document>"
# A moment at which the world stood as it stands.
MOMENT = "<moment>"
RULE_BODY = {"grants": [ANYBODY, {"role": "outside"}], "inherits": True}
ROLE_ON_CREW = "a role, by who rules the crew's shelf"
PERSON_ON_CREW = "a person, by who rules the crew's shelf"
ROLE_ON_DOCUMENT = "a role, by curators of the crew's document"
FOLDER_OF_CREW = "a folder of the crew's shelf"
NEW_FOLDER = "a new folder on the crew's shelf"
OWN_OR_ANY = "one's own, or any by an administrator"
OWN_NAME = "one's own name, or any by an administrator"
# A role can be delegated, which is no capability and counts here like one.
STEWARDS = "administer or look after"
PERSON_ON_DOCUMENT = "a person, by curators of the crew's document"


def named_in_rule(role: str, person: str, **where: Any) -> tuple[Case, ...]:
    return (
        Case("role", role, body={"grants": [{"role": TARGET}]}, **where),
        Case("user", person, body={"grants": [{"user": TARGET}]}, **where),
    )


def uploading(kind: str, rule: str, name: str, *, seen_by: str = "", **form: Any) -> Case:
    fields = {"file": b"# A page\n\nIts text.", "path": "new.md", "roles": ["everyone"], **form}
    return Case(kind, rule, path={"name": name}, form=fields, seen_by=seen_by, done=202)


def changing(kind: str, by: str, /, **fields: Any) -> Case:
    """A plan of one change."""
    needs = fields.pop("needs", "")
    return Case(kind, by, body={"changes": [fields]}, needs=needs, done=201)


def pair(
    first: tuple[str, str, str], second: tuple[str, str, str], one: str = "what is there", other: str = "what is there"
) -> tuple[Case, ...]:
    """Two names in one path, each varied in turn beside one that is there: (parameter, kind, the fixed name)."""
    return (
        on(first[1], one, first[0], path={second[0]: second[2]}, **NONE),
        on(second[1], other, second[0], path={first[0]: first[2]}, **NONE),
    )
