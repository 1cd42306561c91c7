"""The facts of the route matrix: people, collections and documents as plain values, and who reads what by them.

The oracle reads these alone. The product gets the same facts over HTTP (`matrix_world`), and is asked.
"""

from dataclasses import dataclass

EVERY = ("ask", "download", "curate", "administer", "audit", "open", "export", "erase", "hold", "reveal")
LABELS = ("public", "internal", "confidential", "restricted")
# Each role and the roles that it lies inside of. `tags` is what the founders tag with; `spare` no rule names.
ROLES: dict[str, tuple[str, ...]] = {"crew": (), "guests": ("crew",), "outside": (), "tags": (), "spare": ()}


@dataclass(frozen=True)
class CollectionFacts:
    """A collection with one document. Principals: `everyone`, `role NAME`, `user NAME`; `ended` are allows of 2020."""

    label: str
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


@dataclass(frozen=True)
class PersonFacts:
    capabilities: tuple[str, ...]
    clearance: str = "confidential"
    roles: tuple[str, ...] = ()
    curates: tuple[str, ...] = ()
    looks_after: tuple[str, ...] = ()


COLLECTIONS: dict[str, CollectionFacts] = {
    "open": CollectionFacts("internal", allow=("everyone",)),
    "crew": CollectionFacts("confidential", allow=("role crew",), deny=("role guests",)),
    "vault": CollectionFacts("restricted", allow=("role crew",)),
    "past": CollectionFacts("internal", ended=("user late",)),
    "none": CollectionFacts("internal"),
}
PEOPLE: dict[str, PersonFacts] = {
    "reader": PersonFacts(("ask", "download", "reveal"), roles=("crew",)),
    "outsider": PersonFacts(("ask", "download"), roles=("outside",)),
    "guest": PersonFacts(("ask", "download", "reveal"), roles=("guests",)),
    "late": PersonFacts(("ask", "download")),
    "curator": PersonFacts(("ask", "curate"), curates=("crew",)),
    "elsewhere": PersonFacts(("ask", "curate"), curates=("past",)),
    "keeper": PersonFacts(("ask", "curate"), curates=tuple(COLLECTIONS)),
    "administrator": PersonFacts(("administer",)),
    "auditor": PersonFacts(("audit", "export")),
    "steward": PersonFacts(("ask",), looks_after=("outside",)),
    "strong": PersonFacts(EVERY, "restricted", ("crew",), tuple(COLLECTIONS)),
    "bare": PersonFacts((), "restricted", ("crew",), ("crew",)),
    "gone": PersonFacts(EVERY, "restricted", ("crew",), tuple(COLLECTIONS)),
    "bystander": PersonFacts(("ask",)),
}
# Those of them who call.
CALLING = [name for name in PEOPLE if name not in {"gone", "bystander"}]
FOLDERS = ("crew", "vault")
# Who lets the service act for them: all who call and have what can be lent.
LENDABLE = frozenset({"ask", "download"})
# Who put the document of each collection there: what the jobs of an upload show is for them alone.
UPLOADERS = {collection: "curator" if collection == "crew" else "keeper" for collection in COLLECTIONS}


def collection_name(collection: str) -> str:
    return f"qz{collection}collection"


def folder_on(collection: str) -> str:
    """The folder of a collection that has a rule of its own, a canary too; of the collections in FOLDERS."""
    return f"qz{collection}folder"


def path_on(collection: str) -> str:
    return f"qz{collection}path.md"


def content_of(collection: str) -> str:
    """Its document: canaries in title and text, and words that every document has."""
    common = "The quarterly figures are on this page. The quarterly figures are final."
    return f"# Qz{collection}title\n\n{common} Qz{collection}text stands behind them."


def roles_of(person: str) -> frozenset[str]:
    """The roles of a person, those that these lie inside of too."""
    held: set[str] = set()
    waiting = list(PEOPLE[person].roles)
    while waiting:
        role = waiting.pop()
        held.add(role)
        waiting.extend(set(ROLES[role]) - held)
    return frozenset(held)


def reads(person: str, collection: str) -> bool:
    """Whether a person may read the document of a collection: an allow in time, no deny, clearance for its label."""
    about = {"everyone", f"user {person}", *(f"role {role}" for role in roles_of(person))}
    rule = COLLECTIONS[collection]
    cleared = LABELS.index(rule.label) <= LABELS.index(PEOPLE[person].clearance)
    return bool(about & set(rule.allow)) and not about & set(rule.deny) and cleared
