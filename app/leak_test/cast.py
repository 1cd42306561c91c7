"""Who takes part, what is planted and who may read it, as plain values: what the service must do is read off here.

The service is told the same in its own words (`stage`), and is then judged by these values alone.
"""

import secrets
from dataclasses import dataclass, field

PREFIX = "leak-test-"
# By this the kit knows its own again: it touches no user and no collection without it.
MARK = "Made by clearance leak-test"
ROLE_A, ROLE_INNER, ROLE_B = f"{PREFIX}a", f"{PREFIX}a-inner", f"{PREFIX}b"
# Each role and the roles that it lies inside of.
ROLES: dict[str, tuple[str, ...]] = {ROLE_A: (), ROLE_INNER: (ROLE_A,), ROLE_B: ()}
READ = ("ask", "download")


@dataclass(frozen=True)
class Person:
    """Somebody who asks. `user` is their name to the service; "" is a caller without a key. `head` is for tables."""

    head: str
    user: str
    about: str
    may: tuple[str, ...] = READ
    clearance: str = "restricted"
    roles: tuple[str, ...] = ()


PEOPLE: dict[str, Person] = {
    "in A": Person("A", f"{PREFIX}in-a", "in role A, cleared for every label", roles=(ROLE_A,)),
    "in B": Person("B", f"{PREFIX}in-b", "in role B", clearance="internal", roles=(ROLE_B,)),
    "inner": Person("in", f"{PREFIX}inner", "in a role inside A that one document denies", roles=(ROLE_INNER,)),
    "label": Person("lab", f"{PREFIX}label", "in role A, cleared to internal", clearance="internal", roles=(ROLE_A,)),
    "ended": Person("end", f"{PREFIX}ended", "has a grant that has ended and one that has not begun"),
    "left": Person("left", f"{PREFIX}left", "was in role A, asked, and has left it", clearance="internal"),
    "nobody": Person("none", f"{PREFIX}nobody", "in no role"),
    "curator": Person("cur", f"{PREFIX}curator", "curates the collection and is in no role", may=("ask", "curate")),
    "admin": Person("adm", f"{PREFIX}admin", "an administrator in no role", may=(*READ, "administer")),
    "auditor": Person("aud", f"{PREFIX}auditor", "reads the log, and no document", may=(*READ, "audit")),
    "service": Person("svc", f"{PREFIX}service", "a service that acts for 'in A'", clearance=""),
    "no key": Person("anon", "", "sends no key", may=()),
}


@dataclass(frozen=True)
class Planted:
    """A document: how it is tagged, and who of the people may read it."""

    name: str
    roles: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    label: str | None = None
    inherits: bool = False
    in_folder: bool = False
    like: str | None = None  # its text is that of this document, but for the canaries
    readers: frozenset[str] = frozenset()


_ALL_OF_A = frozenset({"in A", "inner", "label", "service"})
# What inherits has the collection's grant to role A; the folder breaks that, and is for role B.
DOCUMENTS: tuple[Planted, ...] = (
    Planted("for A", (ROLE_A,), readers=_ALL_OF_A),
    Planted("for B", (ROLE_B,), readers=frozenset({"in B"})),
    Planted("for both", (ROLE_A, ROLE_B), readers=_ALL_OF_A | {"in B"}),
    Planted("for A but not for those inside", (ROLE_A,), (ROLE_INNER,), readers=_ALL_OF_A - {"inner"}),
    Planted("for A, restricted", (ROLE_A,), label="restricted", readers=_ALL_OF_A - {"label"}),
    Planted("for A, with the words of one for B", (ROLE_A,), like="for B", readers=_ALL_OF_A),
    Planted("inheriting", inherits=True, readers=_ALL_OF_A),
    Planted("in a folder for B", inherits=True, in_folder=True, readers=frozenset({"in B"})),
    Planted("with a grant that has ended", (ROLE_A,), readers=_ALL_OF_A),
)
ENDED_ON = DOCUMENTS[-1].name
# Who gets to know what is no document's text: the shelf's name, the path of a folder with a rule, and so on.
CURATES, ADMINISTERS, AUDITS, LEFT = "curator", "admin", "auditor", "left"


@dataclass(frozen=True)
class Canary:
    """A word that stands in one place alone, and the people who may be shown it."""

    kind: str  # title, heading, path, text, folder, shelf, question, id
    of: str  # what carries it: a document's name, or what it is
    word: str = field(repr=False)
    knowers: frozenset[str]


@dataclass(frozen=True)
class Thing:
    """Something that requests name: a document by its id, a collection by its name."""

    kind: str  # document, shelf, folder, job, conversation, turn, plan, user, role, key, delegation, grant
    of: str
    value: str = field(repr=False)
    knowers: frozenset[str]


@dataclass(frozen=True)
class Text:
    """A document's words."""

    path: str
    content: bytes = field(repr=False)
    canaries: tuple[Canary, ...]


def word() -> str:
    """Fourteen letters that mean nothing and look like no secret."""
    pick = secrets.choice
    return "".join(pick("bdfgklmnprstvz") + pick("aeiou") for _ in range(7))


@dataclass
class Words:
    """The words of one run, drawn at random: no answer can hold one by chance, or from an earlier run."""

    topic: str = field(default_factory=word)
    shelf: str = field(default_factory=word)
    folder: str = field(default_factory=word)
    question: str = field(default_factory=word)
    likes: dict[str, str] = field(default_factory=dict)

    @property
    def shelf_name(self) -> str:
        """The collection's name, a canary itself."""
        return PREFIX + self.shelf

    def ask(self) -> str:
        """The question that every document answers; it holds no canary, for auditors may read questions."""
        return f"Where is the {self.topic} register kept, and who keeps it?"

    def text(self, planted: Planted) -> Text:
        """The document with its canaries: in title, heading, path and text."""
        shared = self.likes.setdefault(planted.like or planted.name, word())
        known = planted.readers | {CURATES}
        title, heading, path, text = (
            Canary(kind, planted.name, word(), planted.readers if kind != "path" else known)
            for kind in ("title", "heading", "path", "text")
        )
        content = (
            f"# Register {title.word}\n\n## Keeping {heading.word}\n\n"
            f"The {self.topic} register is kept by {shared} in the north hall, under the word {text.word}. "
            f"Who keeps the {self.topic} register signs for it there every evening.\n"
        )
        place = f"{self.folder}/{path.word}.md" if planted.in_folder else f"{path.word}.md"
        return Text(place, content.encode(), (title, heading, path, text))

    def own(self) -> tuple[Canary, ...]:
        """The canaries that stand in no document."""
        shelf = frozenset(p for d in DOCUMENTS for p in d.readers) | {CURATES, ADMINISTERS}
        below = frozenset(p for d in DOCUMENTS if d.in_folder for p in d.readers)
        # The path of a folder's rule is an administrator's word, and stands in the log as a collection's id does.
        folder = below | {CURATES, ADMINISTERS, AUDITS}
        return (
            Canary("shelf", "the collection", self.shelf, shelf),
            Canary("folder", "the folder", self.folder, folder),
            Canary("question", "a conversation", self.question, frozenset({LEFT, AUDITS})),
        )
