"""Random companies, as plain values: a policy, documents that a caller may see, and hidden ones made to get in the way.

A hidden document is a near-duplicate of a visible one or a flood of a question's words, so that a search that saw it
would show it. Nothing here touches a database.
"""

import datetime as dt
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.acl.rules import EVERYONE, Capability, Grant, Label, OwnRule, Principal, Subject, decide, effective

NOUNS = """turbine crane vessel ledger payroll invoice contract gearbox harbour permit roster audit seal pump breaker
mooring tender rotor budget claim warranty bearing cable blade licence voucher survey anchor valve depot"""
SUBJECTS = NOUNS.split()
VERBS = ["inspect", "approve", "replace", "renew", "report", "measure", "schedule", "refuse", "sign", "repair", "lease"]
ADVERBS = ["weekly", "yearly", "twice", "before", "after", "under", "above", "near", "without", "against", "since"]
PLACES = ["Aldermouth", "Brack", "Corran", "Dunmore", "Eskdale", "Farholm", "Gannet", "Hythe", "Innis", "Jarrow"]


@dataclass(frozen=True)
class Text:
    """One passage: its heading and words."""

    heading: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class Page:
    """A document. `place` is the number of its scope in the world; public ids come from the seed alone."""

    path: str
    title: str
    place: int
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Place:
    """A scope to be: its shelf and its own rule there."""

    shelf: str
    own: OwnRule


@dataclass(frozen=True)
class World:
    """A policy, its documents in the order of writing, who asks, and what."""

    seed: int
    roles: Mapping[str, uuid.UUID]
    nesting: tuple[tuple[str, str], ...]
    caller: Subject
    held: tuple[str, ...]
    shelves: Mapping[str, OwnRule]
    places: tuple[Place, ...]
    pages: tuple[Page, ...]
    seen: frozenset[int]
    questions: tuple[str, ...] = ()

    def visible(self, page: Page) -> bool:
        """Whether the caller may read this page, by the oracle."""
        return page.place in self.seen

    def without_hidden(self) -> "World":
        """The same world, had nobody ever written what the caller may not see, nor made a scope for it."""
        kept = tuple(p for p in self.pages if self.visible(p))
        return replace(self, pages=kept)

    def name(self, *parts: object) -> uuid.UUID:
        """A public id: random to the eye, and the same in both worlds."""
        return uuid.uuid5(uuid.UUID(int=self.seed), "/".join(map(str, parts)))


def make_world(seed: int, at: dt.datetime, *, flood: int = 0) -> World:
    """A company of this seed: at least 7 scopes and 30 documents, a nested role, a deny, two shelves.

    `flood` adds that many hidden documents more.
    """
    chance = random.Random(seed)
    roles = {name: uuid.uuid5(uuid.UUID(int=seed), name) for name in ("crew", "staff", "board", "temps", "yard")}
    held = ("crew", *chance.sample(["temps", "yard"], chance.randint(0, 1)))
    caller = Subject(
        user_id=uuid.uuid5(uuid.UUID(int=seed), "caller"),
        name=f"caller-{seed}",
        roles=frozenset(roles[r] for r in (*held, "staff")),
        clearance=Label(chance.randint(1, 2)),
        capabilities=frozenset({Capability.ASK}),
        curates=frozenset(),
        key_id=uuid.UUID(int=0),
        key_prefix="",
    )
    shelves = {
        "a": OwnRule(frozenset({_to("allow", roles["staff"])}), inherits=False, label=Label.INTERNAL),
        "b": OwnRule(frozenset({_to("allow", roles["board"])}), inherits=False, label=Label.PUBLIC),
    }
    places = _places(chance, roles, caller, at)
    seen = frozenset(n for n, p in enumerate(places) if decide(caller, effective(shelves[p.shelf], p.own), at).allowed)
    world = World(seed, roles, (("crew", "staff"),), caller, held, shelves, places, (), seen)
    return _with_pages(world, chance, flood)


def _places(
    chance: random.Random, roles: Mapping[str, uuid.UUID], caller: Subject, at: dt.datetime
) -> tuple[Place, ...]:
    """Scopes that are open to the caller, scopes that each rule closes in its way, and some of any kind."""
    past, soon = at - dt.timedelta(hours=1), at + dt.timedelta(days=1)
    closed = [
        OwnRule(frozenset({_to("deny", roles["crew"])})),
        OwnRule(frozenset({Grant("allow", EVERYONE, None, past)}), inherits=False),
        OwnRule(frozenset({Grant("allow", EVERYONE, soon, None)}), inherits=False),
        OwnRule(label=Label.RESTRICTED),
        OwnRule(frozenset({Grant("allow", EVERYONE), _to("deny", roles["staff"])}), inherits=False),
    ]
    some = [
        OwnRule(
            frozenset(
                _to(chance.choice(["allow", "allow", "deny"]), chance.choice(list(roles.values()))) for _ in range(2)
            ),
            inherits=chance.random() < 0.5,
            label=chance.choice([None, *Label]),
        )
        for _ in range(3)
    ]
    owns = [
        ("a", OwnRule()),
        ("b", OwnRule()),
        ("b", OwnRule(frozenset({Grant("allow", Principal("user", caller.user_id), None, soon)}), inherits=False)),
        *(("a", own) for own in chance.sample(closed, 3)),
        *((chance.choice("ab"), own) for own in some),
    ]
    unique = {(shelf, own.digest): Place(shelf, own) for shelf, own in owns}
    mixed = list(unique.values())
    chance.shuffle(mixed)
    return tuple(mixed)


def _with_pages(world: World, chance: random.Random, flood: int) -> World:
    opened, shut = sorted(world.seen), sorted(set(range(len(world.places))) - world.seen)
    originals = [_page(chance, f"p{n}", chance.choice(opened)) for n in range(chance.randint(16, 24))]
    asked = chance.sample(originals, 3)
    questions = tuple(_question(chance, page) for page in asked)
    hidden = [
        _near_copy(chance, chance.choice(asked), f"h{n}", chance.choice(shut)) for n in range(chance.randint(10, 16))
    ]
    hidden += [_flood(chance, questions, f"f{n}", chance.choice(shut)) for n in range(4 + flood)]
    hidden += [_page(chance, f"x{n}", chance.choice(shut)) for n in range(3)]
    # Woven in at random, the visible ones in their order: so the numbers of visible rows differ between the worlds.
    slots = sorted([*((chance.random(), page) for page in hidden), *_in_order(chance, originals)], key=lambda s: s[0])
    return replace(world, pages=tuple(page for _, page in slots), questions=questions)


def _in_order(chance: random.Random, pages: Sequence[Page]) -> list[tuple[float, Page]]:
    return list(zip(sorted(chance.random() for _ in pages), pages, strict=True))


def _page(chance: random.Random, path: str, place: int) -> Page:
    about = chance.sample(SUBJECTS, 3)
    texts = tuple(
        Text(
            (f"{chance.choice(VERBS)} {about[0]}",),
            " ".join(_sentence(chance, about) for _ in range(chance.randint(2, 5))),
        )
        for _ in range(chance.randint(1, 3))
    )
    return Page(path, f"{about[0]} {chance.choice(PLACES)}", place, texts)


def _sentence(chance: random.Random, about: Sequence[str]) -> str:
    return (
        f"At {chance.choice(PLACES)} we {chance.choice(VERBS)} the {chance.choice(about)} {chance.choice(ADVERBS)} "
        f"{chance.choice(SUBJECTS)} {chance.randint(2, 90)}."
    )


def _question(chance: random.Random, page: Page) -> str:
    words = chance.choice(page.texts).words.rstrip(".").split()
    start = chance.randrange(max(1, len(words) - 9))
    return f"When do we {page.title}: {' '.join(words[start : start + 9])}?"


def _near_copy(chance: random.Random, page: Page, path: str, place: int) -> Page:
    """One word of each passage changed."""
    texts = []
    for piece in page.texts:
        words = piece.words.split()
        words[chance.randrange(len(words))] = chance.choice(SUBJECTS)
        texts.append(Text(piece.heading, " ".join(words)))
    return Page(path, page.title, place, tuple(texts))


def _flood(chance: random.Random, questions: Sequence[str], path: str, place: int) -> Page:
    """A question over and over: best in every ranking, and its words common all of a sudden."""
    words = chance.choice(questions).split()
    picked = chance.sample(words, max(4, len(words) * 3 // 4))
    return Page(path, "flood", place, (Text((), " ".join(picked * chance.randint(1, 4))),))


def _to(effect: str, role: uuid.UUID) -> Grant:
    return Grant("allow" if effect == "allow" else "deny", Principal("role", role))
