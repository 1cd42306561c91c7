"""What each caller must get for each act on each thing: plain Python over the facts, apart from the product's code."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.api.matrix.facts import COLLECTIONS, FOLDERS, PEOPLE, UPLOADERS, collection_name, folder_on, path_on, reads
from tests.api.matrix.route_access import OF_RULED, ON_CREW_REVIEW, Case, Route


@dataclass(frozen=True)
class Expected:
    """Status, and for a problem its code."""

    status: int
    code: str | None = None


NOT_SIGNED_IN = Expected(401, "NotSignedIn")


@dataclass(frozen=True)
class Caller:
    """Somebody who calls. `person` is None for who is nobody to us, and gets `refusal` wherever a key is needed.

    `may` is what person and key both may do, with `look after` for who has roles delegated. `lent`: a service speaks
    for the person. `headers` as they are sent, one name possibly twice. `provisions`: a service that keeps a source,
    nobody to every other route.
    """

    name: str
    headers: tuple[tuple[str, str], ...]
    person: str | None = None
    may: frozenset[str] = frozenset()
    lent: bool = False
    metrics: bool = False
    session: bool = False
    refusal: Expected = NOT_SIGNED_IN
    provisions: bool = False


@dataclass(frozen=True)
class Target:
    """A thing that a request names. `collection` is where it stands, `owner` whose it is; absent, it is neither.

    `ours`: one of the service's own, whose names begin with an underscore; for callers it does not exist.
    """

    kind: str
    value: str
    collection: str | None = None
    owner: str | None = None
    absent: bool = False
    ours: bool = False
    grant: str = "0" * 32

    @property
    def there(self) -> bool:
        """Whether it exists for callers at all."""
        return not self.absent and not self.ours


Refusal = Expected | None
AccessRule = Callable[[Caller, Target], Refusal]
IN_PERSON = Expected(403, "InPersonNeeded")
MISSING = Expected(403, "MissingCapability")
NOT_ALLOWED = Expected(403, "NotAllowed")
NOT_FOUND = Expected(404, "NotFound")
INVALID = Expected(422, "InvalidInput")
UNKNOWN_ROLE = Expected(422, "UnknownRole")
SELF_GRANT = Expected(403, "SelfGrant")
BEYOND_REACH = Expected(403, "BeyondReach")


def reading(caller: Caller, target: Target) -> bool:
    return caller.person is not None and target.collection is not None and reads(caller.person, target.collection)


def curating(caller: Caller, target: Target) -> bool:
    """Whether the caller curates the collection, with a key that may."""
    return "curate" in caller.may and caller.person is not None and target.collection in PEOPLE[caller.person].curates


def administering(caller: Caller) -> bool:
    """Whether the caller is an administrator, with a key that may."""
    return "administer" in caller.may


def sees_collection(caller: Caller, target: Target) -> bool:
    ruled = target.there and (administering(caller) or curating(caller, target))
    return ruled or reading(caller, target)


def is_own(caller: Caller, target: Target) -> bool:
    return target.owner is not None and target.owner == caller.person


def _placed(caller: Caller, target: Target) -> bool:
    return reading(caller, target) or curating(caller, target)


def _hidden_unless(may: Callable[[Caller, Target], bool]) -> AccessRule:
    return lambda caller, target: None if may(caller, target) else NOT_FOUND


_curator = _hidden_unless(curating)


def _ruling(caller: Caller, target: Target) -> bool:
    return target.there and (curating(caller, target) or administering(caller))


def _collection_rules(caller: Caller, target: Target) -> Refusal:
    if not sees_collection(caller, target):
        return NOT_FOUND
    return None if curating(caller, target) or administering(caller) else NOT_ALLOWED


def _collection_curator(caller: Caller, target: Target) -> Refusal:
    if not sees_collection(caller, target):
        return NOT_FOUND
    return None if curating(caller, target) else MISSING


def _explain_others(caller: Caller, target: Target) -> Refusal:
    if not _placed(caller, target):
        return NOT_FOUND
    return None if curating(caller, target) or administering(caller) else MISSING


def _on(collection: str, inner: AccessRule, then: Refusal) -> AccessRule:
    """The rule of what stands on one fixed collection; `then` where the target itself is not there."""

    def rule(caller: Caller, target: Target) -> Refusal:
        fixed = Target("collection", collection_name(collection), collection)
        return inner(caller, fixed) or (None if target.there and target.collection in {None, collection} else then)

    return rule


def _grantee_on_crew(inner: AccessRule) -> AccessRule:
    return lambda caller, target: _on("crew", inner, INVALID)(caller, target) or _grantee(caller, target)


def _known(_caller: Caller, target: Target) -> Refusal:
    return None if target.there else NOT_FOUND


def _by_administrators(caller: Caller, target: Target) -> Refusal:
    """The form of a name comes first, then the right, and then whether there is somebody."""
    if target.value.startswith("_"):
        return INVALID
    return _known(caller, target) if administering(caller) else MISSING


def _another(caller: Caller, target: Target) -> Refusal:
    """Nobody gives to themselves, nor takes from themselves what may deny."""
    return SELF_GRANT if is_own(caller, target) else _known(caller, target)


def _grantee(caller: Caller, target: Target) -> Refusal:
    return _another(caller, target) if target.there else INVALID


def _delegated(caller: Caller, target: Target) -> Refusal:
    """A role that is there and not one's to look after is beyond reach, and so is one that is not there."""
    if administering(caller):
        return _known(caller, target)
    mine = PEOPLE[caller.person].looks_after if caller.person else ()
    return None if target.value in mine else BEYOND_REACH


def _told_of_others(caller: Caller, target: Target) -> Refusal:
    rules = administering(caller) or any(curating(caller, Target("collection", "", name)) for name in COLLECTIONS)
    return _known(caller, target) if rules else MISSING


def _looked_into(caller: Caller, target: Target) -> Refusal:
    """A folder of the crew's collection: who rules there is told that there is none, who reads there finds nothing."""
    crew = Target("collection", collection_name("crew"), "crew")
    if not sees_collection(caller, crew):
        return NOT_FOUND
    rules = curating(caller, crew) or administering(caller)
    return NOT_FOUND if rules and (not target.there or target.collection != "crew") else None


def _lending(caller: Caller, target: Target) -> Refusal:
    """A service, by who has what is to be lent; the form of a name comes first."""
    if target.value.startswith("_"):
        return INVALID
    if "ask" not in caller.may:
        return MISSING
    return None if target.there else INVALID


def _own_key(caller: Caller, target: Target) -> Refusal:
    return None if is_own(caller, target) or (target.there and administering(caller)) else NOT_FOUND


def _own_name(caller: Caller, target: Target) -> Refusal:
    return None if is_own(caller, target) or administering(caller) else MISSING


def _signed_out(caller: Caller, target: Target) -> Refusal:
    """Another name is told the same, whether somebody has it or not."""
    if is_own(caller, target):
        return None
    return _known(caller, target) if administering(caller) else MISSING


def _explained(caller: Caller, target: Target) -> Refusal:
    return None if is_own(caller, target) else _on("open", _explain_others, NOT_FOUND)(caller, target)


RULES: dict[str, AccessRule] = {
    "anybody": lambda _caller, _target: None,
    "its readers": _hidden_unless(reading),
    "its readers and curators": _hidden_unless(_placed),
    "its curators": _curator,
    "who sees the collection": _hidden_unless(sees_collection),
    "who rules the collection": _collection_rules,
    "who curates the collection": _collection_curator,
    "who may know of others": _explain_others,
    "a grant of the crew's collection": _on("crew", _collection_rules, NOT_FOUND),
    "a grant of the crew's document": _on("crew", _curator, NOT_FOUND),
    "a role, by who rules the crew's collection": _on("crew", _collection_rules, UNKNOWN_ROLE),
    "a person, by who rules the crew's collection": _grantee_on_crew(_collection_rules),
    "a role, by curators of the crew's document": _on("crew", _curator, UNKNOWN_ROLE),
    "a person there, by curators of the crew's document": _on("crew", _curator, NOT_FOUND),
    "a person, by curators of the crew's document": _grantee_on_crew(_curator),
    "a role, by who curates the crew's collection": _on("crew", _collection_curator, UNKNOWN_ROLE),
    "a path, by who curates the crew's collection": _on("crew", _collection_curator, None),
    "a part of the crew's collection, by who sees it": _on("crew", _hidden_unless(sees_collection), None),
    "a folder to look into": _looked_into,
    "a folder of the crew's collection": _on("crew", _collection_rules, NOT_FOUND),
    "a new folder on the crew's collection": _on("crew", _collection_rules, None),
    "a person, by who rules a collection": _told_of_others,
    "a role, by who rules a collection": _told_of_others,
    "one's delegated role": _delegated,
    "a person's access to the open document": _explained,
    "a person, by who may know of others' access to the open document": _on("open", _explain_others, NOT_FOUND),
    OF_RULED: _hidden_unless(_ruling),
    ON_CREW_REVIEW: _on("crew", _hidden_unless(_ruling), NOT_FOUND),
    "what is there": _known,
    "a user, by an administrator": _by_administrators,
    "a role": lambda _, target: None if target.there else UNKNOWN_ROLE,
    "a person": _grantee,
    "another person": _another,
    "a service, by who may ask": _lending,
    "an outer role": lambda _, target: None if target.there else Expected(409, "Conflict"),
    "of the service's source": lambda caller, target: (
        None if caller.provisions and target.there and target.owner == "okta" else NOT_FOUND
    ),
    "one's own": _hidden_unless(is_own),
    "one's own, or any by an administrator": _own_key,
    "one's own name, or any by an administrator": _own_name,
    "oneself, or anybody by an administrator": _signed_out,
    "by administrators, or in a session": lambda caller, _target: (
        None if caller.session or administering(caller) else MISSING
    ),
    "in a browser's session": lambda caller, _target: None if caller.session else MISSING,
}


def expected(caller: Caller, route: Route, case: Case, target: Target) -> Expected:
    needs = case.needs or route.needs
    if needs == "public":
        return Expected(case.done)
    if needs == "metrics key":
        return Expected(case.done) if caller.metrics else NOT_SIGNED_IN
    if caller.person is None and not caller.provisions:
        return caller.refusal
    return _of_somebody(caller, route, case, target)


def _of_somebody(caller: Caller, route: Route, case: Case, target: Target) -> Expected:
    """What a person gets, and a service that keeps a source, which is nobody to every route but those for it."""
    needs = case.needs or route.needs
    if caller.provisions and needs != "provision":
        return IN_PERSON
    lacking = not caller.provisions and needs != "key" and not set(needs.split(" or ")) & caller.may
    if caller.lent and (not route.lent or (case.in_person and not lacking)):
        return IN_PERSON
    if lacking:
        return MISSING
    return RULES[case.rule](caller, target) or Expected(case.done)


def state(caller: Caller, case: Case, target: Target) -> str:
    """Visible, hidden or absent: what the target is for the caller, whatever the route then says."""
    if not case.kind:
        return "no target"
    if target.absent:
        return "absent"
    refusal = RULES[case.seen_by or case.rule](caller, target)
    hidden = target.ours or (refusal is not None and refusal.status in {404, 422})
    return "hidden" if hidden else "visible"


def canary_words() -> dict[str, tuple[str, str]]:
    """Each canary word, with the collection it betrays and what of it: name, path, folder, title or text."""
    words: dict[str, tuple[str, str]] = {}
    for collection in COLLECTIONS:
        words |= {collection_name(collection): (collection, "name"), path_on(collection): (collection, "path")}
        words |= {folder_on(collection): (collection, "folder")} if collection in FOLDERS else {}
        words |= {f"qz{collection}title": (collection, "title"), f"qz{collection}text": (collection, "text")}
    return words


def knows(caller: Caller, collection: str, part: str) -> bool:
    """Whether this canary may be in an answer to the caller, on whatever route."""
    if caller.person is None:
        return False
    target = Target("collection", collection_name(collection), collection=collection)
    if part in {"title", "text"}:
        return reading(caller, target)
    if part == "folder":
        # The record of a folder's rule names its path.
        return curating(caller, target) or administering(caller) or "audit" in caller.may
    if _placed(caller, target) or UPLOADERS[collection] == caller.person:
        return True
    # /users/me says what one curates, also to a key that may not curate.
    return part == "name" and (administering(caller) or collection in PEOPLE[caller.person].curates)
