"""Loads the sample company through the API: its roles, people, shelves and documents, each as whoever may do it."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from app.client.access_file import AccessFile
from app.client.api import Client, path
from app.client.upload import ACCESS_FILE, UploadItem, UploadOutcome, scan_folder, upload
from app.identity.subject import Capability
from app.local.administrator import make_first_administrator
from app.local.sample_cache import Person, SampleLoader, Site, Welcome
from app.local.sample_people import ADMINISTRATOR, ADMINISTRATOR_KEY, FOLDER, PEOPLE_FILE, SampleFailed, read_people
from app.local.secrets import write_private
from app.settings import LabelName

# Uploads what no sample person curates; reads nothing, and is switched off when all is loaded.
IMPORTER = "importer"
KEY_LABEL = "sample company"

Progress = Callable[[str], None]


def silent(_text: str) -> None:
    """Progress for nobody."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SampleCollection(_Strict):
    """A shelf."""

    name: str
    description: str
    label: LabelName


class SampleRole(_Strict):
    """A role and the roles it lies inside of."""

    name: str
    inside: list[str] = Field(default_factory=list)


class SamplePerson(_Strict):
    """Somebody of the company."""

    name: str
    display: str
    title: str
    roles: list[str]
    clearance: LabelName
    capabilities: list[Capability]
    curate: list[str] = Field(default_factory=list)

    @property
    def may(self) -> list[Capability]:
        """Capabilities; who curates a shelf needs that one too."""
        return [*self.capabilities, *([Capability.CURATE] if self.curate else [])]


class Company(_Strict):
    """company.yaml."""

    name: str
    blurb: str
    collections: list[SampleCollection]
    roles: list[SampleRole]
    people: list[SamplePerson]

    @classmethod
    def read(cls, folder: Path) -> "Company":
        """The company of this sample folder."""
        return cls.model_validate(yaml.safe_load((folder / "company.yaml").read_text(encoding="utf-8")))


def load(*, base_url: str, admin_key: str, folder: Path, people_file: Path, progress: Progress) -> None:
    """Load the company in `folder` and write its people with their keys to `people_file` (0600), last of all.

    With that file there, nothing is done; without it, what an interrupted load has left is completed. `progress` is
    told what is being done.
    """
    if people_file.exists():
        return
    company = Company.read(folder)
    with Client(base_url, admin_key) as admin:
        _Loader(admin, admin_key, company, folder / "company", progress).everything(people_file)


def loader(home: Path, progress: Progress = silent) -> SampleLoader:
    """What `clearance run` calls for a database of its own: makes the first administrator, then loads the company."""

    def load_site(site: Site) -> Welcome:
        people_file = home / PEOPLE_FILE
        key = _administrator_key(home, site)
        load(base_url=site.base_url, admin_key=key, folder=FOLDER, people_file=people_file, progress=progress)
        return welcome(Company.read(FOLDER), people_file)

    return load_site


def welcome(company: Company, people_file: Path) -> Welcome:
    """The people as `clearance run` shows them, and what to try."""
    keys = read_people(people_file)
    people = tuple(Person(p.name, f"{p.display}, {p.title}", keys[p.name]["key"]) for p in company.people)
    budget = 'clearance ask "What is the budget for the Rotterdam project?"'
    return Welcome(people, ("clearance demo", f"{budget} --as freya", f"{budget} --as jonas"))


def _administrator_key(home: Path, site: Site) -> str:
    """The first administrator's key, kept for its owner alone, so that a load that was interrupted can go on."""
    kept = home / ADMINISTRATOR_KEY
    if not kept.exists():
        made = make_first_administrator(site.database_urls["clearance_owner"], name=ADMINISTRATOR)
        write_private(kept, made.secret + "\n")
    return kept.read_text(encoding="utf-8").strip()


@dataclass
class _Loader:
    """One load, step by step; each step looks at what is there already."""

    admin: Client
    admin_key: str
    company: Company
    documents: Path
    progress: Progress
    _known: set[str] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def everything(self, people_file: Path) -> None:
        self.progress("roles and shelves")
        self._revoke_lost_keys()
        self._roles()
        self._shelves()
        self._known = {user["name"] for user in self.admin.pages("/users")}
        curators = [person for person in self.company.people if person.curate]
        others = [person for person in self.company.people if not person.curate]
        keys = {person.name: self._person(person) for person in curators}
        taken = {shelf for person in curators for shelf in person.curate}
        left = [shelf.name for shelf in self.company.collections if shelf.name not in taken]
        work = [(keys[person.name], person.curate) for person in curators] + [(self._importer(left), left)]
        with ThreadPoolExecutor(len(work)) as threads:
            uploads = [threads.submit(self._upload, key, shelves) for key, shelves in work]
            try:
                # The worker is busy by now; people can be made meanwhile.
                keys |= {person.name: self._person(person) for person in others}
                outcomes = [outcome for future in uploads for outcome in future.result()]
            except BaseException:
                self._stopping.set()
                raise
        if failed := [o for o in outcomes if o.state == "failed"]:
            raise SampleFailed(
                f"{len(failed)} documents failed, the first is {failed[0].item.path}: {failed[0].reason}"
            )
        self.admin.patch(path("users", IMPORTER), {"active": False})
        write_private(people_file, json.dumps(dict(self._entries(keys)), indent=2, ensure_ascii=False))

    def _revoke_lost_keys(self) -> None:
        """Of an interrupted load; nobody has them."""
        for key in self.admin.pages("/keys"):
            if key["label"] == KEY_LABEL and key["revoked_at"] is None:
                self.admin.delete(path("keys", key["id"]))

    def _roles(self) -> None:
        known = {role["name"]: set(role["inside"]) for role in self.admin.pages("/roles")}
        for role in self.company.roles:
            if role.name not in known:
                self.admin.post("/roles", role.model_dump())
                continue
            for outer in sorted(set(role.inside) - known[role.name]):
                self.admin.put(path("roles", role.name, "inside", outer))

    def _shelves(self) -> None:
        known = {shelf["name"] for shelf in self.admin.pages("/collections")}
        for shelf in self.company.collections:
            if shelf.name not in known:
                self.admin.post("/collections", shelf.model_dump())

    def _person(self, person: SamplePerson) -> str:
        """Make the person unless it is there, and a key; returns the key."""
        if person.name == ADMINISTRATOR and self.admin.get("/users/me")["name"] == ADMINISTRATOR:
            self.admin.patch(path("users", person.name), {"display_name": person.display})
            return self.admin_key
        self._user(person.name, person.display, person.clearance, person.may)
        for role in person.roles:
            self.admin.put(path("roles", role, "members", person.name))
        for shelf in person.curate:
            self.admin.put(path("collections", shelf, "curators", person.name))
        return self._key(person.name, person.may)

    def _importer(self, shelves: list[str]) -> str:
        self._user(IMPORTER, "Sample importer", "public", [Capability.CURATE])
        self.admin.patch(path("users", IMPORTER), {"active": True})
        for shelf in shelves:
            self.admin.put(path("collections", shelf, "curators", IMPORTER))
        return self._key(IMPORTER, [Capability.CURATE])

    def _user(self, name: str, display: str, clearance: str, may: list[Capability]) -> None:
        if name not in self._known:
            body = {"name": name, "display_name": display, "clearance": clearance, "capabilities": may}
            self.admin.post("/users", body)

    def _key(self, name: str, may: list[Capability]) -> str:
        made = self.admin.post("/keys", {"user": name, "label": KEY_LABEL, "capabilities": may})
        return str(made["secret"])

    def _upload(self, key: str, shelves: list[str]) -> list[UploadOutcome]:
        items = [item for shelf in shelves for item in self._items(shelf)]
        with Client(self.admin.base_url, key) as client:
            return upload(client, items, on_end=self._ended)

    def _ended(self, outcome: UploadOutcome) -> None:
        if self._stopping.is_set():
            raise SampleFailed("the load was ended")
        self.progress(f"{outcome.item.collection}/{outcome.item.path}: {outcome.state}")

    def _items(self, shelf: str) -> tuple[UploadItem, ...]:
        home = self.documents / shelf
        found = scan_folder(home, shelf, AccessFile.read(home / ACCESS_FILE).tags_for)
        if found.untagged:
            raise SampleFailed(f"no rule of {home / ACCESS_FILE} tags {', '.join(found.untagged)}")
        return found.items

    def _entries(self, keys: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for person in self.company.people:
            about = {"display_name": person.display, "title": person.title, "roles": person.roles}
            yield person.name, {**about, "capabilities": person.may, "key": keys[person.name]}
