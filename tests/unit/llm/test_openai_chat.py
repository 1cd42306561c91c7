"""The openai client against a real HTTP server on loopback: what goes out, what comes back, and how it fails."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from app.errors import ModelUnavailable
from app.identity.subject import Label
from app.llm.openai_chat import OpenAIChat, Sampling
from app.llm.protocol import Endpoint, Message
from tests.support.http_stub import Answer, Request, http_stub, status

MESSAGES = [Message("system", "Be brief."), Message("user", "Why?")]


class Server:
    """A model server that answers as told and keeps what it was sent."""

    url: str

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.answer: Answer = says("yes")

    def __call__(self, handler: Request) -> None:
        headers = {k.lower(): v for k, v in handler.headers.items()}
        self.seen.append((handler.path, headers, json.loads(handler.body)))
        self.answer(handler)


def _event(content: str | None) -> bytes:
    choice = {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": None}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def says(*pieces: str | None, end: bytes = b"data: [DONE]\n\n") -> Answer:
    """A stream of these pieces."""
    return status(200, b"".join(map(_event, pieces)) + end, **{"Content-Type": "text/event-stream"})


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with http_stub(made) as url:
        made.url = f"{url}/v1"
        yield made


def ask(url: str, *, read_seconds: float = 5.0, penalty: float = 0.0) -> list[str]:
    """All pieces of one answer."""
    where = Endpoint(url, "tiny", internal=True, max_label=Label.RESTRICTED)

    async def run() -> list[str]:
        timeout = openai.Timeout(read_seconds, connect=1.0)
        sampling = Sampling(max_tokens=7, frequency_penalty=penalty)
        chat = OpenAIChat(where, api_key="sk-test", sampling=sampling, timeout=timeout)
        try:
            return [piece async for piece in chat.stream(MESSAGES)]
        finally:
            await chat.close()

    return asyncio.run(run())


def test_what_goes_out_and_comes_back(server: Server) -> None:
    server.answer = says(None, "It ", "", "is", None, " so.")
    assert ask(server.url) == ["It ", "is", " so."]
    [(path, headers, body)] = server.seen
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer sk-test"
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    assert {k: v for k, v in body.items() if k != "messages"} == {
        "model": "tiny",
        "stream": True,
        "temperature": 0,
        "seed": 1,
        "max_tokens": 7,
    }


def test_a_penalty_is_sent_where_one_is_set_and_an_event_without_choice_is_no_text(server: Server) -> None:
    usage = b'data: {"id":"1","object":"chat.completion.chunk","created":0,"model":"m","choices":[]}\n\n'
    server.answer = says("yes", end=usage + b"data: [DONE]\n\n")
    assert ask(server.url, penalty=0.5) == ["yes"]
    assert server.seen[0][2]["frequency_penalty"] == 0.5


BAD: dict[str, Answer] = {
    "error": status(500, b'{"error": {"message": "out of memory"}}'),
    "overloaded": status(503),
    "wrong key": status(401, b'{"error": {"message": "bad key"}}'),
    "no such model": status(404),
    "redirect": status(307, Location="http://example.com/v1/chat/completions"),
    "error in the stream": says("It ", end=b'data: {"error": {"message": "crashed"}}\n\n'),
    "no JSON in the stream": says("It ", end=b"data: <html>\n\n"),
    "a stream of something else": says("It ", end=b'data: {"choices": [{"index": 0, "delta": 3}]}\n\n'),
    "silence": says(),
    "empty pieces": says("", None, ""),
    "a page": status(200, b"<html>", **{"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("name", BAD)
def test_every_failure_is_one_error_and_nothing_is_tried_twice(server: Server, name: str) -> None:
    server.answer = BAD[name]
    with pytest.raises(ModelUnavailable) as failed:
        ask(server.url)
    assert len(server.seen) == 1
    assert "'tiny'" in failed.value.detail
    assert "sk-test" not in failed.value.detail


def test_a_server_that_falls_silent_is_given_up(server: Server) -> None:
    silence = threading.Event()

    def answer(handler: Request) -> None:
        says("It ", end=b"")(handler)
        handler.wfile.flush()
        silence.wait(10)

    server.answer = answer
    with pytest.raises(ModelUnavailable):
        ask(server.url, read_seconds=0.3)
    silence.set()


def test_no_server_at_all() -> None:
    with pytest.raises(ModelUnavailable):
        ask("http://127.0.0.1:9/v1")


def test_a_proxy_in_the_environment_is_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask(server.url) == ["yes"]
