"""The REST client: patience with the rate limit, one error for all refusals, server-sent events."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from app.client import api
from app.client.api import ApiError, Client, File, path
from tests.support.clock import Clock

Handler = Callable[[httpx2.Request], httpx2.Response]


def client_of(handler: Handler, **options: Any) -> Client:
    transport = httpx2.MockTransport(handler)
    return Client("http://service.example", "clr_key", patience=5.0, transport=transport, **options)


def problem(status: int, code: str, detail: str, **headers: str) -> httpx2.Response:
    body = {"title": f"Title of {code}", "status": status, "code": code, "detail": detail}
    return httpx2.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(api, "time", made)
    return made


def test_a_refused_request_is_sent_again_after_the_time_the_server_names(clock: Clock) -> None:
    seen: list[tuple[float, bytes]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append((clock.now, request.read()))
        if len(seen) == 1:
            return problem(429, "TooManyRequests", "wait", Retry_After="1")
        return httpx2.Response(202, json={"id": "j"})

    with client_of(handler) as client:
        assert client.upload("/x", File("a.md", b"content"), {"roles": ["a", "b"]}) == {"id": "j"}
    assert len(seen) == 2
    assert seen[1][0] - seen[0][0] == 1.0
    assert seen[1][1].count(b'name="roles"') == 2
    assert b"content" in seen[1][1]


def test_patience_ends(clock: Clock) -> None:
    client = client_of(lambda _: problem(429, "TooManyRequests", "wait", Retry_After="6"))
    with client, pytest.raises(ApiError, match="wait") as refused:
        client.get("/x")
    assert clock.now == Clock().now
    assert refused.value.code == "TooManyRequests"


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_other_refusals_are_not_repeated(status: int) -> None:
    answers = iter([problem(status, "SomeCode", "what to do", Retry_After="0")])
    with client_of(lambda _: next(answers)) as client, pytest.raises(ApiError) as refused:
        client.post("/x", {})
    error = refused.value
    assert (error.code, error.detail, error.status) == ("SomeCode", "what to do", status)
    assert str(error) == "Title of SomeCode: what to do"


@pytest.mark.parametrize(
    "response", [httpx2.Response(502, html="<h1>Bad gateway</h1>"), httpx2.Response(404, json=["x"])]
)
def test_what_is_no_problem_description_is_still_one_error(response: httpx2.Response) -> None:
    with client_of(lambda _: response) as client, pytest.raises(ApiError, match="is this the address") as refused:
        client.get("/x")
    assert refused.value.code == "NotClearance"


def test_no_answer_is_an_error_with_the_address() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    says = r"No answer from http://service\.example: refused"
    with client_of(handler) as client, pytest.raises(ApiError, match=says):
        client.get("/x")


@pytest.mark.parametrize("token", [None, "cld_token"])
def test_the_key_is_sent_beside_a_persons_token_and_absent_parameters_are_not(token: str | None) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer clr_key"
        assert request.headers.get("clearance-on-behalf-of") == token
        return httpx2.Response(200, json=str(request.url))

    with client_of(handler, on_behalf_of=token) as client:
        assert client.get("/jobs", state=None, limit=5) == "http://service.example/api/v1/jobs?limit=5"


def test_events_come_as_they_are_cut_and_an_error_event_is_raised() -> None:
    def stream(*pieces: bytes) -> Handler:
        head = {"content-type": "text/event-stream"}
        return lambda _: httpx2.Response(200, headers=head, content=iter(pieces))

    done = json.dumps({"trail": "t"}).encode()
    pieces = (
        b"event: opened\nda",
        b'ta: {"trail":"t"}\n\nevent: delta\ndata: {"text":"\xc3',
        b'\xa4\\n"}\n\n',
        b"event: done\ndata: ",
        done,
        b"\n\n",
    )
    with client_of(stream(*pieces)) as client:
        events = list(client.ask_streamed({"question": "q"}))
    assert events == [("opened", {"trail": "t"}), ("delta", {"text": "ä\n"}), ("done", {"trail": "t"})]
    failing = b'event: error\ndata: {"code":"ModelUnavailable","title":"T","detail":"d"}\n\n'
    with client_of(stream(failing)) as client, pytest.raises(ApiError) as refused:
        list(client.ask_streamed({"question": "q"}))
    assert refused.value.code == "ModelUnavailable"


def test_a_name_cannot_reach_into_another_place() -> None:
    assert path("collections", "../users/ada", "access") == "/collections/..%2Fusers%2Fada/access"
