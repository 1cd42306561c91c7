"""Who takes part, what is planted and who may read it, as plain values.

`setup` makes the same on the service over its API; answers are then judged by these values alone.
"""

import secrets
from dataclasses import dataclass, field

from app.leak_test.canaries import Canary

PREFIX = "leak-test-"
# Marks what the leak test has made: it changes no user and no collection without it.
MARK = "Made by clearance leak-test"
ROLE_A, ROLE_INNER, ROLE_B = f"{PREFIX}a", f"{PREFIX}a-inner", f"{PREFIX}b"
# Each role and the roles that it lies inside of.
ROLES: dict[str, tuple[str, ...]] = {ROLE_A: (), ROLE_INNER: (ROLE_A,), ROLE_B: ()}
READ = ("ask", "download")


@dataclass(frozen=True)
class CastMember:
    """A caller. `user` is their name in the service, "" for a caller without a key; `head` their column in tables."""

    head: str
    user: str
    about: str
    may: tuple[str, ...] = READ
    clearance: str = "restricted"
    roles: tuple[str, ...] = ()


PEOPLE: dict[str, CastMember] = {
    "in A": CastMember("A", f"{PREFIX}in-a", "in role A, cleared for every label", roles=(ROLE_A,)),
    "in B": CastMember("B", f"{PREFIX}in-b", "in role B", clearance="internal", roles=(ROLE_B,)),
    "inner": CastMember("in", f"{PREFIX}inner", "in a role inside A that one document denies", roles=(ROLE_INNER,)),
    "label": CastMember(
        "lab", f"{PREFIX}label", "in role A, cleared to internal", clearance="internal", roles=(ROLE_A,)
    ),
    "ended": CastMember("end", f"{PREFIX}ended", "has a grant that has ended and one that has not begun"),
    "left": CastMember("left", f"{PREFIX}left", "was in role A, asked, and has left it", clearance="internal"),
    "nobody": CastMember("none", f"{PREFIX}nobody", "in no role"),
    "curator": CastMember("cur", f"{PREFIX}curator", "curates the collection and is in no role", may=("ask", "curate")),
    "admin": CastMember("adm", f"{PREFIX}admin", "an administrator in no role", may=(*READ, "administer")),
    "auditor": CastMember("aud", f"{PREFIX}auditor", "reads the log, and no document", may=(*READ, "audit", "export")),
    "service": CastMember("svc", f"{PREFIX}service", "a service that acts for 'in A'", clearance=""),
    "no key": CastMember("anon", "", "sends no key", may=()),
}


@dataclass(frozen=True)
class PlantedDocument:
    """A document: how it is tagged, and which of the people may read it."""

    name: str
    roles: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    label: str | None = None
    inherits: bool = False
    in_folder: bool = False
    like: str | None = None  # it has the text of this document, but for the canaries
    readers: frozenset[str] = frozenset()


_ALL_OF_A = frozenset({"in A", "inner", "label", "service"})
# What inherits has the collection's grant to role A; the folder has a rule of its own, for role B.
DOCUMENTS: tuple[PlantedDocument, ...] = (
    PlantedDocument("for A", (ROLE_A,), readers=_ALL_OF_A),
    PlantedDocument("for B", (ROLE_B,), readers=frozenset({"in B"})),
    PlantedDocument("for both", (ROLE_A, ROLE_B), readers=_ALL_OF_A | {"in B"}),
    PlantedDocument("for A but not for those inside", (ROLE_A,), (ROLE_INNER,), readers=_ALL_OF_A - {"inner"}),
    PlantedDocument("for A, restricted", (ROLE_A,), label="restricted", readers=_ALL_OF_A - {"label"}),
    PlantedDocument("for A, with the words of one for B", (ROLE_A,), like="for B", readers=_ALL_OF_A),
    PlantedDocument("inheriting", inherits=True, readers=_ALL_OF_A),
    PlantedDocument("in a folder for B", inherits=True, in_folder=True, readers=frozenset({"in B"})),
    PlantedDocument("with a grant that has ended", (ROLE_A,), readers=_ALL_OF_A),
)
ENDED_ON = DOCUMENTS[-1].name
# Who may know what is no document's text: the collection's name, the path of a folder with a rule, and so on.
CURATES, ADMINISTERS, AUDITS, LEFT = "curator", "admin", "auditor", "left"


@dataclass(frozen=True)
class ProbeTarget:
    """Something that requests name: a document by its id, a collection by its name. `knowers` may know of it."""

    kind: str  # document, collection, folder, job, conversation, turn, plan, user, role, key, delegation, grant
    of: str
    value: str = field(repr=False)
    knowers: frozenset[str]


@dataclass(frozen=True)
class DocumentText:
    """Path, content and canaries of a planted document."""

    path: str
    content: bytes = field(repr=False)
    canaries: tuple[Canary, ...]


def random_word() -> str:
    """Fourteen letters that mean nothing and do not look like a secret to the guardrail."""
    pick = secrets.choice
    return "".join(pick("bdfgklmnprstvz") + pick("aeiou") for _ in range(7))


@dataclass
class CanaryWords:
    """The words of one run, drawn at random: no answer holds one by chance or from an earlier run."""

    topic: str = field(default_factory=random_word)
    collection: str = field(default_factory=random_word)
    folder: str = field(default_factory=random_word)
    question: str = field(default_factory=random_word)
    shared_words: dict[str, str] = field(default_factory=dict)

    @property
    def collection_name(self) -> str:
        """The collection's name, which holds a canary."""
        return PREFIX + self.collection

    def ask(self) -> str:
        """The question that every document answers; it holds no canary, for auditors may read questions."""
        return f"Where is the {self.topic} register kept, and who keeps it?"

    def text(self, planted: PlantedDocument) -> DocumentText:
        """The document with its canaries: in title, heading, path and text."""
        shared = self.shared_words.setdefault(planted.like or planted.name, random_word())
        known = planted.readers | {CURATES}
        title, heading, path, text = (
            Canary(kind, planted.name, random_word(), planted.readers if kind != "path" else known)
            for kind in ("title", "heading", "path", "text")
        )
        content = (
            f"# Register {title.word}\n\n## Keeping {heading.word}\n\n"
            f"The {self.topic} register is kept by {shared} in the north hall, under the word {text.word}. "
            f"Who keeps the {self.topic} register signs for it there every evening.\n"
        )
        place = f"{self.folder}/{path.word}.md" if planted.in_folder else f"{path.word}.md"
        return DocumentText(place, content.encode(), (title, heading, path, text))

    def unattached(self) -> tuple[Canary, ...]:
        """The canaries of collection, folder and conversation, which stand in no document."""
        everybody = frozenset(p for d in DOCUMENTS for p in d.readers) | {CURATES, ADMINISTERS}
        below = frozenset(p for d in DOCUMENTS if d.in_folder for p in d.readers)
        # An administrator sees the path of a folder's rule, and the log holds it as it holds a collection's id.
        folder = below | {CURATES, ADMINISTERS, AUDITS}
        return (
            Canary("collection", "the collection", self.collection, everybody),
            Canary("folder", "the folder", self.folder, folder),
            Canary("question", "a conversation", self.question, frozenset({LEFT, AUDITS})),
        )
