"""Sources with a provisioning service, and their directories written as the service writes them."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.acl.change_guard import guard_change
from app.admin.people_difference import WantedDirectory, WantedGroup
from app.admin.people_sync import DirectorySynced, sync_directory
from app.admin.provisioning import PersonDetails
from app.audit.encryption import Sealer
from app.db.session import Database, WriteSession
from app.identity.authenticate import provisioner_of
from app.identity.directory import add_service
from app.identity.subject import Capability, Subject
from tests.support.cluster import AUDIT_KEY
from tests.support.library_db import LibraryDb

SOURCE = "corp"
BOUND = dt.timedelta(hours=24)


def person(name: str, *, key: str | None = None, active: bool = True, display_name: str = "") -> PersonDetails:
    """A person of a directory; unless said otherwise its id is made of the name."""
    return PersonDetails(name, display_name, f"id-{name}" if key is None else key, active)


def group(name: str, *members: str, inner: Sequence[str] = (), key: str | None = None) -> WantedGroup:
    """A group of a directory with people and groups by their names."""
    return WantedGroup(
        f"g-{name}" if key is None else key,
        name,
        frozenset(f"id-{member}" for member in members),
        frozenset(f"g-{each}" for each in inner),
    )


@dataclass
class Directory:
    """A source, its service, and what stands of it."""

    library: LibraryDb
    database: Database
    subject: Subject
    source: str = SOURCE

    @contextlib.contextmanager
    def writing(self) -> Iterator[WriteSession]:
        """A guarded transaction of the service."""
        with self.database.writing(self.subject.user_id) as session:
            guard_change(session, self.subject)
            yield session

    def sync(
        self, people: Sequence[PersonDetails], groups: Sequence[WantedGroup] | None = (), **given: Any
    ) -> DirectorySynced:
        """Sync it with these people and groups."""
        options: dict[str, Any] = {"bound": BOUND, "held_until": None, "allow_large_removal": True, **given}
        wanted = WantedDirectory(options.pop("source", self.source), people, groups)
        with self.writing() as session:
            return sync_directory(session, self.subject, Sealer(bytes.fromhex(AUDIT_KEY)), wanted, **options)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query gives as the superuser."""
        with self.library.session("admin") as session:
            return [tuple(row) for row in session.connection().exec_driver_sql(statement)]

    def members(self) -> dict[str, set[str]]:
        """Who is in each role of the source now, by name."""
        found: dict[str, set[str]] = {}
        query = (
            "select g.name, u.name from membership m join role g on g.id = m.role_id"
            " join app_user u on u.id = m.user_id"
            f" where g.source = '{self.source}' and (m.ends_at is null or m.ends_at > now())"
        )
        for role, user in self.rows(query):
            found.setdefault(role, set()).add(user)
        return found

    def people(self) -> dict[str, bool]:
        """Whether each person of the source is active, by name."""
        query = f"select name, active from app_user where source = '{self.source}' and kind = 'person'"
        return {name: active for name, active in self.rows(query)}  # noqa: C416  # rows are of unknown types

    def records(self) -> list[str]:
        """The kinds of all records so far."""
        return [kind for (kind,) in self.rows("select kind from audit_leaf order by at, id")]


def make_directory(library: LibraryDb, database: Database, source: str = SOURCE) -> Directory:
    """A source with a service that keeps it."""
    with library.session("owner") as session:
        add_service(
            session,
            name=f"{source}-sync",
            display_name="",
            allowed=[Capability.PROVISION],
            provisions=source,
        )
        subject = provisioner_of(session, source)
    assert subject is not None
    return Directory(library, database, subject, source)


def user_id(directory: Directory, name: str, source: str | None = None) -> uuid.UUID:
    """The id of a user of the source."""
    query = f"select id from app_user where name = '{name}' and source = '{source or directory.source}'"
    return uuid.UUID(str(directory.rows(query)[0][0]))
