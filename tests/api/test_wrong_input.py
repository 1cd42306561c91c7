"""What a new user gets wrong, and what he is told: one table, each line a clear error in the one shape."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.llm.scripted import ScriptedChat
from app.settings import ApiSettings
from tests.api.problems import check_discreet, check_problem
from tests.support.company import Company
from tests.support.environment import free_port
from tests.support.questions import ON_LEAVE, ask
from tests.support.service import Serve, app_of, client_of, endpoint, parts_of, saying, with_database
from tests.support.waiting import wait_for

MB = 1024 * 1024
TOLD: list[tuple[str, int, str, str]] = []
DOCUMENTS = "/api/v1/collections/handbook/documents"


@dataclass
class Wrong:
    """A request that is wrong in one way, and the error it must get; `says` are words of its detail."""

    name: str
    status: int
    code: str
    says: str
    path: str
    who: str = "cleo"
    method: str = "POST"
    request: dict[str, Any] = field(default_factory=dict)


def upload(name: str, status: int, code: str, says: str, **changed: Any) -> Wrong:
    """An upload with something wrong."""
    form = {"roles": ["everyone"], "path": "a.md", **changed.pop("form", {})}
    files = {"file": ("a.md", changed.pop("content", b"# A\n\nText."))}
    request = {"data": {k: v for k, v in form.items() if v is not None}, "files": files}
    return Wrong(name, status, code, says, changed.pop("path", DOCUMENTS), request=request, **changed)


def asking(name: str, status: int, code: str, says: str, **request: Any) -> Wrong:
    """A question with something wrong."""
    return Wrong(name, status, code, says, "/api/v1/ask", who="ben", request=request)


def administering(name: str, status: int, code: str, says: str, path: str, **request: Any) -> Wrong:
    """A request to another route with something wrong."""
    who, method = request.pop("who", "root"), request.pop("method", "POST")
    return Wrong(name, status, code, says, f"/api/v1{path}", who=who, method=method, request=request)


ODD_PATHS = ("../../etc/passwd", "/etc/passwd", "a/../../b.md", "a\\..\\b.md", "./a.md", "a\u202eb.md", "a\x00b")
CUT, HALF = b'{"question": "wh', b'{"question": "why \\ud800?"}'
JSON = {"Content-Type": "application/json"}
WRONG = [
    upload("unknown role tag", 422, "UnknownRole", "No role is named 'hr-team'", form={"roles": ["hr-team"]}),
    upload("unknown role to deny", 422, "UnknownRole", "'nobody'", form={"deny": ["nobody"]}),
    upload("no role tag", 422, "Untagged", "at least one role tag", form={"roles": None}),
    upload("empty file", 422, "EmptyFile", "no bytes", content=b""),
    upload("unknown collection", 404, "NotFound", "nothing here", path="/api/v1/collections/nowhere/documents"),
    upload("unknown form field", 422, "InvalidInput", "tags: there is no such field", form={"tags": "everyone"}),
    upload("unknown label", 422, "InvalidInput", "label: ", form={"label": "secret"}),
    upload("start without zone", 422, "InvalidInput", "with their zone", form={"starts_at": "2027-01-01T00:00:00"}),
    upload(
        "end before start",
        422,
        "InvalidInput",
        "before",
        form={"starts_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"},
    ),
    *(upload(f"path {path!r}", 422, "InvalidInput", "relative path", form={"path": path}) for path in ODD_PATHS),
    upload("path too long", 422, "InvalidInput", "at most 1000", form={"path": "a" * 1001}),
    upload("not his collection", 403, "MissingCapability", "curate this collection", who="hank"),
    upload("no capability", 403, "MissingCapability", "'curate'", who="ben"),
    Wrong("no file", 422, "InvalidInput", "file: Field required", DOCUMENTS, request={"data": {"roles": ["everyone"]}}),
    Wrong("form as JSON", 422, "InvalidInput", "file", DOCUMENTS, request={"json": {"roles": ["everyone"]}}),
    asking("malformed JSON", 422, "InvalidInput", "not valid JSON at character 13", content=CUT, headers=JSON),
    asking("body that is no object", 422, "InvalidInput", "body", json=["question"]),
    asking("no body", 422, "InvalidInput", "body"),
    asking("no JSON header", 422, "InvalidInput", "body", content=b'{"question": "why?"}'),
    asking("unknown field", 422, "InvalidInput", "top_k: there is no", json={"question": "why?", "top_k": 5}),
    asking("empty question", 422, "InvalidInput", "question: ", json={"question": ""}),
    asking("question too long", 422, "InvalidInput", "question: ", json={"question": "x" * 4001}),
    asking("unknown mode", 422, "InvalidInput", "mode: ", json={"question": "why?", "mode": "guess"}),
    asking("half a surrogate", 422, "InvalidInput", "question: ", content=HALF, headers=JSON),
    administering("unknown user", 404, "NotFound", "No user is named 'zoe'", "/keys", json={"user": "zoe"}),
    administering("taken name", 409, "Conflict", "exists", "/roles", json={"name": "hr"}),
    administering("name in capitals", 422, "InvalidInput", "name: ", "/roles", json={"name": "HR"}),
    administering("NUL in a name", 422, "InvalidInput", "NUL", "/users", json={"name": "zed", "display_name": "a\0b"}),
    administering("NUL in a query", 422, "InvalidInput", "NUL", "/keys?user=%00", method="GET"),
    administering("NUL in a path", 422, "InvalidInput", "NUL", "/users/a%00b", method="PATCH", json={}),
    administering("number out of range", 422, "InvalidInput", "out of range", f"/audit/events?after={10**30}",
                  method="GET", who="audrey"),
    administering("grant to oneself", 403, "SelfGrant", "would give you", "/collections/hr/access", method="PUT",
                  who="hank", json={"grants": [{"role": "hr"}, {"user": "hank"}]}),
    administering("bad id", 404, "NotFound", "nothing here", "/documents/17", method="GET"),
]  # fmt: skip


def told(name: str, answer: httpx.Response) -> None:
    """Note what the user is told, for the table."""
    body = answer.json()
    TOLD.append((name, answer.status_code, body["code"], body["detail"] or body["title"]))


@pytest.fixture(scope="module", autouse=True)
def _printed() -> Iterator[None]:
    yield
    table = Table("what is wrong", "status", "code", "what the user is told")
    for name, status, code, detail in TOLD:
        table.add_row(escape(name), str(status), code, escape(detail))
    Console(width=200).print(table)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.name.encode("ascii", "backslashreplace").decode())
def test_wrong_input_gets_a_clear_error(client: TestClient, company: Company, wrong: Wrong) -> None:
    request = dict(wrong.request)
    headers = company.headers(wrong.who) | request.pop("headers", {})
    answer = client.request(wrong.method, wrong.path, headers=headers, **request)
    check_problem(answer, wrong.status, wrong.code)
    assert wrong.says in answer.json()["detail"]
    told(wrong.name, answer)


@pytest.mark.parametrize("key", ["wrong", "expired", "revoked"])
def test_dead_keys_are_one_error(client: TestClient, company: Company, key: str) -> None:
    secret = company.keys.get(key, "clr_abcdefgh_" + "x" * 43)
    answer = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {secret}"})
    check_problem(answer, 401, "NotSignedIn")
    told(f"{key} key", answer)


def test_a_value_is_never_repeated(client: TestClient, company: Company) -> None:
    """It may be a secret in the wrong field."""
    answer = client.post("/api/v1/ask", json={"question": "?", "mode": "hunter2"}, headers=company.headers("ben"))
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_two_hundred_megabytes_are_too_much(company: Company, server: Serve, chunked: bool) -> None:
    """Refused at the header where the length is declared, and past the limit where it is not."""
    head = b'--b\r\nContent-Disposition: form-data; name="roles"\r\n\r\neveryone\r\n'
    head += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    tail = b"\r\n--b--\r\n"

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(200):
            yield b"x" * MB
        yield tail

    headers = company.headers("cleo") | {"Content-Type": "multipart/form-data; boundary=b"}
    if not chunked:
        headers["Content-Length"] = str(len(head) + 200 * MB + len(tail))
    with server(parts_of(company.db)) as url, httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.post(f"{url}{DOCUMENTS}", content=body(), headers=headers)
        check_problem(answer, 413, "TooLarge")
        assert client.get(f"{url}/healthz").status_code == 200
    assert "50 MB" in answer.json()["detail"]
    assert company.rows("select 1 from ingest_job where path = 'a.txt'") == []
    told(f"200 MB, {'chunked' if chunked else 'declared'}", answer)


def test_a_body_that_does_not_arrive_is_given_up(company: Company, server: Serve) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"question": '
        time.sleep(1.5)
        yield b'"why?"}'

    parts = parts_of(company.db, api=ApiSettings(request_seconds=0.5))
    headers = company.headers("ben") | {"Content-Type": "application/json"}
    with server(parts) as url, httpx.Client(trust_env=False, timeout=20) as client:
        answer = client.post(f"{url}/api/v1/ask", content=body(), headers=headers)
    check_problem(answer, 400, "BadRequest")
    told("body that stalls", answer)


def test_a_model_that_is_down_is_said_to_be(company: Company) -> None:
    with client_of(parts_of(company.db, chat=saying("one ", "two", fail_after=1))) as client:
        answer = ask(client, company, "ben", ON_LEAVE)
    check_problem(answer, 503, "ModelUnavailable")
    told("model down in the middle", answer)


def test_a_database_that_is_down_is_said_to_be(client: TestClient, company: Company) -> None:
    """Its port is closed: nothing is answered, nothing hangs, and it all works again when it is back."""
    whole = app_of(client).state.parts
    url = company.db.url("app").replace(f":{company.db.cluster.server.port}/", f":{free_port()}/")
    app_of(client).state.parts = with_database(whole, url)
    began = time.monotonic()
    for answer in (
        client.get("/readyz"),
        ask(client, company, "ben", ON_LEAVE),
        ask(client, company, "ben", ON_LEAVE, stream=True),
        client.get("/api/v1/documents", headers=company.headers("ben")),
    ):
        check_problem(answer, 503, "DatabaseUnavailable")
    assert time.monotonic() - began < 10
    told("database down", answer)
    assert client.get("/healthz").status_code == 200
    app_of(client).state.parts = whole
    assert client.get("/readyz").status_code == 200


def test_the_rate_of_a_key_is_bounded(company: Company) -> None:
    parts = parts_of(company.db, api=ApiSettings(rate_per_minute=30, burst=3))
    with client_of(parts) as client:
        answers = [client.get("/api/v1/users/me", headers=company.headers("ben")) for _ in range(4)]
        assert [a.status_code for a in answers[:3]] == [200] * 3
        check_problem(answers[3], 429, "TooManyRequests")
        assert 1 <= int(answers[3].headers["retry-after"]) <= 3
        # The limit is the key's alone.
        assert client.get("/api/v1/users/me", headers=company.headers("ada")).status_code == 200
    told("rate exceeded", answers[3])


def test_uploads_have_a_rate_of_their_own(company: Company) -> None:
    """Filling a collection does not keep its curator from asking."""
    parts = parts_of(company.db, api=ApiSettings(rate_per_minute=1, bulk_rate_per_minute=1, burst=1))
    with client_of(parts) as client:
        jobs = [client.get("/api/v1/jobs", headers=company.headers("cleo")).status_code for _ in range(2)]
        assert jobs == [200, 429]
        assert client.get("/api/v1/users/me", headers=company.headers("cleo")).status_code == 200


def test_requests_at_once_are_bounded(company: Company, server: Serve) -> None:
    """A stream holds its slot until it ends."""
    chat = ScriptedChat(endpoint(), lambda _: ["word "] * 30, delay=0.05)
    with server(parts_of(company.db, chat=chat, api=ApiSettings(concurrent=2))) as url:
        ends: list[int] = []
        threads = [threading.Thread(target=_stream, args=(url, company, ends.append)) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(chat.prompts) == 2)
        with httpx.Client(trust_env=False) as client:
            answer = client.get(f"{url}/api/v1/users/me", headers=company.headers("ben"))
            check_problem(answer, 429, "TooManyRequests")
            assert answer.headers["retry-after"] == "1"
            for thread in threads:
                thread.join()
            assert ends == [200, 200]
            again = client.get(f"{url}/api/v1/users/me", headers=company.headers("ben"))
            assert again.status_code == 200
    told("too many at once", answer)


def _stream(url: str, company: Company, done: Callable[[int], None]) -> None:
    body = {"question": ON_LEAVE, "stream": True}
    done(httpx.post(f"{url}/api/v1/ask", json=body, headers=company.headers("ben"), trust_env=False).status_code)


def test_what_breaks_in_us_tells_nothing_of_it(client: TestClient, company: Company) -> None:
    company.execute("alter table membership rename to gone")
    answer = client.get("/api/v1/users/me", headers=company.headers("ben"))
    check_problem(answer, 500, "InternalError")
    assert "gone" not in answer.text
    assert "membership" not in answer.text
    check_discreet(answer.text)


def test_a_time_without_zone_is_refused_everywhere(client: TestClient, company: Company) -> None:
    naive = dt.datetime(2027, 1, 1).isoformat()  # noqa: DTZ001  # that is the point
    grant = {"role": "hr", "starts_at": naive}
    for method, path, who, body in (
        ("POST", "/api/v1/keys", "root", {"user": "ben", "expires_at": naive}),
        ("POST", "/api/v1/collections", "root", {"name": "new", "grants": [grant]}),
        ("GET", f"/api/v1/audit/events?since={naive}", "audrey", None),
    ):
        answer = client.request(method, path, json=body, headers=company.headers(who))
        check_problem(answer, 422, "InvalidInput")
        assert "zone" in answer.json()["detail"]
