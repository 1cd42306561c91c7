"""Makes the throw-away collection and its people on the running instance.

The users' names are the same in each run: the service has no way to delete a user, and this way no run adds to them.
"""

import datetime as dt
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.client.access_file import Tags
from app.client.api import Client, path
from app.client.errors import UserError
from app.client.upload import UploadItem, UploadOutcome, upload
from app.leak_test.cast import (
    ADMINISTERS,
    AUDITS,
    CURATES,
    DOCUMENTS,
    ENDED_ON,
    LEFT,
    MARK,
    PEOPLE,
    ROLE_A,
    ROLE_B,
    ROLES,
    Canary,
    Planted,
    Text,
    Thing,
    Words,
)  # fmt: skip
from app.leak_test.cleanup import forget_conversations
from app.leak_test.requests import Asker

# A killed run's keys stop working by themselves.
KEY_SECONDS = 3600
AT_ONCE = 4

Told = Callable[[str], None]


class CannotTest(UserError):
    """The test cannot be made, or could not clean up; the message says what to do."""


@dataclass
class Stage:
    """What stands on the instance for this run. Secrets are in the askers alone.

    Each person has two keys, for the rate limit counts by key: one for routes, one for questions and commands.
    """

    admin: Client
    words: Words = field(default_factory=Words)
    askers: dict[str, Asker] = field(default_factory=dict, repr=False)
    others: dict[str, Asker] = field(default_factory=dict, repr=False)
    canaries: list[Canary] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    begun_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __post_init__(self) -> None:
        # Apart, so that no route waits for a model.
        self._slots = {name: threading.BoundedSemaphore(AT_ONCE) for name in ("routes", "questions")}
        self.canaries.extend(self.words.own())

    def raise_it(self, told: Told) -> None:
        """Make everything, in an order in which nobody gets to read for a moment what they must not."""
        told("roles and people")
        self._roles()
        self._people()
        told("a collection")
        shelf = self.words.shelf_name
        grants = [{"role": ROLE_A}]
        self.admin.post("/collections", {"name": shelf, "description": MARK, "grants": grants})
        self.admin.put(path("collections", shelf, "curators", PEOPLE[CURATES].user))
        told("keys")
        self._keys()
        self._forget_conversations()
        self._documents(told)
        told("grants that count no longer, or not yet; a plan")
        self._things()

    def thing(self, kind: str, of: str, value: str, *knowers: str) -> None:
        """Note something that requests name, and whose id may be shown to its knowers alone."""
        known = frozenset(knowers)
        self.things.append(Thing(kind, of, value, known))
        if kind not in {"user", "role", "shelf", "folder"}:
            self.canaries.append(Canary("id", f"{kind} {of}".strip(), value, known | {AUDITS}))

    def document(self, name: str) -> str:
        """The id of a planted document."""
        return next(t.value for t in self.things if t.kind == "document" and t.of == name)

    def _roles(self) -> None:
        known = {role["name"]: role["inside"] for role in self.admin.pages("/roles")}
        for role, inside in ROLES.items():
            if role not in known:
                self.admin.post("/roles", {"name": role, "inside": inside})
            elif sorted(known[role]) != sorted(inside):
                raise CannotTest(f"the role {role} is not the leak test's own: rename it")

    def _people(self) -> None:
        known = {user["name"]: user for user in self.admin.pages("/users")}
        for person in PEOPLE.values():
            if not person.user:
                continue
            _own_or_refuse(known.get(person.user), person.user)
            rights: dict[str, Any] = {"capabilities": list(person.may)}
            if person.clearance:
                rights["clearance"] = person.clearance
            if person.user in known:
                self.admin.patch(path("users", person.user), {**rights, "active": True})
            else:
                kind = "person" if person.clearance else "service"
                self.admin.post("/users", {"name": person.user, "kind": kind, "display_name": MARK, **rights})
            for role in person.roles:
                self.admin.put(path("roles", role, "members", person.user))

    def _keys(self) -> None:
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=KEY_SECONDS)).isoformat()
        url = self.admin.base_url
        for name, person in PEOPLE.items():
            token = self._delegation() if name == "service" else None
            for what, askers in (("routes", self.askers), ("questions", self.others)):
                key = None
                if person.user:
                    body = {"user": person.user, "label": MARK, "capabilities": list(person.may), "expires_at": until}
                    made = self.admin.post("/keys", body)
                    key = made["secret"]
                    self.thing("key", f"of '{name}' for {what}", made["id"], name, ADMINISTERS)
                askers[name] = Asker(url, self._slots[what], key=key, token=token)

    def close(self) -> None:
        """Close all connections."""
        for asker in (*self.askers.values(), *self.others.values()):
            asker.close()

    def _delegation(self) -> str:
        service = PEOPLE["service"].user
        body = {"service": service, "expires_in": KEY_SECONDS, "capabilities": ["ask", "download"]}
        made = self._as("in A", "POST", "/delegations", body=body)
        self.thing("delegation", "to the service", made["id"], "in A", ADMINISTERS)
        return str(made["secret"])

    def _forget_conversations(self) -> None:
        """Those that a killed run has left: nobody but their owners can delete them."""
        for name in self.askers:
            if "ask" in PEOPLE[name].may:
                forget_conversations(self.askers[name])

    def _documents(self, told: Told) -> None:
        shelf, folder = self.words.shelf_name, self.words.folder
        rule = {"grants": [{"role": ROLE_B}], "inherits": False}
        self._as(CURATES, "PUT", path("collections", shelf, "access"), params={"folder": folder}, body=rule)
        texts = {planted.name: self.words.text(planted) for planted in DOCUMENTS}
        for text in texts.values():
            self.canaries.extend(text.canaries)
        with (
            tempfile.TemporaryDirectory() as place,
            Client(self.admin.base_url, self.askers[CURATES].key) as curator,
        ):
            items = [_item(Path(place), shelf, planted, texts[planted.name]) for planted in DOCUMENTS]
            ended: list[UploadOutcome] = []

            def one_more(outcome: UploadOutcome) -> None:
                ended.append(outcome)
                told(f"documents: {len(ended)} of {len(items)} indexed")

            told(f"documents: 0 of {len(items)} indexed")
            outcomes = upload(curator, items, on_end=one_more)
            jobs = {job["path"]: job for job in curator.get("/jobs", limit=500) if job["collection"] == shelf}
        if failed := [o for o in outcomes if o.state != "indexed"]:
            raise CannotTest(f"{len(failed)} planted documents were not indexed: {failed[0].reason or failed[0].state}")
        for planted in DOCUMENTS:
            job = jobs[texts[planted.name].path]
            self.thing("document", planted.name, job["document"], *planted.readers, CURATES)
            self.thing("job", planted.name, job["id"], CURATES)

    def _things(self) -> None:
        shelf, ended = self.words.shelf_name, PEOPLE["ended"].user
        on = {"document": self.document(ENDED_ON)}
        past = {"user": ended, "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}
        grant = self._as(CURATES, "POST", "/grants", params=on, body=past)
        self._as(CURATES, "POST", "/grants", params=on, body={"user": ended, "starts_at": "2999-01-01T00:00:00Z"})
        change = {"change": "grant", "collection": shelf, "grant": {"role": ROLE_B}}
        plan = self._as(CURATES, "POST", "/access/plans", body={"changes": [change]})
        self.thing("grant", "that has ended", grant["id"], CURATES)
        self.thing("plan", "of the curator", plan["id"], CURATES, ADMINISTERS)
        word = {canary.kind: canary for canary in self.words.own()}
        self.thing("shelf", "the collection", shelf, *word["shelf"].knowers)
        self.thing("folder", "the folder", self.words.folder, CURATES, ADMINISTERS)
        self.thing("user", "nobody", PEOPLE["nobody"].user, "nobody", CURATES, ADMINISTERS, AUDITS)
        self.thing("role", "A", ROLE_A, *PEOPLE)

    def _as(self, who: str, method: str, place: str, **options: Any) -> Any:
        """What a person of the stage does to set it up; a refusal means that there is nothing to test on."""
        answer = self.askers[who].send(method, f"/api/v1{place}", **options)
        if not 200 <= answer.status < 300:
            problem = answer.json() or {}
            detail = problem.get("detail") or problem.get("title") or f"status {answer.status}"
            raise CannotTest(f"'{who}' could not set up the test ({method} {place.split('/')[1]}): {detail}")
        return answer.json()

    def leave_role(self) -> None:
        """Take 'left' out of role A: from here on they may read nothing."""
        self.admin.delete(path("roles", ROLE_A, "members", PEOPLE[LEFT].user))

    def enter_role(self) -> None:
        """Put 'left' into role A, for as long as they ask."""
        self.admin.put(path("roles", ROLE_A, "members", PEOPLE[LEFT].user))


def _item(place: Path, shelf: str, planted: Planted, text: Text) -> UploadItem:
    file = place / text.path.rsplit("/", 1)[-1]
    file.write_bytes(text.content)
    tags = Tags(roles=planted.roles, deny=planted.deny, label=planted.label or "", inherits=planted.inherits)
    return UploadItem(file, shelf, text.path, tags)


def _own_or_refuse(user: dict[str, Any] | None, name: str) -> None:
    if user is not None and user["display_name"] != MARK:
        raise CannotTest(f"a user {name} is there who is not the leak test's own: rename them")
