"""Loads the sample company through the API: roles, people, collections and documents, each as somebody who may."""

import json
import threading
from collections.abc import Iterator
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
from app.local.sample_cache import LoadTarget, SampleLoader, SampleUser, SampleWelcome
from app.local.sample_people import (
    ADMINISTRATOR,
    ADMINISTRATOR_KEY,
    PEOPLE_FILE,
    SAMPLE_FOLDER,
    SampleFailed,
    read_people,
)
from app.local.secrets import write_private
from app.settings import LabelName

# Uploads to collections that no sample person curates; reads nothing, and is switched off after the load.
IMPORTER = "importer"
KEY_LABEL = "sample company"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SampleCollection(_Strict):
    name: str
    description: str
    label: LabelName


class SampleRole(_Strict):
    """A role, and the roles that it is nested in."""

    name: str
    inside: list[str] = Field(default_factory=list)


class SamplePerson(_Strict):
    name: str
    display: str
    title: str
    roles: list[str]
    clearance: LabelName
    capabilities: list[Capability]
    curate: list[str] = Field(default_factory=list)

    @property
    def may(self) -> list[Capability]:
        """Capabilities, with `curate` for curators of a collection."""
        return [*self.capabilities, *([Capability.CURATE] if self.curate else [])]


class Company(_Strict):
    """The contents of company.yaml."""

    name: str
    blurb: str
    collections: list[SampleCollection]
    roles: list[SampleRole]
    people: list[SamplePerson]

    @classmethod
    def read(cls, folder: Path) -> "Company":
        return cls.model_validate(yaml.safe_load((folder / "company.yaml").read_text(encoding="utf-8")))


def load_company(*, base_url: str, admin_key: str, people_file: Path) -> None:
    """Load the company of SAMPLE_FOLDER, and last write its people with their keys to `people_file` (0600).

    If that file exists, do nothing; if not, complete what an interrupted load has left.
    """
    if people_file.exists():
        return
    with Client(base_url, admin_key) as admin:
        _CompanyLoader(admin, admin_key, Company.read(SAMPLE_FOLDER)).run(people_file)


def sample_loader(home: Path) -> SampleLoader:
    """The loader for `clearance run`: creates the first administrator, then loads the company."""

    def load(target: LoadTarget) -> SampleWelcome:
        people_file = home / PEOPLE_FILE
        key = _administrator_key(home, target)
        load_company(base_url=target.base_url, admin_key=key, people_file=people_file)
        return _welcome(Company.read(SAMPLE_FOLDER), people_file)

    return load


def _welcome(company: Company, people_file: Path) -> SampleWelcome:
    keys = read_people(people_file)
    people = tuple(SampleUser(p.name, f"{p.display}, {p.title}", keys[p.name]["key"]) for p in company.people)
    budget = 'clearance ask "What is the budget for the Rotterdam project?"'
    return SampleWelcome(people, ("clearance demo", f"{budget} --as freya", f"{budget} --as jonas"))


def _administrator_key(home: Path, target: LoadTarget) -> str:
    """The first administrator's key, which is saved so that an interrupted load can be completed."""
    file = home / ADMINISTRATOR_KEY
    if not file.exists():
        from app.local.administrator import create_first_administrator  # noqa: PLC0415  # once in an installation

        new = create_first_administrator(target.database_urls["clearance_owner"], name=ADMINISTRATOR)
        write_private(file, new.secret + "\n")
    return file.read_text(encoding="utf-8").strip()


@dataclass
class _CompanyLoader:
    """One load; each step keeps what exists already."""

    admin: Client
    admin_key: str
    company: Company
    _known: set[str] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, people_file: Path) -> None:
        self._revoke_lost_keys()
        self._create_roles()
        self._create_collections()
        self._known = {user["name"] for user in self.admin.pages("/users")}
        curators = [person for person in self.company.people if person.curate]
        others = [person for person in self.company.people if not person.curate]
        keys = {person.name: self._create_person(person) for person in curators}
        curated = {name for person in curators for name in person.curate}
        uncurated = [c.name for c in self.company.collections if c.name not in curated]
        work = [(keys[person.name], person.curate) for person in curators]
        work.append((self._create_importer(uncurated), uncurated))
        with ThreadPoolExecutor(len(work)) as threads:
            uploads = [threads.submit(self._upload, key, names) for key, names in work]
            try:
                # Create people while the worker is busy.
                keys |= {person.name: self._create_person(person) for person in others}
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
        """Revoke the keys of an interrupted load, which nobody has."""
        for key in self.admin.pages("/keys"):
            if key["label"] == KEY_LABEL and key["revoked_at"] is None:
                self.admin.delete(path("keys", key["id"]))

    def _create_roles(self) -> None:
        known = {role["name"]: set(role["inside"]) for role in self.admin.pages("/roles")}
        for role in self.company.roles:
            if role.name not in known:
                self.admin.post("/roles", role.model_dump())
                continue
            for outer in sorted(set(role.inside) - known[role.name]):
                self.admin.put(path("roles", role.name, "inside", outer))

    def _create_collections(self) -> None:
        known = {collection["name"] for collection in self.admin.pages("/collections")}
        for collection in self.company.collections:
            if collection.name not in known:
                self.admin.post("/collections", collection.model_dump())

    def _create_person(self, person: SamplePerson) -> str:
        """Create the person if they do not exist, and a key, which is returned."""
        if person.name == ADMINISTRATOR and self.admin.get("/users/me")["name"] == ADMINISTRATOR:
            self.admin.patch(path("users", person.name), {"display_name": person.display})
            return self.admin_key
        self._create_user(person.name, person.display, person.clearance, person.may)
        for role in person.roles:
            self.admin.put(path("roles", role, "members", person.name))
        for collection in person.curate:
            self.admin.put(path("collections", collection, "curators", person.name))
        return self._create_key(person.name, person.may)

    def _create_importer(self, collections: list[str]) -> str:
        self._create_user(IMPORTER, "Sample importer", "public", [Capability.CURATE])
        self.admin.patch(path("users", IMPORTER), {"active": True})
        for collection in collections:
            self.admin.put(path("collections", collection, "curators", IMPORTER))
        return self._create_key(IMPORTER, [Capability.CURATE])

    def _create_user(self, name: str, display: str, clearance: str, may: list[Capability]) -> None:
        if name not in self._known:
            body = {"name": name, "display_name": display, "clearance": clearance, "capabilities": may}
            self.admin.post("/users", body)

    def _create_key(self, name: str, may: list[Capability]) -> str:
        created = self.admin.post("/keys", {"user": name, "label": KEY_LABEL, "capabilities": may})
        return str(created["secret"])

    def _upload(self, key: str, collections: list[str]) -> list[UploadOutcome]:
        items = [item for collection in collections for item in self._items(collection)]
        with Client(self.admin.base_url, key) as client:
            return upload(client, items, on_end=self._on_end)

    def _on_end(self, _outcome: UploadOutcome) -> None:
        if self._stopping.is_set():
            raise SampleFailed("the load was ended")

    def _items(self, collection: str) -> tuple[UploadItem, ...]:
        folder = SAMPLE_FOLDER / "company" / collection
        scan = scan_folder(folder, collection, AccessFile.read(folder / ACCESS_FILE).tags_for)
        if scan.untagged:
            raise SampleFailed(f"no rule of {folder / ACCESS_FILE} tags {', '.join(scan.untagged)}")
        return scan.items

    def _entries(self, keys: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for person in self.company.people:
            about = {"display_name": person.display, "title": person.title, "roles": person.roles}
            yield person.name, {**about, "capabilities": person.may, "key": keys[person.name]}
