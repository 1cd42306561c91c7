"""`clearance leak-test` on a running service: it passes, it names the hole that is made on purpose, it cleans up."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi import FastAPI

from app.admin import explain
from app.admin.leak_test_runs import LeakTestSteps
from app.answer import search
from app.cli.leak_test import LEAKED, NOT_TESTED
from app.client.api import Client
from app.errors import NotAllowed, NotFound
from app.leak_test import probe_run, run
from app.leak_test.cast import PEOPLE
from app.leak_test.report import LeakReport
from app.leak_test.routes import ProbePlan, plan_probes
from app.leak_test.run import leak_test
from app.main import run_leak_test
from app.retrieval import browse
from app.retrieval.search import Candidates
from app.web.http.dependencies import Caller, ComponentsOf
from tests.e2e.leak_site import LeakSite, leak_site, serving, without_filter
from tests.support.cluster import Cluster
from tests.support.environment import REPOSITORY
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeakSite]:
    """One instance for all: each run leaves it as it was."""
    with leak_site(cluster, tmp_path_factory.mktemp("leaks")) as made:
        yield made


@pytest.fixture
def without_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the commands, which take half of the time and ask the same routes."""
    monkeypatch.setattr(probe_run.ProbeRun, "_commands", lambda self, person: self._step())


def report_of(site: LeakSite, url: str) -> LeakReport:
    """The report of a run."""
    with Client(url, site.key) as admin:
        return leak_test(admin, Mock())


def people_by_surface(report: LeakReport, *wrong: str) -> dict[str, set[str]]:
    """The surfaces that failed, but for commands, with the people; of these kinds of failure, or of all."""
    found: dict[str, set[str]] = {}
    for failure in report.failures:
        if not failure.surface.startswith("clearance ") and (not wrong or failure.wrong in wrong):
            found.setdefault(failure.surface, set()).add(failure.person)
    return found


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
}
CONVERSATION = ("GET", "/conversations/{conversation}")
# Administrators see the names of collections; only who asked has a conversation to read.
SEEING_MORE = {
    "GET /collections": {"ended", "left", "nobody", "auditor"},
    "GET /documents/{document}, cited": {"ended", "left", "nobody"},
}


def tell_hidden_from_absent(site: LeakSite, patch: pytest.MonkeyPatch) -> None:
    """Explaining a document that is there and hidden is refused with 403 instead of 404."""

    def find(session: Any, subject: Any, visible: Any, public_id: uuid.UUID) -> browse.DocumentEntry:
        try:
            return browse.find_document(session, subject, visible, public_id)
        except NotFound:
            if site.rows(f"select 1 from document where public_id = '{public_id}'"):
                raise NotAllowed from None
            raise

    patch.setattr(explain, "find_document", find)


def add_routes(site: LeakSite, app: FastAPI) -> None:
    """One that leaks and whose parameter is known, one with an unknown parameter, one with an unknown question."""

    @app.get("/api/v1/documents/{document}/path")
    def path_of(document: str, subject: Caller, parts: ComponentsOf) -> dict[str, str]:
        rows = site.rows(f"select path from document where public_id = '{uuid.UUID(document)}'")
        return {"path": rows[0]["path"]}

    @app.get("/api/v1/summaries/{summary}")
    def summary_of(summary: str) -> None:
        """Names what the leak test knows nothing of."""

    @app.post("/api/v1/similar")
    def similar_to(body: dict[str, str]) -> None:
        """A question that the leak test does not know."""


@pytest.mark.usefixtures("without_commands")
def test_each_hole_is_named_and_no_other(site: LeakSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one run: routes without their filter, a status that tells hidden from absent, and routes that are new.

    A new route is tried by itself or fails the run.
    """
    tell_hidden_from_absent(site, monkeypatch)
    hole = without_filter(monkeypatch, *ROUTES)

    def holed(app: FastAPI) -> None:
        hole(app)
        add_routes(site, app)

    with serving(site, holed, row_security=False) as url:
        report = report_of(site, url)
    found, leaking = people_by_surface(report), people_by_surface(report, "leak")
    told_apart = people_by_surface(report, "told apart")
    not_tried = set(people_by_surface(report, "not tried"))
    telling, new = {"GET /access/explain", "GET /access/readers"}, "GET /documents/{document}/path"
    assert set(found) == {*telling, new, *not_tried}.union(*ROUTES.values()), report.lines()
    assert {f"{method} {path}" for method, path in ROUTES} - {"POST /ask"} <= leaking.keys() | told_apart.keys()
    for surface in set().union(*ROUTES.values()):
        required = STRANGERS if surface.startswith(("GET", "POST /s")) else set()
        assert found[surface] >= SEEING_MORE.get(surface, required), surface
    assert {failure.wrong for failure in report.failures if failure.surface in telling} == {"told apart"}
    assert told_apart["GET /access/explain"] >= STRANGERS
    assert any("status 403 for hidden, 404 for absent" in line for line in report.lines())
    assert new in leaking
    assert not_tried == {"GET /summaries/{summary}", "POST /similar"}
    assert "what {summary} names" in "".join(report.lines())
    assert site.left() == {}


def try_alone(patch: pytest.MonkeyPatch, surface: str) -> None:
    """Of the routes without a body this one alone is tried; the report misses what should be shown on the others."""

    def plan(*given: Any) -> ProbePlan:
        every = plan_probes(*given)
        return dataclasses.replace(every, probes=tuple(probe for probe in every.probes if probe.surface == surface))

    patch.setattr(run, "plan_probes", plan)


@pytest.mark.usefixtures("without_commands")
def test_a_conversation_without_its_filter_and_an_empty_search_are_named(
    site: LeakSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hole in POST /ask as well, a conversation says nothing that its reader was not told there.

    And a service that shows nothing does not pass.
    """
    conversation = " ".join(CONVERSATION)
    try_alone(monkeypatch, conversation)
    monkeypatch.setattr(search, "search", lambda *given: Candidates(given[3], []))
    with serving(site, without_filter(monkeypatch, CONVERSATION), row_security=False) as url:
        report = report_of(site, url)
    kinds = {failure.wrong for failure in report.failures} - {"missing"}
    assert people_by_surface(report, *kinds) == {conversation: {"left"}}
    missing = {"in A", "in B", "inner", "label", "service"}
    assert people_by_surface(report, "missing")["POST /search"] == missing
    assert site.left() == {}


@pytest.mark.usefixtures("without_commands")
def test_without_the_filter_row_level_security_still_holds(site: LeakSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hole alone is none: what is named above is named because both are off."""
    method, path = "GET", "/documents/{document}/original"
    try_alone(monkeypatch, f"{method} {path}")
    with serving(site, without_filter(monkeypatch, (method, path))) as url:
        report = report_of(site, url)
    assert dict(report.matrix)[f"{method} {path}"] == dict.fromkeys(PEOPLE, "holds") | {
        "curator": "refused",
        "no key": "refused",
    }
    assert {failure.wrong for failure in report.failures} == {"missing"}


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


def test_the_next_run_cleans_up_what_a_killed_one_left_and_nothing_leaks(site: LeakSite, tmp_path: Path) -> None:
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
    assert site.left() == {}
    assert len(site.rows("select 1 from app_user where name like 'leak-test-%'")) == len(PEOPLE) - 1
    saved, shown = (tmp_path / "leak-test.json").read_text(), (tmp_path / "leak-test.md").read_text()
    assert "Nothing leaked" in shown
    for text in (out, err, saved, shown):
        assert "clr_" not in text
        assert "cld_" not in text
    check_all_was_asked(json.loads(saved))


def test_a_run_that_the_service_starts_holds_too(site: LeakSite) -> None:
    """In a thread, where no signal comes, and without starting a process: all but the commands is asked."""
    with serving(site) as url, ThreadPoolExecutor(1) as threads:
        steps = LeakTestSteps(lambda _: None, threading.Event())
        report = threads.submit(run_leak_test, url, site.key, steps).result()
    assert report["failures"] == []
    asked = {row["surface"] for row in report["matrix"] if "holds" in row["verdicts"].values()}
    assert {"POST /search", "GET /documents", "GET /audit/events", "POST /ask, quote"} <= asked
    assert not any(surface.startswith("clearance ") for surface in asked)
    assert site.left() == {}


def check_all_was_asked(report: dict[str, Any]) -> None:
    """What each may see was there, what they may not do was refused."""
    assert report["ok"] is True
    assert report["failures"] == []
    verdicts = {row["surface"]: row["verdicts"] for row in report["matrix"]}
    assert verdicts["POST /search"] == dict.fromkeys(PEOPLE, "holds") | {"no key": "refused"}
    assert verdicts["GET /documents/{document}/original"]["in A"] == "holds"
    assert verdicts["GET /documents/{document}/original"]["curator"] == "refused"
    assert verdicts["GET /audit/events"] == dict.fromkeys(PEOPLE, "refused") | {"auditor": "holds"}
    sync = verdicts["POST /collections/{name}/sync"]
    assert sync == dict.fromkeys(PEOPLE, "refused") | {"curator": "holds"}
    assert verdicts["clearance search"]["service"] == "holds"
    assert verdicts["DELETE /documents/{document}"]["curator"] == "not asked"
    assert report["requests"] > 1000
    assert len(verdicts) > 50


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)], ids=["twice", "once"])
def test_a_run_that_is_ended_removes_all(site: LeakSite, tmp_path: Path, signals: tuple[signal.Signals, ...]) -> None:
    with serving(site) as url:
        running = command(site, url, tmp_path)
        wait_for(lambda: planted(site), seconds=180, message="nothing was planted")
        for number in signals:
            running.send_signal(number)
            time.sleep(0.5)
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
