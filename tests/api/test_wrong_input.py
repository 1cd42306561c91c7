"""What a new user gets wrong, and what he is told: one table, each line a clear error in the one shape."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from app.llm.scripted import ScriptedChat
from app.settings import ApiSettings
from tests.api.problems import check_discreet, check_problem
from tests.support.company import Company
from tests.support.environment import free_port
from tests.support.questions import ON_LEAVE, ask
from tests.support.service import app_of, client_of, endpoint, parts_of, saying, serve, with_database
from tests.support.waiting import wait_for

MB = 1024 * 1024
DOCUMENTS = "/collections/handbook/documents"


Wrong = tuple[str, str, int, str, str, dict[str, Any]]


def upload(says: str, code: str = "InvalidInput", *, who: str = "cleo", content: bytes = b"# A", **form: Any) -> Wrong:
    """An upload with something wrong; a field that is None is not sent."""
    fields = {"roles": ["everyone"], "path": "a.md", **form}
    sent = {"data": {k: v for k, v in fields.items() if v is not None}, "files": {"file": ("a.md", content)}}
    return who, DOCUMENTS, 403 if code == "MissingCapability" else 422, code, says, sent


def asking(says: str, **request: Any) -> Wrong:
    return "ben", "/ask", 422, "InvalidInput", says, request


ODD_PATHS = ("../../etc/passwd", "/etc/passwd", "a/../../b.md", "a\\..\\b.md", "./a.md", "a\u202eb.md", "a\x00b")
CUT, HALF = b'{"question": "wh', b'{"question": "why \\ud800?"}'
JSON = {"Content-Type": "application/json"}
# Who, path, status, code, words of the detail, and the request.
WRONG: list[Wrong] = [
    upload("No role is named 'hr-team'", "UnknownRole", roles=["hr-team"]),
    upload("'nobody'", "UnknownRole", deny=["nobody"]),
    upload("at least one role tag", "Untagged", roles=None),
    upload("no bytes", "EmptyFile", content=b""),
    upload("tags: there is no such field", tags="everyone"),
    upload("label: ", label="secret"),
    upload("with their zone", starts_at="2027-01-01T00:00:00"),
    upload("before", starts_at="2027-01-02T00:00:00Z", ends_at="2027-01-01T00:00:00Z"),
    *(upload("relative path", path=path) for path in ODD_PATHS),
    upload("at most 1000", path="a" * 1001),
    upload("curate this collection", "MissingCapability", who="hank"),
    upload("'curate'", "MissingCapability", who="ben"),
    ("cleo", "/collections/nowhere/documents", 404, "NotFound", "nothing here", upload("")[-1]),
    ("cleo", DOCUMENTS, 422, "InvalidInput", "file: Field required", {"data": {"roles": ["everyone"]}}),
    ("cleo", DOCUMENTS, 422, "InvalidInput", "file", {"json": {"roles": ["everyone"]}}),
    asking("not valid JSON at character 13", content=CUT, headers=JSON),
    asking("body", json=["question"]),
    asking("body"),
    asking("body", content=b'{"question": "why?"}'),
    asking("top_k: there is no", json={"question": "why?", "top_k": 5}),
    asking("question: ", json={"question": ""}),
    asking("question: ", json={"question": "x" * 4001}),
    asking("mode: ", json={"question": "why?", "mode": "guess"}),
    asking("question: ", content=HALF, headers=JSON),
]


@pytest.mark.changes_nothing
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong[4])[:40])
def test_wrong_input_gets_a_clear_error(client: TestClient, company: Company, wrong: Wrong) -> None:
    who, path, status, code, says, sent = wrong
    headers = company.headers(who) | sent.get("headers", {})
    answer = client.post(f"/api/v1{path}", **sent | {"headers": headers})
    check_problem(answer, status, code)
    assert says in answer.json()["detail"]


def test_a_value_is_never_repeated(client: TestClient, company: Company) -> None:
    """It may be a secret in the wrong field."""
    answer = client.post("/api/v1/ask", json={"question": "?", "mode": "hunter2"}, headers=company.headers("ben"))
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_two_hundred_megabytes_are_too_much(company: Company, chunked: bool) -> None:
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
    with serve(parts_of(company.db)) as url, httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.post(f"{url}/api/v1{DOCUMENTS}", content=body(), headers=headers)
        check_problem(answer, 413, "TooLarge")
        assert client.get(f"{url}/healthz").status_code == 200
    assert "50 MB" in answer.json()["detail"]
    assert company.rows("select 1 from ingest_job where path = 'a.txt'") == []


def test_a_body_that_does_not_arrive_is_given_up(company: Company) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"question": '
        time.sleep(1.5)
        yield b'"why?"}'

    parts = parts_of(company.db, api=ApiSettings(request_seconds=0.5))
    headers = company.headers("ben") | {"Content-Type": "application/json"}
    with serve(parts) as url, httpx.Client(trust_env=False, timeout=20) as client:
        answer = client.post(f"{url}/api/v1/ask", content=body(), headers=headers)
    check_problem(answer, 400, "BadRequest")


def test_a_model_that_is_down_is_said_to_be(company: Company) -> None:
    with client_of(parts_of(company.db, chat=saying("one ", "two", fail_after=1))) as client:
        answer = ask(client, company, "ben", ON_LEAVE)
    check_problem(answer, 503, "ModelUnavailable")


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
    assert client.get("/healthz").status_code == 200
    app_of(client).state.parts = whole
    assert client.get("/readyz").status_code == 200


def test_uploads_have_a_rate_of_their_own(company: Company) -> None:
    """Filling a collection does not keep its curator from asking."""
    parts = parts_of(company.db, api=ApiSettings(rate_per_minute=1, bulk_rate_per_minute=1, burst=1))
    with client_of(parts) as client:
        jobs = [client.get("/api/v1/jobs", headers=company.headers("cleo")).status_code for _ in range(2)]
        assert jobs == [200, 429]
        assert client.get("/api/v1/users/me", headers=company.headers("cleo")).status_code == 200


def test_requests_at_once_are_bounded(company: Company) -> None:
    """A stream holds its slot until it ends."""
    chat = ScriptedChat(endpoint(), lambda _: ["word "] * 30, delay=0.05)
    with serve(parts_of(company.db, chat=chat, api=ApiSettings(concurrent=2))) as url:
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
