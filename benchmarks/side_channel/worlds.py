"""Databases that differ in hidden documents alone, for `benchmarks.side_channel`.

Visible and hidden documents are written in one random order, so that visible rows lie between hidden ones as they do
where people upload side by side. Hidden are near-duplicates of visible passages and floods of the questions' words, in
the reader's own collection, and other prose in collections of its own; each scope belongs to a role that no caller has.
"""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.progress import track

from app.acl.rules import OwnRule
from app.identity.subject import FOR_PEOPLE, Capability
from benchmarks.world import VOCABULARY, Db, Document, World, allow, indexed, prose, question_about

PER_DOCUMENT = 5  # passages
VISIBLE_SCOPES, HIDDEN_SCOPES = 30, 24
OWN_COLLECTIONS = 4  # of hidden documents alone
LIBRARY, ELSEWHERE = "library", "elsewhere"
PUBLISH = (
    "update document d set public_id = n.id from unnest(%s::text[], %s::uuid[]) n (path, id) where d.path = n.path"
)


@dataclass(frozen=True)
class Book:
    """A document: the scopes below VISIBLE_SCOPES are the reader's, the others hidden."""

    path: str
    scope: int
    texts: tuple[str, ...]

    @property
    def id(self) -> uuid.UUID:
        """Its public id, the same in each world."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"book {self.path}")

    @property
    def beside_visible(self) -> bool:
        """Whether a hidden book stands in the collection that the reader reads from: two of three do."""
        return (self.scope - VISIBLE_SCOPES) % 3 != 0


@dataclass(frozen=True)
class Library:
    """Visible books, hidden ones, and questions that visible passages answer."""

    visible: tuple[Book, ...]
    hidden: tuple[Book, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Keys:
    """API keys, good in each world: a reader, and two curators who read nothing."""

    reader: str
    librarian: str
    elsewhere: str


def library(visible: int, hidden: int) -> Library:
    """Books of `visible` passages, and `hidden` books for each visible one."""
    rng = random.Random(1)
    texts = [prose(rng) for _ in range(visible)]
    questions = tuple(question_about(text) for text in rng.sample(texts, min(40, visible)))
    makers = (_near_duplicate(rng, texts), _flood(rng, questions), iter(lambda: prose(rng), ""))
    secret = [next(makers[n % 3]) for n in range(visible * hidden)]
    shown = tuple(_books(texts, "shown", 0, VISIBLE_SCOPES))
    return Library(shown, tuple(_books(secret, "hidden", VISIBLE_SCOPES, HIDDEN_SCOPES)), questions)


def worlds(empty: Db, stock: Library, hidden: Iterable[int]) -> tuple[Keys, dict[str, Db]]:
    """The databases by the names of their worlds: A, its twin A', and one B for each multiple of hidden documents.

    People and rules are the same in each: a reader with 30 roles and a scope for each of them, two curators, and the
    hidden scopes, two of three in the reader's collection and the others in collections of their own.
    """
    keys, places = _people(World(empty))
    made = {}
    for k in (0, *hidden):
        name = "A" if k == 0 else f"B×{k}"
        made[name] = empty.copy(f"{empty.name}_{k}")
        _fill(made[name], stock.visible + stock.hidden[: k * len(stock.visible)], places, name)
    made["A'"] = made["A"].copy(f"{empty.name}_twin")
    return keys, made


def _people(world: World) -> tuple[Keys, list[tuple[uuid.UUID, int]]]:
    closed = OwnRule(inherits=False)
    library_, elsewhere = world.collection(LIBRARY, closed), world.collection(ELSEWHERE, closed)
    vaults = [world.collection(f"vault-{n}", closed) for n in range(OWN_COLLECTIONS)]
    readers = [world.role(f"readers-{n}") for n in range(VISIBLE_SCOPES)]
    secret = [world.role(f"secret-{n}") for n in range(HIDDEN_SCOPES)]
    collections = [library_] * VISIBLE_SCOPES
    collections += [library_ if n % 3 else vaults[n // 3 % OWN_COLLECTIONS] for n in range(HIDDEN_SCOPES)]
    reader = world.person("reader", may=(Capability.ASK, Capability.DOWNLOAD), roles=readers)
    curators = [world.person(f"curates-{c}", may=(Capability.CURATE,), curates=[c]) for c in (library_, elsewhere)]
    roles = zip(collections, [*readers, *secret], strict=True)
    places = [(collection, world.scope(collection, allow(role))) for collection, role in roles]
    keys = Keys(*(world.key(user, sorted(FOR_PEOPLE)) for user in (reader, *curators)))
    world.settle()
    return keys, places


def _fill(db: Db, books: Sequence[Book], places: Sequence[tuple[uuid.UUID, int]], name: str) -> None:
    # By their ids, which are drawn: visible books keep their order whatever else there is, and ties go by it.
    ordered = sorted(books, key=lambda book: book.id)
    documents = (
        Document(book.path, *places[book.scope], indexed(book.texts, book.path))
        for book in track(ordered, description=f"writing {name}")
    )
    world = World(db)
    world.documents(documents)
    with db.admin() as connection:
        connection.execute(PUBLISH, [[book.path for book in ordered], [book.id for book in ordered]])
    world.settle()


def _books(texts: Sequence[str], name: str, first: int, scopes: int) -> Iterator[Book]:
    """Whole books in turns, so that each scope gets all kinds of texts."""
    for n, start in enumerate(range(0, len(texts), PER_DOCUMENT)):
        yield Book(f"{name}-{n}.md", first + n % scopes, tuple(texts[start : start + PER_DOCUMENT]))


def _near_duplicate(rng: random.Random, texts: Sequence[str]) -> Iterator[str]:
    while True:
        words = rng.choice(texts).rstrip(".").split()
        for _ in range(2):
            words[rng.randrange(len(words))] = rng.choice(VOCABULARY)
        yield " ".join(words) + "."


def _flood(rng: random.Random, questions: Sequence[str]) -> Iterator[str]:
    """The words of two questions over and over, in any order."""
    while True:
        words = [w for q in rng.sample(list(questions), 2) for w in q.removesuffix("?").split()[4:]] * 6
        rng.shuffle(words)
        yield " ".join(words) + "."
