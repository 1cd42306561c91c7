"""The facts of the route matrix: people, shelves and documents as plain values, and who reads what by them.

The oracle reads these alone. The product gets the same facts over HTTP (`matrix_world`), and is asked.
"""

from dataclasses import dataclass

EVERY = ("ask", "download", "curate", "administer", "audit")
LABELS = ("public", "internal", "confidential", "restricted")
# Each role and the roles that it lies inside of. `tags` is what the founders tag with; `spare` no rule names.
ROLES: dict[str, tuple[str, ...]] = {"crew": (), "guests": ("crew",), "outside": (), "tags": (), "spare": ()}


@dataclass(frozen=True)
class Shelf:
    """A shelf with one document. Principals are `everyone`, `role NAME` and `user NAME`; `ended` are allows of 2020."""

    label: str
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    capabilities: tuple[str, ...]
    clearance: str = "confidential"
    roles: tuple[str, ...] = ()
    curates: tuple[str, ...] = ()
    looks_after: tuple[str, ...] = ()


SHELVES: dict[str, Shelf] = {
    "open": Shelf("internal", allow=("everyone",)),
    "crew": Shelf("confidential", allow=("role crew",), deny=("role guests",)),
    "vault": Shelf("restricted", allow=("role crew",)),
    "past": Shelf("internal", ended=("user late",)),
    "none": Shelf("internal"),
}
PEOPLE: dict[str, Person] = {
    "reader": Person(("ask", "download"), roles=("crew",)),
    "outsider": Person(("ask", "download"), roles=("outside",)),
    "guest": Person(("ask", "download"), roles=("guests",)),
    "late": Person(("ask", "download")),
    "curator": Person(("ask", "curate"), curates=("crew",)),
    "elsewhere": Person(("ask", "curate"), curates=("past",)),
    "keeper": Person(("ask", "curate"), curates=tuple(SHELVES)),
    "administrator": Person(("administer",)),
    "auditor": Person(("audit",)),
    "steward": Person(("ask",), looks_after=("outside",)),
    "strong": Person(EVERY, "restricted", ("crew",), tuple(SHELVES)),
    "bare": Person((), "restricted", ("crew",), ("crew",)),
    "gone": Person(EVERY, "restricted", ("crew",), tuple(SHELVES)),
    "bystander": Person(("ask",)),
}
# Those of them who call.
CALLING = [name for name in PEOPLE if name not in {"gone", "bystander"}]
FOLDERS = ("crew", "vault")
# Who lets the service act for them: all who call and have what can be lent.
LENDABLE = frozenset({"ask", "download"})
# Who put the document of each shelf there: what the jobs of an upload show is for them alone.
UPLOADERS = {shelf: "curator" if shelf == "crew" else "keeper" for shelf in SHELVES}


def shelf_name(shelf: str) -> str:
    """The name of a shelf, itself a canary."""
    return f"qz{shelf}shelf"


def folder_on(shelf: str) -> str:
    """The folder of a shelf that has a rule of its own, a canary too; of the shelves in FOLDERS."""
    return f"qz{shelf}folder"


def path_on(shelf: str) -> str:
    """The path of its document, a canary."""
    return f"qz{shelf}path.md"


def content_of(shelf: str) -> str:
    """Its document: canaries in title and text, and words that every document has."""
    common = "The quarterly figures are on this page. The quarterly figures are final."
    return f"# Qz{shelf}title\n\n{common} Qz{shelf}text stands behind them."


def roles_of(person: str) -> frozenset[str]:
    """The roles of a person, those that these lie inside of too."""
    held: set[str] = set()
    waiting = list(PEOPLE[person].roles)
    while waiting:
        role = waiting.pop()
        held.add(role)
        waiting.extend(set(ROLES[role]) - held)
    return frozenset(held)


def reads(person: str, shelf: str) -> bool:
    """Whether a person may read the document of a shelf: an allow in time, no deny, and the clearance for its label."""
    about = {"everyone", f"user {person}", *(f"role {role}" for role in roles_of(person))}
    rule = SHELVES[shelf]
    cleared = LABELS.index(rule.label) <= LABELS.index(PEOPLE[person].clearance)
    return bool(about & set(rule.allow)) and not about & set(rule.deny) and cleared
