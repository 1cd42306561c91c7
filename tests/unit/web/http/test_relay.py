"""Requests between API processes: passed on as they came, to who makes the answer, and believed of nobody else."""

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from app.web.http.peers import HEADER, RELAYED, Peers
from app.web.http.relay import Relay, SharedPlaces
from app.web.http.shared_table import Processes, SharedTable

ANSWER = uuid.UUID("01a2245d-2595-7323-9ae7-a2de4b44e254")
CLIENT = ("203.0.113.9", 4711)


class Pair:
    """Process 0, which is asked, and process 1, which makes ANSWER and says what it was asked."""

    def __init__(self, folder: Path) -> None:
        zero, one = Processes(2, 0), Processes(2, 1)
        self.table = SharedTable(zero, sets=4)
        self.peers, self.other = Peers(zero, folder), Peers(one, folder)
        self.other._token = self.peers._token  # one object, of which each process has a copy
        self.places = SharedPlaces(self.table)
        zero.number = 1
        self.places.show([ANSWER])
        zero.number = 0
        self.relay = Relay(echo_as("zero"), peers=self.peers, places=self.places)
        self.other_relay = Relay(echo_as("one"), peers=self.other, places=SharedPlaces(SharedTable(one, sets=1)))

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """While process 1 serves its socket."""
        server = uvicorn.Server(uvicorn.Config(self.other_relay, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([self.other.listener()],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(10)

    def ask(self, method: str = "GET", path: str = f"/answers/{ANSWER}/events", **more: Any) -> Message:
        """What process 0 sends for this request of CLIENT."""
        return asyncio.run(asyncio.wait_for(asked(self.relay, method, path, **more), 20))


def echo_as(name: str) -> Any:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        said = {
            "by": name,
            "method": scope["method"],
            "target": (scope["raw_path"] + b"?" + scope["query_string"]).decode(),
            "client": scope["client"],
            "relayed": RELAYED in scope,
            "headers": [[key.decode(), value.decode("latin-1")] for key, value in scope["headers"]],
            "body": body.decode(),
        }
        headers = [(b"x-one", b"1"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        await send({"type": "http.response.start", "status": 207, "headers": headers})
        for piece in (json.dumps(said).encode(), b" "):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return echo


async def asked(
    app: Any, method: str, path: str, *, headers: Any = (), pieces: Any = (), client: Any = CLIENT
) -> Message:
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw, _, query = path.encode().partition(b"?")
    scope = {"type": "http", "method": method, "path": path.partition("?")[0], "raw_path": raw, "query_string": query}
    await app({**scope, "headers": list(headers), "client": client}, receive, send)
    said = json.loads(b"".join(each["body"] for each in sent[1:]))
    return {**said, "status": sent[0]["status"], "sent_headers": sent[0]["headers"]}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_a_request_for_an_answer_goes_on_whole_to_who_makes_it(pair: Pair) -> None:
    headers = [
        (b"host", b"clearance.example"),
        (b"cookie", b"clearance=x"),
        (b"x-forwarded-for", b"198.51.100.1"),
        (b"connection", b"keep-alive"),
        (b"transfer-encoding", b"chunked"),
    ]
    with pair.serving():
        said = pair.ask("POST", f"/answers/{ANSWER}/stop?a=%2F%20b&c", headers=headers, pieces=[b"two ", b"pieces"])
    assert (said["by"], said["status"], said["method"], said["body"]) == ("one", 207, "POST", "two pieces")
    assert said["target"] == f"/answers/{ANSWER}/stop?a=%2F%20b&c"
    assert (said["client"], said["relayed"]) == (list(CLIENT), True)
    given = dict(said["headers"])
    assert given == {
        "host": "clearance.example",
        "cookie": "clearance=x",
        "x-forwarded-for": "198.51.100.1",
        "transfer-encoding": "chunked",
    }
    cookies = [value for key, value in said["sent_headers"] if key == b"set-cookie"]
    assert cookies == [b"a=1", b"b=2"]
    assert not {b"date", b"connection", b"transfer-encoding"} & {key for key, _ in said["sent_headers"]}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/answers/nothing",
        "/answers/01a2245d-2595-7323-9ae7-a2de4b44e255",
        f"/x/answers/{ANSWER}",
        f"/api/v1/answers/{ANSWER}",
    ],
)
def test_every_other_request_stays(pair: Pair, path: str) -> None:
    assert pair.ask(path=path)["by"] == "zero"


def test_where_the_other_process_is_gone_this_one_answers(pair: Pair) -> None:
    assert pair.ask("POST", headers=[(b"content-length", b"3")], pieces=[b"abc"])["by"] == "zero"
    with pair.serving():
        assert pair.ask()["by"] == "one"
    said = pair.ask("POST", headers=[(b"content-length", b"3")], pieces=[b"abc"])
    assert (said["by"], said["body"]) == ("zero", "abc")


def test_what_it_makes_itself_is_not_sent_away(pair: Pair) -> None:
    pair.places.show([ANSWER])
    assert pair.ask()["by"] == "zero"


def test_the_mark_is_believed_of_our_own_processes_alone(pair: Pair) -> None:
    """Not with a token of somebody's own, nor, should it ever get out, with ours on a connection from outside."""
    _, ours = pair.peers.header({"client": ("6.6.6.6", 1)})
    for value in (b"x 1 6.6.6.6", b"", ours):
        said = pair.ask(path="/", headers=[(HEADER, value), (b"host", b"x")])
        assert (said["client"], said["relayed"], said["headers"]) == (list(CLIENT), False, [["host", "x"]])
    said = pair.ask(path="/", headers=[(HEADER, b"x 1 6.6.6.6")], client=None)
    assert (said["client"], said["relayed"], said["headers"]) == (None, False, [])
    said = pair.ask(path="/", headers=[(HEADER, ours)], client=None)
    assert (said["client"], said["relayed"], said["headers"]) == (["6.6.6.6", 1], True, [])


def test_a_relayed_request_is_not_relayed_again(pair: Pair) -> None:
    _, ours = pair.peers.header({"client": CLIENT})
    with pair.serving():
        assert pair.ask(headers=[(HEADER, ours)], client=None)["by"] == "zero"
