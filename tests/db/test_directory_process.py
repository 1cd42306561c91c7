"""The process and the command that fetch a directory, as an operator starts them."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import directory_process
from app.admin.people_difference import PeopleDifference
from app.admin.people_sync import DirectorySynced
from app.db.session import Database
from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY
from tests.support.directory_server import (
    READER_PASSWORD,
    DirectoryServer,
    directory_server,
    group_ldif,
    person_dn,
    person_ldif,
)
from tests.support.environment import REPOSITORY
from tests.support.library_db import LibraryDb
from tests.support.processes import PLAIN, process
from tests.support.provisioners import Directory, make_directory
from tests.support.waiting import wait_for

ENTRIES = [person_ldif("freya"), person_ldif("gus"), group_ldif("staff", person_dn("freya"))]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DirectoryServer]:
    with directory_server(tmp_path, ENTRIES) as made:
        yield made


@pytest.fixture
def corp(library: LibraryDb, database: Database) -> Directory:
    return make_directory(library, database)


def environment(server: DirectoryServer, library: LibraryDb) -> dict[str, str]:
    settings = server.settings()
    return {
        "CLEARANCE_DATABASE__APP_URL": library.db.url("app"),
        "CLEARANCE_IDENTITY__KEY": IDENTITY_KEY,
        "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
        "CLEARANCE_LDAP__SOURCE": "corp",
        "CLEARANCE_LDAP__URL": server.url,
        "CLEARANCE_LDAP__BIND_DN": settings.bind_dn,
        "CLEARANCE_LDAP__BIND_PASSWORD": READER_PASSWORD,
        "CLEARANCE_LDAP__PEOPLE_BASE": settings.people_base,
        "CLEARANCE_LDAP__GROUPS_BASE": settings.groups_base,
        "CLEARANCE_LDAP__PEOPLE_FILTER": settings.people_filter,
        "CLEARANCE_LDAP__INTERVAL_SECONDS": "1",
    }


@pytest.mark.real
def test_the_process_fetches_again_and_again(
    server: DirectoryServer, corp: Directory, library: LibraryDb, tmp_path: Path
) -> None:
    with process(tmp_path, ["app.directory_process"], environment(server, library)) as running:
        wait_for(lambda: corp.members() == {"staff": {"freya"}}, child=running.child, message=lambda: running.said)
        server.add(person_ldif("hedy"))
        wait_for(lambda: "hedy" in corp.people(), child=running.child, message=lambda: running.said)
        server.stop()
        wait_for(lambda: "DirectoryUnreadable" in running.said, child=running.child, message=lambda: running.said)
        wait_for(lambda: corp.rows("select last_error is not null from directory_state") == [(True,)])
        said = running
    assert said.child.returncode == 0
    assert "directory.stopped" in said.said
    assert READER_PASSWORD not in said.said
    assert READER_PASSWORD not in str(corp.rows("select * from directory_state"))


@pytest.mark.real
def test_the_command_shows_first(server: DirectoryServer, corp: Directory, library: LibraryDb) -> None:
    def run(*options: str) -> "subprocess.CompletedProcess[str]":
        environ = {name: os.environ[name] for name in PLAIN if name in os.environ} | environment(server, library)
        command = [sys.executable, "-m", "app.cli", "people", "sync", *options]
        return subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False)

    shown = run("--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert (found["made"], found["joined"], found["roles_made"]) == (["corp:freya", "corp:gus"], 1, ["corp:staff"])
    assert corp.people() == {}
    assert "Nothing is changed yet" in run("--dry-run").stderr
    assert "corp:freya" in run("--apply").stdout
    assert corp.members() == {"staff": {"freya"}}
    server.stop()
    refused = run("--apply")
    assert (refused.returncode, "no answer from 127.0.0.1" in refused.stderr) == (1, True)
    assert READER_PASSWORD not in refused.stderr
    assert run("--allow-large-removal").returncode == 1


def test_it_tries_again_each_time_later() -> None:
    """And from the beginning after a success."""
    outcomes = iter([False] * 8 + [True, False])
    waited: list[float] = []

    class Sometimes:
        def run(self) -> DirectorySynced:
            if not next(outcomes):
                raise RuntimeError
            return DirectorySynced(PeopleDifference(), dt.datetime.now(dt.UTC), confirmed=False)

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 10

    directory_process.run_until_stopped(Sometimes(), 60.0, wait)
    assert waited == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 60.0, 5.0]
