"""Commands of several calls, keys that are changed, and documents by number: against a service that is a function."""

import datetime as dt
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer

from app.cli import connection, last_answer
from app.cli.app import main
from app.cli.document_id import NoSuchDocument, resolve_document
from app.cli.keys import parse_expiry
from app.cli.last_answer import NoSuchSource
from app.client.api import Client

Handler = Callable[[httpx2.Request], httpx2.Response]
ID = "ea3bbabf-880e-495a-aaf8-0a7b0900d844"
URL = "http://service.example"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Runs a command against a handler; gives its status, output and errors."""

    def command(handler: Handler, *arguments: str) -> tuple[int, str, str]:
        transport = httpx2.MockTransport(handler)
        monkeypatch.setattr(
            connection, "Client", lambda url, key, **more: Client(url, key, transport=transport, **more)
        )
        monkeypatch.setenv("CLEARANCE_URL", URL)
        monkeypatch.setenv("CLEARANCE_KEY", "k")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.setattr("sys.argv", ["clearance", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def missing(detail: str) -> httpx2.Response:
    return httpx2.Response(404, json={"code": "NotFound", "title": "Not found", "detail": detail})


def test_what_was_made_before_a_failure_is_said_with_the_commands_for_the_rest(run: Any) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if "no%20such" in str(request.url):
            return missing("No role is named 'no such'.")
        return httpx2.Response(201, json={"name": "nora"})

    status, out, err = run(handler, "people", "add", "nora", "--roles", "hr,no such,it")
    assert (status, out) == (1, "")
    lines = [line.strip() for line in err.splitlines()]
    made, left = lines[lines.index("What was made until then stays:") + 1 :], lines[lines.index("Go on with:") + 1 :]
    assert made[:2] == ["nora is there", "nora is in hr"]
    assert left == ["clearance roles join nora 'no such'", "clearance roles join nora it"]
    assert "No role is named 'no such'." in lines[0]


def test_a_first_call_that_fails_leaves_nothing_to_say(run: Any) -> None:
    status, _, err = run(lambda _: missing("No."), "people", "add", "nora", "--roles", "hr")
    assert status == 1
    assert "stays" not in err


def test_a_key_is_changed_by_its_prefix(run: Any) -> None:
    seen: list[tuple[str, str, Any]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json=[{"id": ID, "prefix": "clr_abcd"}, {"id": "other", "prefix": "clr_efgh"}])
        seen.append((request.method, request.url.path, json.loads(request.content)))
        return httpx2.Response(200, json={"prefix": "clr_abcd", "expires_at": seen[-1][2].get("expires_at")})

    for arguments, body in (
        (("--expires", "2099-01-31"), {"expires_at": "2099-01-31T00:00:00+00:00"}),
        (("--expires", "2099-01-31T09:00+02:00"), {"expires_at": "2099-01-31T07:00:00+00:00"}),
        (("--expires", "never"), {"expires_at": None}),
        (("--label", ""), {"label": ""}),
    ):  # fmt: skip
        assert run(handler, "keys", "change", "clr_abcd", *arguments)[0] == 0
        assert seen.pop() == ("PATCH", f"/api/v1/keys/{ID}", body)
    assert run(handler, "keys", "change", "clr_none", "--label", "x")[0] == 1
    assert run(handler, "keys", "change", "clr_abcd")[0] == 1
    assert seen == []


@pytest.mark.parametrize("text", ["2020-01-01", "2099-01-31T09:00", "soon", "2099-13-01"])
def test_an_expiry_is_a_day_or_a_time_with_its_zone_to_come(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_expiry(text)


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has asked once."""
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    last_answer.save(environ, URL, {1: ID, 2: ID})
    return environ


def test_a_number_is_the_document_of_the_last_answer_here_and_nothing_else(state: dict[str, str]) -> None:
    [file] = (Path(state["XDG_STATE_HOME"]) / "clearance").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert set(json.loads(file.read_text())) == {"url", "at", "documents"}
    assert last_answer.recall(state, URL, "2") == ID
    for url, number, says in ((URL, "3", "has no source 3"), ("http://other", "1", "came from")):
        with pytest.raises(NoSuchSource, match=says):
            last_answer.recall(state, url, number)
    with pytest.raises(NoSuchSource, match="nothing was asked"):
        last_answer.recall({"XDG_STATE_HOME": f"{file.parent}/none"}, URL, "1")


def test_an_old_answer_and_one_that_others_could_write_are_not_used(state: dict[str, str]) -> None:
    folder = Path(state["XDG_STATE_HOME"]) / "clearance"
    [file] = folder.iterdir()
    body = json.loads(file.read_text())
    file.write_text(json.dumps({**body, "at": time.time() - 13 * 3600}))
    with pytest.raises(NoSuchSource, match="older than 12 hours"):
        last_answer.recall(state, URL, "1")
    for text in ("[]", "{", json.dumps({**body, "more": 1})):
        file.write_text(text)
        with pytest.raises(NoSuchSource, match="cannot be read"):
            last_answer.recall(state, URL, "1")
    file.write_text(json.dumps(body))
    for file_mode, folder_mode in ((0o622, 0o700), (0o600, 0o777)):
        file.chmod(file_mode)
        folder.chmod(folder_mode)
        with pytest.raises(NoSuchSource, match="cannot be read"):
            last_answer.recall(state, URL, "1")
    with pytest.raises(OSError, match="folder of yours"):
        last_answer.save(state, URL, {})


def test_another_terminal_has_numbers_of_its_own(state: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getsid", lambda _pid: 1)
    with pytest.raises(NoSuchSource, match="nothing was asked in this terminal"):
        last_answer.recall(state, URL, "1")


def test_a_document_is_found_by_its_path_on_any_page() -> None:
    pages = [[{"id": f"{n:08}", "path": f"{n}.md"} for n in range(500)], [{"id": ID, "path": "deep/a.md"}]]

    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.url.params["collection"] == "c"
        if "after" in request.url.params:
            return httpx2.Response(200, json=pages[1])
        return httpx2.Response(200, json=pages[0], headers={"Link": '<?collection=c&after=499>; rel="next"'})

    with Client(URL, "k", transport=httpx2.MockTransport(handler)) as client:
        assert resolve_document(client, "c/deep/a.md") == ID
        for given, says in (("c/none.md", "no document c/none.md"), ("words", "no id"), ("c/", "no id")):
            with pytest.raises(NoSuchDocument, match=says):
                resolve_document(client, given)
        with pytest.raises(NoSuchDocument, match="changes with each question"):
            resolve_document(client, "1", numbers=False)


def test_days_still_set_an_expiry(run: Any) -> None:
    """What scripts of the first installations use: `keys make --days`."""
    bodies: list[Any] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        return httpx2.Response(201, json={"id": ID, "secret": "clr_x"})

    status, out, _ = run(handler, "keys", "make", "nora", "--days", "2")
    assert (status, out) == (0, "clr_x\n")
    left = dt.datetime.fromisoformat(bodies[0]["expires_at"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=1, hours=23) < left <= dt.timedelta(days=2)
    assert run(handler, "keys", "add", "nora", "--days", "2", "--expires", "2099-01-01")[0] == 1
