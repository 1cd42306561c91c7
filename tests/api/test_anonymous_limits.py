"""What somebody without a valid key can do to the service: next to nothing, and nothing to who has one."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.identity.api_keys import make_key
from app.settings import ApiSettings
from tests.api.problems import check_problem
from tests.support.company import Company
from tests.support.service import client_of, parts_of, serve

pytestmark = pytest.mark.changes_nothing

ME = "/api/v1/users/me"
DEEP = b'{"question": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
WIDE = b'{"question": [' + b"[]," * 21_000 + b"[]]}"


def wrong() -> dict[str, str]:
    """A header with a key that looks like one of ours."""
    return {"Authorization": f"Bearer {make_key().secret}"}


@contextlib.contextmanager
def connection(url: str, text: str = "") -> Iterator[socket.socket]:
    """A bare connection on which this text was sent."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=15) as made:
        made.sendall(text.encode())
        yield made


def head(method: str, path: str, **headers: str) -> str:
    """A whole request head, without a body."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"Host": "x", **headers}.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])


def answered(made: socket.socket) -> bytes:
    """All that comes until the server closes its side."""
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := made.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/collections/handbook/documents", "/api/v1/nothing"])
def test_the_body_of_a_stranger_is_not_read(company: Company, path: str, kind: str) -> None:
    """The answer comes before a byte of it."""
    request = head("POST", path, Content_Type=kind, Content_Length="44000000", **wrong())
    with serve(parts_of(company.db)) as url, connection(url, request) as made:
        assert made.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_a_body_that_goes_on_after_its_answer_is_cut_off(company: Company) -> None:
    """However slowly it comes: else a connection would stand as long as its stranger likes."""
    request = head("POST", "/api/v1/ask", Content_Length="44000000", **wrong())
    with serve(parts_of(company.db)) as url, connection(url, request) as made:
        assert made.recv(65536).startswith(b"HTTP/1.1 401 ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(400):
                made.sendall(b"[")
                time.sleep(0.02)


@pytest.mark.parametrize("body", [DEEP, WIDE], ids=["deep", "wide"])
def test_strange_json_of_who_has_a_key_is_only_wrong(client: TestClient, company: Company, body: bytes) -> None:
    headers = company.headers("ben") | {"Content-Type": "application/json"}
    assert client.post("/api/v1/ask", content=body, headers=headers).status_code in {400, 422}
    assert client.post("/api/v1/ask", content=body + b" " * 65536, headers=headers).status_code == 413


def test_wrong_keys_are_limited_and_who_has_one_is_not(company: Company) -> None:
    """From one address, as in an office: also a key that this process has never seen still opens."""
    parts = parts_of(company.db, api=ApiSettings(stranger_burst=20, stranger_rate_per_minute=1))
    with client_of(parts) as client:
        assert client.get(ME, headers=company.headers("ben")).status_code == 200
        answers = [client.get(ME, headers=wrong()) for _ in range(40)]
        assert [a.status_code for a in answers] == [401] * 20 + [429] * 20
        check_problem(answers[-1], 429, "TooManyRequests")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert client.get(ME).status_code == 429
        assert client.get("/api/v1/openapi.json").status_code == 429
        for who in ("ben", "ada", "mia"):
            assert client.get(ME, headers=company.headers(who)).status_code == 200
        assert client.get(ME, headers=company.headers("revoked")).status_code == 429
        for probe in ("/healthz", "/readyz"):
            assert client.get(probe).status_code == 200


@pytest.mark.parametrize(("trusted", "expected"), [("", [401, 429, 429]), ("127.0.0.0/8", [401, 401, 429])])
def test_who_a_stranger_is_say_declared_proxies_alone(company: Company, trusted: str, expected: list[int]) -> None:
    api = ApiSettings(stranger_burst=1, stranger_rate_per_minute=1, trusted_proxies=trusted)
    with serve(parts_of(company.db, api=api)) as url, httpx.Client(trust_env=False) as client:
        codes = [
            client.get(url + ME, headers=wrong() | {"X-Forwarded-For": address}).status_code
            for address in ("203.0.113.1", "1.1.1.1, 203.0.113.2", "2.2.2.2, 203.0.113.2")
        ]
    assert codes == expected


@pytest.mark.parametrize("begun", ["", "GET /healthz HTT", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-More: "])
def test_a_head_that_does_not_arrive_is_given_up(company: Company, begun: str) -> None:
    with serve(parts_of(company.db, api=ApiSettings(header_seconds=0.3))) as url, connection(url, begun) as made:
        assert answered(made) == b""


def test_a_head_that_trickles_is_given_up_also_behind_an_answer(company: Company) -> None:
    """Each byte must not begin the time anew, and a connection that was good once has the same time."""
    with (
        serve(parts_of(company.db, api=ApiSettings(header_seconds=0.5))) as url,
        connection(url, head("GET", "/healthz")) as made,
    ):
        assert made.recv(65536).startswith(b"HTTP/1.1 200 ")
        closed = False
        for _ in range(150):
            with contextlib.suppress(OSError):
                made.sendall(b"G")
            if closed := _is_closed(made):
                break
        assert closed


def test_a_person_comes_in_past_many_that_wait(company: Company) -> None:
    """From the same address: the oldest that wait give way, and no more stand than the limit says."""
    api = ApiSettings(max_connections_per_address=10, header_seconds=60)
    with serve(parts_of(company.db, api=api)) as url, contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connection(url, "GET / HTTP/1.1\r\nX: ")) for _ in range(50)]
        answer = httpx.get(url + ME, headers=company.headers("ben"), trust_env=False)
        assert answer.status_code == 200
        assert sum(not _is_closed(made) for made in waiting) <= 10


def test_all_connections_together_are_bounded(company: Company) -> None:
    """Also those of proxies, which share no limit of one address."""
    api = ApiSettings(max_connections=10, max_connections_per_address=1, trusted_proxies="127.0.0.1", header_seconds=60)
    with serve(parts_of(company.db, api=api)) as url, contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connection(url)) for _ in range(30)]
        assert httpx.get(url + "/healthz", trust_env=False).status_code == 200
        assert 5 <= sum(not _is_closed(made) for made in waiting) <= 10


def _is_closed(made: socket.socket) -> bool:
    made.settimeout(0.05)
    try:
        return made.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_another_protocol_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/ask"):
        pass


def test_nothing_that_the_service_says_is_stored_on_its_way(client: TestClient, company: Company) -> None:
    document = company.documents["handbook", "leave.md"]
    for method, path, who in (
        ("GET", f"/api/v1/documents/{document}", "ben"),
        ("GET", f"/api/v1/documents/{document}/original", "ada"),
        ("POST", "/api/v1/search", "ben"),
        ("GET", "/api/v1/audit/events", "audrey"),
        ("GET", "/api/v1/nothing", "ben"),
        ("GET", "/healthz", "ben"),
    ):
        body: Any = {"query": "leave"} if method == "POST" else None
        answer = client.request(method, path, json=body, headers=company.headers(who))
        assert answer.headers.get_list("cache-control") == ["no-store"], path


def test_the_access_log_says_who_and_what_and_no_more(capsys: pytest.CaptureFixture[str], company: Company) -> None:
    capsys.readouterr()
    document = company.documents["hr", "salaries.md"]
    with client_of(parts_of(company.db)) as client:
        client.get(f"/api/v1/documents/{document}?secret=1", headers=company.headers("ada"))
        client.request("SALARY", "/api/v1/florins", headers=wrong())
    said = capsys.readouterr().err
    lines = [json.loads(line) for line in said.splitlines() if '"event": "request"' in line]
    [ada] = [row["id"] for row in company.rows("select id from app_user where name = 'ada'")]
    assert [(line["method"], line["route"], line["status"], line.get("caller")) for line in lines] == [
        ("GET", "/api/v1/documents/{document}", 422, str(ada)),
        ("other", "unknown", 401, None),
    ]
    assert all(isinstance(line["ms"], int) for line in lines)
    for word in (str(document), "secret", "SALARY", "florins", company.keys["ada"], "clr_"):
        assert word not in said
