"""Makes the throw-away collection and its people on the running instance.

The users have the same names in each run: the service cannot delete a user, and so no run adds any.
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
from app.leak_test.canaries import Canary
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
    CanaryWords,
    DocumentText,
    PlantedDocument,
    ProbeTarget,
)  # fmt: skip
from app.leak_test.cleanup import delete_conversations
from app.leak_test.http import ProbeClient

# Seconds until keys end by themselves, should the run be killed.
KEY_SECONDS = 3600
MAX_CONCURRENT = 4

BeginStep = Callable[[str], None]


class CannotTest(UserError):
    """The test cannot be made, or could not clean up; the message says what to do."""


@dataclass
class Setup:
    """What this run has made on the instance. Keys are held in the clients only.

    Each person has two keys, since the rate limit counts by key: one for routes, one for questions and commands.
    """

    admin: Client
    words: CanaryWords = field(default_factory=CanaryWords)
    clients: dict[str, ProbeClient] = field(default_factory=dict, repr=False)
    model_clients: dict[str, ProbeClient] = field(default_factory=dict, repr=False)
    canaries: list[Canary] = field(default_factory=list)
    targets: list[ProbeTarget] = field(default_factory=list)
    begun_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __post_init__(self) -> None:
        # Counted apart, so that no request to a route waits for a model.
        self._slots = {name: threading.BoundedSemaphore(MAX_CONCURRENT) for name in ("routes", "questions")}
        self.canaries.extend(self.words.unattached())

    def build(self, begin_step: BeginStep) -> None:
        """Make everything, in an order in which nobody may read, even for a moment, what they must not."""
        begin_step("roles and people")
        self._roles()
        self._people()
        begin_step("a collection")
        collection = self.words.collection_name
        grants = [{"role": ROLE_A}]
        self.admin.post("/collections", {"name": collection, "description": MARK, "grants": grants})
        self.admin.put(path("collections", collection, "curators", PEOPLE[CURATES].user))
        begin_step("keys")
        self._keys()
        self._forget_conversations()
        self._documents(begin_step)
        begin_step("grants that count no longer, or not yet; a plan")
        self._grants_and_plan()

    def target(self, kind: str, of: str, value: str, *knowers: str) -> None:
        """Note a target; its id is a canary that only its knowers and auditors may be shown."""
        known = frozenset(knowers)
        self.targets.append(ProbeTarget(kind, of, value, known))
        if kind not in {"user", "role", "collection", "folder"}:
            self.canaries.append(Canary("id", f"{kind} {of}".strip(), value, known | {AUDITS}))

    def document(self, name: str) -> str:
        return next(t.value for t in self.targets if t.kind == "document" and t.of == name)

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
            for what, clients in (("routes", self.clients), ("questions", self.model_clients)):
                key = None
                if person.user:
                    body = {"user": person.user, "label": MARK, "capabilities": list(person.may), "expires_at": until}
                    made = self.admin.post("/keys", body)
                    key = made["secret"]
                    self.target("key", f"of '{name}' for {what}", made["id"], name, ADMINISTERS)
                clients[name] = ProbeClient(url, self._slots[what], key=key, token=token)

    def close(self) -> None:
        for client in (*self.clients.values(), *self.model_clients.values()):
            client.close()

    def _delegation(self) -> str:
        service = PEOPLE["service"].user
        body = {"service": service, "expires_in": KEY_SECONDS, "capabilities": ["ask", "download"]}
        made = self._as("in A", "POST", "/delegations", body=body)
        self.target("delegation", "to the service", made["id"], "in A", ADMINISTERS)
        return str(made["secret"])

    def _forget_conversations(self) -> None:
        """Delete those that a killed run has left, as their owners: nobody else can."""
        for name in self.clients:
            if "ask" in PEOPLE[name].may:
                delete_conversations(self.clients[name])

    def _documents(self, begin_step: BeginStep) -> None:
        collection, folder = self.words.collection_name, self.words.folder
        rule = {"grants": [{"role": ROLE_B}], "inherits": False}
        self._as(CURATES, "PUT", path("collections", collection, "access"), params={"folder": folder}, body=rule)
        texts = {planted.name: self.words.text(planted) for planted in DOCUMENTS}
        for text in texts.values():
            self.canaries.extend(text.canaries)
        with (
            tempfile.TemporaryDirectory() as place,
            Client(self.admin.base_url, self.clients[CURATES].key) as curator,
        ):
            items = [_item(Path(place), collection, planted, texts[planted.name]) for planted in DOCUMENTS]
            ended: list[UploadOutcome] = []

            def one_more(outcome: UploadOutcome) -> None:
                ended.append(outcome)
                begin_step(f"documents: {len(ended)} of {len(items)} indexed")

            begin_step(f"documents: 0 of {len(items)} indexed")
            outcomes = upload(curator, items, on_end=one_more)
            jobs = {job["path"]: job for job in curator.get("/jobs", limit=500) if job["collection"] == collection}
        if failed := [o for o in outcomes if o.state != "indexed"]:
            raise CannotTest(f"{len(failed)} planted documents were not indexed: {failed[0].reason or failed[0].state}")
        for planted in DOCUMENTS:
            job = jobs[texts[planted.name].path]
            self.target("document", planted.name, job["document"], *planted.readers, CURATES)
            self.target("job", planted.name, job["id"], CURATES)

    def _grants_and_plan(self) -> None:
        collection, ended = self.words.collection_name, PEOPLE["ended"].user
        on = {"document": self.document(ENDED_ON)}
        past = {"user": ended, "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}
        grant = self._as(CURATES, "POST", "/grants", params=on, body=past)
        self._as(CURATES, "POST", "/grants", params=on, body={"user": ended, "starts_at": "2999-01-01T00:00:00Z"})
        change = {"change": "grant", "collection": collection, "grant": {"role": ROLE_B}}
        plan = self._as(CURATES, "POST", "/access/plans", body={"changes": [change]})
        self.target("grant", "that has ended", grant["id"], CURATES)
        self.target("plan", "of the curator", plan["id"], CURATES, ADMINISTERS)
        knowers = {canary.kind: canary.knowers for canary in self.words.unattached()}
        self.target("collection", "the collection", collection, *knowers["collection"])
        self.target("folder", "the folder", self.words.folder, CURATES, ADMINISTERS)
        self.target("user", "nobody", PEOPLE["nobody"].user, "nobody", CURATES, ADMINISTERS, AUDITS)
        self.target("role", "A", ROLE_A, *PEOPLE)

    def _as(self, who: str, method: str, place: str, **options: Any) -> Any:
        """The answer to what a person does to set up the test. Raises CannotTest if it is refused."""
        answer = self.clients[who].send(method, f"/api/v1{place}", **options)
        if not 200 <= answer.status < 300:
            problem = answer.json() or {}
            detail = problem.get("detail") or problem.get("title") or f"status {answer.status}"
            raise CannotTest(f"'{who}' could not set up the test ({method} {place.split('/')[1]}): {detail}")
        return answer.json()

    def leave_role(self) -> None:
        """Take 'left' out of role A: from now on they may read nothing."""
        self.admin.delete(path("roles", ROLE_A, "members", PEOPLE[LEFT].user))

    def enter_role(self) -> None:
        """Put 'left' into role A, for as long as they ask."""
        self.admin.put(path("roles", ROLE_A, "members", PEOPLE[LEFT].user))


def _item(place: Path, collection: str, planted: PlantedDocument, text: DocumentText) -> UploadItem:
    file = place / text.path.rsplit("/", 1)[-1]
    file.write_bytes(text.content)
    tags = Tags(roles=planted.roles, deny=planted.deny, label=planted.label or "", inherits=planted.inherits)
    return UploadItem(file, collection, text.path, tags)


def _own_or_refuse(user: dict[str, Any] | None, name: str) -> None:
    if user is not None and user["display_name"] != MARK:
        raise CannotTest(f"a user {name} is there who is not the leak test's own: rename them")
