"""Who calls, and what they name: every kind of caller, and for each the things of a kind."""

from collections.abc import Mapping
from typing import Any

from tests.api.matrix.facts import (
    CALLING,
    COLLECTIONS,
    FOLDERS,
    LENDABLE,
    PEOPLE,
    UPLOADERS,
    collection_name,
    folder_on,
    path_on,
)
from tests.api.matrix.oracle import Caller, Expected, Target
from tests.api.matrix.world import NO_GRANT, SIGNED_IN, World
from tests.api.problems import ABSENT
from tests.support.service import METRICS_KEY

WRONG = "clr_abcdefgh_" + "x" * 43
WRONG_TOKEN = "cld_abcdefgh_" + "x" * 43
ON_BEHALF_OF = "Clearance-On-Behalf-Of"
# Kinds that are named by an id.
IDS = frozenset({"document", "job", "failed job", "key", "conversation", "turn", "plan", "delegation", "session",
                 "link", "passkey", "scim user", "scim group", "leak test", "review", "review item",
                 "log export", "interrupted export", "saved query", "recorded id", "sealed record", "opening",
                 "waiting opening", "erasure", "waiting erasure", "waiting rule", "legal hold",
                 "pseudonym"})  # fmt: skip


def callers(world: World) -> list[Caller]:
    """Every kind: who is nobody, each person with a key, keys that differ from their person, a service for each."""
    found = [Caller("anonymous", ()), Caller("no scheme", (("Authorization", WRONG),))]
    found.append(Caller("another scheme", (("Authorization", f"Basic {WRONG}"),)))
    found.append(Caller("malformed key", _key("not-a-key")))
    found.append(Caller("wrong key", _key(WRONG)))
    found += [Caller(name, _key(world.keys[name])) for name in ("expired key", "revoked key", "deactivated person")]
    found.append(Caller("metrics key", _key(METRICS_KEY), metrics=True))
    for name in CALLING:
        may = frozenset(PEOPLE[name].capabilities) | ({"look after"} if PEOPLE[name].looks_after else set())
        found.append(Caller(name, _key(world.keys[name]), name, may))
    found.append(Caller("strong, by a weak key", _key(world.keys["weak key"]), "strong"))
    found.append(Caller("provisioning service", _key(world.keys["okta"]), provisions=True))
    found.append(
        Caller("administrator, in a session", world.session, SIGNED_IN, frozenset({"administer"}), session=True)
    )
    return [*found, *_services(world)]


def _services(world: World) -> list[Caller]:
    """A service alone, with tokens that do not count, and on behalf of everybody who lets it."""
    bot, token = _key(world.keys["bot"]), world.tokens["reader"]
    found = [
        Caller("service alone", bot, refusal=Expected(403, "OnBehalfOfNeeded")),
        Caller("service, wrong token", (*bot, (ON_BEHALF_OF, WRONG_TOKEN))),
        Caller("service, malformed token", (*bot, (ON_BEHALF_OF, "reader"))),
        Caller("service, two tokens", (*bot, (ON_BEHALF_OF, token), (ON_BEHALF_OF, token))),
        Caller("another service's key with the token", (*_key(world.keys["other bot"]), (ON_BEHALF_OF, token))),
        Caller("token alone", ((ON_BEHALF_OF, token),)),
        Caller("token as a key", _key(token)),
    ]
    own = (*_key(world.keys["reader"]), (ON_BEHALF_OF, token))
    found.append(Caller("person's own key with a token", own, refusal=Expected(400, "BadRequest")))
    for name in ("expired", "revoked", "of a revoked key", "of a deactivated person"):
        found.append(Caller(f"service, token {name}", (*bot, (ON_BEHALF_OF, world.tokens[name]))))
    for name in CALLING:
        if lent := LENDABLE & set(PEOPLE[name].capabilities):
            headers = (*bot, (ON_BEHALF_OF, world.tokens[name]))
            found.append(Caller(f"service on behalf of {name}", headers, name, lent, lent=True))
    return found


def _key(secret: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Bearer {secret}"),)


# The roles that fit where a case needs them: named by no rule, with a member, inside another.
ROLES_OF = {
    "role": ["tags"],
    "free role": ["spare"],
    "source role": ["okta:red"],
    "role with a member": ["outside"],
    "inner role": ["guests"],
    "outer role": ["crew"],
    "delegable role": ["outside", "tags"],
}
# Of the collections that a caller may not see, the one whose reason is the caller's comes first.
FIRST = {
    "guest": "crew",
    "reader": "vault",
    "late": "past",
    "curator": "vault",
    "elsewhere": "crew",
    "outsider": "crew",
}
# Persons and services where only one will do.
WHO = {"curator": "curator", "member": "outsider", "steward": "steward", "service": "bot", "other user": "bystander",
       "user who is off": "gone", "user with a session": "outsider"}  # fmt: skip


def targets(world: World, kind: str, caller: Caller) -> list[Target]:
    """All things of a kind that may be named, hidden ones of the service's own with them; none of them absent."""
    if kind in world.things:
        things = world.things[kind]
        return [Target(kind, things[p], owner=p) for p in sorted(things, key=lambda p: p != caller.person)]
    if kind in WHO:
        return [Target(kind, WHO[kind]), Target(kind, "_canary", ours=True)]
    if kind in ROLES_OF:
        return [Target(kind, role) for role in ROLES_OF[kind]]
    if kind == "user":
        people = sorted({"bystander", *filter(None, [caller.person])}, key=lambda p: p != caller.person)
        return [*(Target(kind, p, owner=p) for p in people), Target(kind, "_canary", ours=True)]
    return _on_collections(world, kind, sorted(COLLECTIONS, key=lambda s: s != FIRST.get(str(caller.person))))


def _on_collections(world: World, kind: str, collections: list[str]) -> list[Target]:
    grants = world.grants["document" if kind.startswith("document") else "folder" if kind == "folder" else "collection"]
    match kind:
        case "collection" | "collection with a folder":
            found = [Target(kind, collection_name(s), collection=s, grant=grants.get(s, NO_GRANT)) for s in collections]
            return [
                *(t for t in found if kind == "collection" or t.collection in FOLDERS),
                Target(kind, "_canary", ours=True),
            ]
        case "document":
            found = [Target(kind, world.documents[s], collection=s, grant=grants.get(s, NO_GRANT)) for s in collections]
            return [*found, Target(kind, world.documents["_canary"], ours=True)]
        case "folder":
            return [Target(kind, folder_on(s), collection=s, grant=grants[s]) for s in FOLDERS]
        case "path":
            return [Target(kind, path_on("crew"), collection="crew")]
        case "grant" | "document grant":
            return [Target(kind, grant, collection=s) for s, grant in grants.items()]
        case "review" | "review item":
            ids = world.reviews if kind == "review" else world.review_items
            found = [Target(kind, ids[s], collection=s) for s in collections if s in ids]
        case "pseudonym":
            found = [Target(kind, world.pseudonyms[s], collection=s) for s in collections]
        case "job" | "failed job":
            jobs = world.jobs if kind == "job" else world.failed_jobs
            found = [Target(kind, jobs[s], collection=s, owner=UPLOADERS[s]) for s in collections]
        case _:
            raise AssertionError(f"no targets of the kind {kind!r}")
    return found


def absent_twin(target: Target, *, malformed: bool = False) -> Target:
    """The absent thing that a hidden one must look like: a value of the same form and length, or a malformed id.

    An id is any other; a name of the service's own keeps its underscore, which bodies refuse by form.
    """
    if target.kind in IDS:
        value = "not-a-uuid" if malformed else str(ABSENT)
    elif target.kind.endswith("grant"):
        value = "0" * 31 + "1"
    else:
        keep = 1 if target.value.startswith("_") else 0
        value = target.value[:keep] + "x" * (len(target.value) - keep)
    return Target(target.kind, value, absent=True)


def fill(value: Any, words: Mapping[str, Any]) -> Any:
    """The value with each whole string that is a placeholder replaced."""
    if isinstance(value, Mapping):
        return {key: fill(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, words) for inner in value]
    return words.get(value, value) if isinstance(value, str) else value
