"""`clearance leak-test` on a running service: it passes, it names the hole that is made on purpose, it cleans up."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.answer import search as searching
from app.cli.leak_test import LEAKED, NOT_TESTED
from app.client.api import Client
from app.errors import NotAllowed, NotFound
from app.leak_test import surfaces
from app.leak_test.cast import PEOPLE
from app.leak_test.report import Report
from app.leak_test.run import leak_test
from app.retrieval import browse
from app.retrieval.search import Candidates
from app.web.api import explain
from app.web.http.dependencies import Caller, ComponentsOf
from tests.e2e.leak_site import LeakSite, leak_site, serving, without_filter
from tests.support.cluster import Cluster
from tests.support.environment import REPOSITORY
from tests.support.waiting import wait_for


class Silent:
    """Nobody looks on."""

    def doing(self, what: str) -> None:
        """Something else begins."""

    def moved(self, done: int, every: int) -> None:
        """Components have been asked."""


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeakSite]:
    """One instance for all: each run leaves it as it was."""
    with leak_site(cluster, tmp_path_factory.mktemp("leaks")) as made:
        yield made


@pytest.fixture
def no_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the commands, which take half of the time and ask the same routes."""
    monkeypatch.setattr(surfaces.Round, "_commands", lambda self, person: self._step())


def run_of(site: LeakSite, url: str) -> Report:
    """The report of a run."""
    with Client(url, site.key) as admin:
        return leak_test(admin, Silent())


def named(report: Report, *wrong: str) -> dict[str, set[str]]:
    """The surfaces that failed, but for commands, with the people; of these kinds, or of all."""
    found: dict[str, set[str]] = {}
    for failure in report.failures:
        if not failure.surface.startswith("clearance ") and (not wrong or failure.wrong in wrong):
            found.setdefault(failure.surface, set()).add(failure.person)
    return found


def test_nothing_leaks_and_nothing_stays(site: LeakSite, tmp_path: Path) -> None:
    with serving(site) as url:
        report = run_of(site, url)
    assert report.told() == []
    verdicts = dict(report.matrix)
    # It was really asked: what each may see was there, what they may not do was refused.
    assert verdicts["POST /search"] | {"no key": "refused"} == dict.fromkeys(PEOPLE, "holds") | {"no key": "refused"}
    assert verdicts["GET /documents/{document}/original"]["in A"] == "holds"
    assert verdicts["GET /documents/{document}/original"]["curator"] == "refused"
    assert verdicts["GET /audit/events"] == dict.fromkeys(PEOPLE, "refused") | {"auditor": "holds"}
    sync = verdicts["POST /collections/{name}/sync"]
    assert sync == dict.fromkeys(PEOPLE, "refused") | {"curator": "holds"}
    assert verdicts["clearance search"]["service"] == "holds"
    assert verdicts["DELETE /documents/{document}"]["curator"] == "not asked"
    assert report.requests > 1000
    assert site.left() == {}
    assert len(site.rows("select 1 from app_user where name like 'leak-test-%'")) == len(PEOPLE) - 1
    report.save(tmp_path / "r.json")
    saved = json.loads((tmp_path / "r.json").read_text())
    assert saved["ok"] is True
    assert len(saved["matrix"]) == len(report.matrix) > 50
    assert "Nothing leaked" in (tmp_path / "r.md").read_text()


# They may not read some document or other of each kind.
STRANGERS = {"in B", "ended", "left", "nobody", "admin", "auditor"}
# The route without its filter, and the surfaces that go through it.
ROUTES = {
    ("GET", "/documents/{document}/original"): {"GET /documents/{document}/original"},
    ("GET", "/documents/{document}"): {"GET /documents/{document}"},
    ("GET", "/documents"): {"GET /documents"},
    ("POST", "/search"): {"POST /search"},
    ("POST", "/ask"): {
        "POST /ask, quote",
        "POST /ask, quote, stream",
        "POST /ask, generate",
        "POST /ask, generate, stream",
        "GET /documents/{document}, cited",
        # What it said there is withheld from who may not read it, also from who was told.
        "POST /ask, in a conversation",
    },
    ("GET", "/collections"): {"GET /collections"},
    ("GET", "/conversations/{conversation}"): {"GET /conversations/{conversation}"},
}
# Administrators see the names of collections; only who asked has a conversation to read.
SEEING_MORE = {
    "GET /collections": {"ended", "left", "nobody", "auditor"},
    "GET /conversations/{conversation}": {"left"},
    "GET /documents/{document}, cited": {"ended", "left", "nobody"},
}


# Asked with a hole in POST /ask as well, a conversation says nothing that its reader was not told there.
CONVERSATION = ("GET", "/conversations/{conversation}")


@pytest.mark.usefixtures("no_commands")
@pytest.mark.parametrize("routes", [ROUTES.keys() - {CONVERSATION}, {CONVERSATION}], ids=["all", "conversation"])
def test_routes_without_their_filter_are_named(
    site: LeakSite, monkeypatch: pytest.MonkeyPatch, routes: set[tuple[str, str]]
) -> None:
    """Each of them, with its surfaces and who saw too much, in one run; and no other."""
    hole = without_filter(monkeypatch, *((method, f"/api/v1{path}") for method, path in routes))
    with serving(site, hole, locked=False) as url:
        report = run_of(site, url)
    found = named(report)
    assert set(found) == set().union(*(ROUTES[route] for route in routes)), report.told()
    assert set(named(report, "leak", "told apart")) >= {f"{method} {path}" for method, path in routes} - {"POST /ask"}
    for surface, people in found.items():
        assert people >= SEEING_MORE.get(surface, STRANGERS if surface.startswith(("GET", "POST /s")) else set())
    assert site.left() == {}


@pytest.mark.usefixtures("no_commands")
def test_without_the_filter_row_level_security_still_holds(site: LeakSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hole alone is none: what the kit names above, it names because both locks are off."""
    with serving(site, without_filter(monkeypatch, ("GET", "/api/v1/documents/{document}/original"))) as url:
        assert named(run_of(site, url)) == {}


@pytest.mark.usefixtures("no_commands")
def test_a_status_that_tells_hidden_from_absent_is_named(site: LeakSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(session: Any, subject: Any, visible: Any, public_id: uuid.UUID) -> browse.DocumentEntry:
        try:
            return browse.find_document(session, subject, visible, public_id)
        except NotFound:
            if site.rows(f"select 1 from document where public_id = '{public_id}'"):
                raise NotAllowed from None
            raise

    monkeypatch.setattr(explain, "find_document", find)
    with serving(site) as url:
        report = run_of(site, url)
    found = named(report)
    assert set(found) == {"GET /access/explain", "GET /access/readers"}
    assert set(named(report, "told apart")) == set(found)
    assert found["GET /access/explain"] >= STRANGERS
    assert any("status 403 for hidden, 404 for absent" in line for line in report.told())


@pytest.mark.usefixtures("no_commands")
def test_a_service_that_shows_nothing_does_not_pass(site: LeakSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "search", lambda *given: Candidates(given[3], []))
    with serving(site) as url:
        report = run_of(site, url)
    assert named(report) == {"POST /search": {"in A", "in B", "inner", "label", "service"}}
    assert set(named(report, "missing")) == {"POST /search"}


@pytest.mark.usefixtures("no_commands")
def test_a_new_route_is_tried_by_itself_or_fails_the_run(site: LeakSite) -> None:
    def more(app: FastAPI) -> None:
        @app.get("/api/v1/documents/{document}/path")
        def path_of(document: str, subject: Caller, parts: ComponentsOf) -> dict[str, str]:
            return {
                "path": site.rows(f"select path from document where public_id = '{uuid.UUID(document)}'")[0]["path"]
            }

        @app.get("/api/v1/summaries/{summary}")
        def summary_of(summary: str) -> None:
            """Names what the kit knows nothing of."""

        @app.post("/api/v1/similar")
        def similar_to(body: dict[str, str]) -> None:
            """A question that the kit does not know."""

    with serving(site, more) as url:
        report = run_of(site, url)
    assert set(named(report, "not tried")) == {"GET /summaries/{summary}", "POST /similar"}
    assert set(named(report)) == {"GET /documents/{document}/path", *named(report, "not tried")}
    assert set(named(report, "leak")) == {"GET /documents/{document}/path"}
    assert "what {summary} names" in "".join(report.told())


def command(site: LeakSite, url: str, folder: Path) -> subprocess.Popen[str]:
    """`clearance leak-test` as an operator runs it."""
    (folder / "key").write_text(site.key)
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    arguments = ["--url", url, "--key-file", str(folder / "key"), "--report", str(folder / "leak-test.json")]
    return subprocess.Popen(
        # Tests that run in the background ignore Ctrl-C, and what they start would too.
        ["env", "--default-signal=INT", sys.executable, "-m", "app.cli", "leak-test", *arguments],
        cwd=REPOSITORY,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def planted(site: LeakSite) -> bool:
    """Whether documents of a run stand on the instance, and it is asking."""
    return len(site.rows("select 1 from document where path like '%.md'")) > 8 and bool(
        site.rows("select 1 from access_plan where state = 'open'")
    )


@pytest.mark.timeout(600)
def test_the_next_run_cleans_up_what_a_killed_one_left(site: LeakSite, tmp_path: Path) -> None:
    with serving(site) as url:
        running = command(site, url, tmp_path)
        wait_for(lambda: planted(site), seconds=180, message="nothing was planted")
        running.kill()
        running.communicate()
        assert {"collections", "documents", "living keys", "open plans"} <= set(site.left())
        running = command(site, url, tmp_path)
        out, err = running.communicate(timeout=500)
    assert running.returncode == 0, out + err
    assert "Nothing leaked" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "POST /search" in out
    assert (tmp_path / "leak-test.md").is_file()
    assert site.left() == {}
    for text in (out, err, (tmp_path / "leak-test.json").read_text(), (tmp_path / "leak-test.md").read_text()):
        assert "clr_" not in text
        assert "cld_" not in text


def interrupted_twice(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGINT)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)


def ended(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [interrupted_twice, ended])
def test_a_run_that_is_ended_removes_all(
    site: LeakSite, tmp_path: Path, end: Callable[[subprocess.Popen[str]], None]
) -> None:
    with serving(site) as url:
        running = command(site, url, tmp_path)
        wait_for(lambda: planted(site), seconds=180, message="nothing was planted")
        end(running)
        out, err = running.communicate(timeout=120)
    assert running.returncode == NOT_TESTED, out + err
    assert "What was planted is removed." in err
    assert "Traceback" not in err
    assert site.left() == {}


def test_it_needs_an_administrator_and_a_service(site: LeakSite, tmp_path: Path) -> None:
    nowhere = command(site, "http://127.0.0.1:9", tmp_path)
    out, err = nowhere.communicate(timeout=120)
    assert nowhere.returncode == NOT_TESTED
    assert "No answer from http://127.0.0.1:9" in err
    assert out == ""
    assert LEAKED != NOT_TESTED
    with serving(site) as url, Client(url, site.key) as admin:
        admin.post("/users", {"name": "plain"})
        key = admin.post("/keys", {"user": "plain"})["secret"]
        refused = command(LeakSite(site.db, key), url, tmp_path)
        _, err = refused.communicate(timeout=120)
        assert refused.returncode == NOT_TESTED
        assert "administrator" in err
        assert site.left() == {}
