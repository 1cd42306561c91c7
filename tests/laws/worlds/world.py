"""Random companies, as plain values: a policy, documents that a caller may see, and hidden ones made to get in the way.

A hidden document is a near-duplicate of a visible one or a flood of a question's words, so that a search that saw it
would show it. A `Spec` says in a few small values what a world is; nothing here touches a database.
"""

import datetime as dt
import hashlib
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import TypeAdapter

from app.acl.rules import Effect, Grant, OwnRule, decide, effective
from app.identity.subject import EVERYONE, Capability, Label, Principal, Subject
from tests.laws.worlds.pages import Page, write_pages

# Each role may lie inside those behind it: no circle can be.
ROLES = ("crew", "staff", "temps", "yard", "board")
WINDOWS = ("always", "now", "ended", "to come")
# Folders that may have a rule of their own, one inside the other.
FOLDERS = ("field", "field/north")


@dataclass(frozen=True)
class GrantSpec:
    """A grant to be: `who` is a role's number in ROLES, 5 for the caller and 6 for everyone."""

    effect: Effect
    who: int
    window: str


@dataclass(frozen=True)
class OwnSpec:
    """An own rule to be; `label` is -1 for none of its own."""

    grants: tuple[GrantSpec, ...]
    inherits: bool
    label: int


@dataclass(frozen=True)
class PlaceSpec:
    """A scope to be, on collection "a" or "b", directly on it or under so many of the folders."""

    collection: str
    depth: int
    own: OwnSpec


@dataclass(frozen=True)
class Spec:
    """All that decides a world. `salt` keeps batches apart; `words` is the seed of the texts and of their order."""

    salt: int
    words: int
    nesting: tuple[tuple[int, int], ...]
    held: tuple[int, ...]
    clearance: int
    late: str
    folders: tuple[OwnSpec, ...]
    places: tuple[PlaceSpec, ...]
    visible: int
    copies: int
    floods: int
    others: int
    questions: int

    def to_json(self) -> str:
        """One line, which `from_json` reads back: what a failing world prints."""
        return _SPECS.dump_json(self).decode()

    @classmethod
    def from_json(cls, line: str) -> "Spec":
        return _SPECS.validate_json(line)

    @cached_property
    def digest(self) -> bytes:
        return hashlib.sha256(self.to_json().encode()).digest()


_SPECS = TypeAdapter(Spec)


@dataclass(frozen=True)
class Place:
    """A scope to be: its collection, how deep in the folders, and its own rule there."""

    collection: str
    depth: int
    own: OwnRule


@dataclass(frozen=True)
class World:
    """A policy, its documents in the order of writing, who asks, and what."""

    spec: Spec
    roles: Mapping[str, uuid.UUID]
    nesting: tuple[tuple[str, str], ...]
    caller: Subject
    held: tuple[str, ...]
    collections: Mapping[str, OwnRule]
    folders: tuple[OwnRule, ...]
    places: tuple[Place, ...]
    pages: tuple[Page, ...]
    seen: frozenset[int]
    questions: tuple[str, ...] = ()

    def chain(self, place: Place) -> tuple[OwnRule, ...]:
        """The rules that decide at a place, outermost first."""
        return self.collections[place.collection], *self.folders[: place.depth], place.own

    def path(self, page: Page) -> str:
        """Where the page lies on its collection."""
        return "/".join([*FOLDERS[: self.places[page.place].depth][-1:], page.path])

    def visible(self, page: Page) -> bool:
        """Whether the caller may read this page, by the oracle."""
        return page.place in self.seen

    def without_hidden(self) -> "World":
        """The same world, had nobody ever written what the caller may not see, nor made a scope for it."""
        return replace(self, pages=tuple(p for p in self.pages if self.visible(p)))

    def name(self, *parts: object) -> uuid.UUID:
        """A public id: random to the eye, and the same in both worlds."""
        return _name(self.spec, *parts)


def world_of(spec: Spec, at: dt.datetime) -> World:
    """The company of this spec: at least 5 scopes and 30 documents, a nested role, a deny, two collections.

    `at` is the moment that grants begin and end around.
    """
    roles = {name: _name(spec, "role", name) for name in ROLES}
    nesting = {(0, 1), *spec.nesting}
    caller = Subject(
        user_id=_name(spec, "caller"),
        name=f"caller-{spec.digest.hex()[:16]}",
        roles=frozenset(roles[ROLES[n]] for n in _closed(spec.held, nesting)),
        clearance=Label(spec.clearance),
        capabilities=frozenset({Capability.ASK, Capability.DOWNLOAD}),
        curates=frozenset(),
        key_id=uuid.UUID(int=0),
        key_prefix="",
    )
    collections = {
        "a": OwnRule(frozenset({_to("allow", roles["staff"])}), inherits=False, label=Label.INTERNAL),
        "b": OwnRule(frozenset({_to("allow", roles["board"])}), inherits=False, label=Label.PUBLIC),
    }
    policy = _Policy(spec, roles, caller, at)
    folders = tuple(map(policy.own, spec.folders))
    named = tuple((ROLES[a], ROLES[b]) for a, b in sorted(nesting))
    held = tuple(ROLES[n] for n in spec.held)
    world = World(spec, roles, named, caller, held, collections, folders, policy.places(), (), frozenset())
    seen = frozenset(
        n for n, place in enumerate(world.places) if decide(caller, effective(*world.chain(place)), at).allowed
    )
    pages, questions = write_pages(
        random.Random(spec.digest),
        opened=sorted(seen),
        shut=sorted(set(range(len(world.places))) - seen),
        counts=(spec.visible, spec.copies, spec.floods, spec.others),
        questions=spec.questions,
    )
    return replace(world, pages=pages, seen=seen, questions=questions)


class _Policy:
    """Turns the rules of a spec into rules about this world's people."""

    def __init__(self, spec: Spec, roles: Mapping[str, uuid.UUID], caller: Subject, at: dt.datetime) -> None:
        past, soon = at - dt.timedelta(hours=1), at + dt.timedelta(days=1)
        self._windows = {"always": (None, None), "now": (past, soon), "ended": (None, past), "to come": (soon, None)}
        me = Principal("user", caller.user_id)
        self._principals = [*(Principal("role", roles[name]) for name in ROLES), me, EVERYONE]
        self._spec = spec
        self._mine = OwnRule(frozenset({Grant("allow", me, None, soon)}), inherits=False)
        self._not_crew = OwnRule(frozenset({_to("deny", roles["crew"])}))

    def own(self, given: OwnSpec) -> OwnRule:
        """The rule as the product has it."""
        return OwnRule(
            frozenset(Grant(g.effect, self._principals[g.who], *self._windows[g.window]) for g in given.grants),
            inherits=given.inherits,
            label=None if given.label < 0 else Label(given.label),
        )

    def places(self) -> tuple[Place, ...]:
        """Scopes that are open to the caller, scopes that each rule closes in its way, and those of the spec."""
        depth = len(self._spec.folders)
        late = Grant("allow", EVERYONE, *self._windows[self._spec.late])
        found = [
            Place("a", 0, OwnRule()),
            Place("b", 0, self._mine),
            Place("a", 0, self._not_crew),
            Place("a", 0, OwnRule(label=Label.RESTRICTED)),
            Place("a", 0, OwnRule(frozenset({late}), inherits=False)),
            Place("a", depth, OwnRule()),
            *(Place(p.collection, min(p.depth, depth), self.own(p.own)) for p in self._spec.places),
        ]
        unique = list({(p.collection, p.depth, p.own.digest): p for p in found}.values())
        random.Random(self._spec.words).shuffle(unique)
        return tuple(unique)


def _closed(held: tuple[int, ...], nesting: set[tuple[int, int]]) -> set[int]:
    """All roles of who holds these. The edges go upwards, so that one pass in order reaches all."""
    closed = set(held)
    for inner, outer in sorted(nesting):
        if inner in closed:
            closed.add(outer)
    return closed


def _name(spec: Spec, *parts: object) -> uuid.UUID:
    return uuid.uuid5(uuid.UUID(bytes=spec.digest[:16]), "/".join(map(str, parts)))


def _to(effect: Effect, role: uuid.UUID) -> Grant:
    return Grant(effect, Principal("role", role))
