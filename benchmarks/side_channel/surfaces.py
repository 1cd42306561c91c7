"""The requests of `benchmarks.side_channel`: what each surface is asked, and over which connection."""

import gc
import http.client
import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from rich.progress import track

from benchmarks.machine import quiet
from benchmarks.side_channel.worlds import LIBRARY, Keys, Library

UPLOADED = 2_000  # bytes


@dataclass(frozen=True)
class Request:
    """One request. `status` is what it must be answered with: a wrong one measures something else."""

    method: str
    path: str
    key: str
    status: int
    body: bytes | None = None
    kind: str = "application/json"


class Client:
    """One connection to one world's server, kept alive."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.keys, self.talk = keys, ""  # a conversation of the reader's
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)

    def send(self, request: Request) -> tuple[float, bytes]:
        """Milliseconds until the whole answer is there, and the answer."""
        headers = {"Authorization": f"Bearer {request.key}", "Content-Type": request.kind}
        began = time.perf_counter()
        self._connection.request(request.method, request.path, request.body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status != request.status:
            raise RuntimeError(f"{request.method} {request.path}: {answer.status} {content.decode()[:500]}")
        return took, content


# What one round asks of a world: made once a round, so that all worlds are asked the same.
Asked = Callable[[Client], Request]
# By group and surface.
Round = dict[str, dict[str, Asked]]
RULE = "rule, as curator elsewhere"
# The surfaces that are told apart within one world too: hidden against absent.
TWINS = {
    "open: hidden, 404": "open: absent, 404",
    "explain: hidden, 404": "explain: absent, 404",
    f"{RULE}: hidden, 404": f"{RULE}: absent, 404",
    "upload to a hidden document's path": "upload to a new path",
}


def round_of(stock: Library, rng: random.Random) -> Round:
    """One request of each surface; those of one group are sent in one shuffle."""
    question, absent = rng.choice(stock.questions), uuid.uuid4()
    shown, hidden = rng.choice(stock.visible), rng.choice(stock.hidden[: len(stock.visible)])
    path = rng.choice([b for b in stock.hidden[: len(stock.visible)] if b.beside_visible]).path
    content = rng.randbytes(UPLOADED)

    def get(path: str, status: int = 200, who: str = "reader") -> Asked:
        return lambda c: Request("GET", f"/api/v1{path}", getattr(c.keys, who), status)

    def post(path: str, **body: Any) -> Asked:
        return lambda c: Request("POST", f"/api/v1{path}", c.keys.reader, 200, json.dumps(body).encode())

    def upload(path: str) -> Asked:
        return lambda c: _upload(path, c.keys.librarian, content)

    alone = {
        "search": post("/search", query=question),
        "ask (quote)": post("/ask", question=question, mode="quote"),
        "ask (scripted model)": post("/ask", question=question, mode="generate"),
        "documents": get("/documents?limit=20"),
        "documents, next page": get(f"/documents?limit=20&after={shown.id}"),
        "documents of a collection": get(f"/documents?limit=20&collection={LIBRARY}"),
        "collections": get("/collections"),
        "conversations": get("/conversations"),
        "conversation": lambda c: get(f"/conversations/{c.talk}")(c),
        "open": get(f"/documents/{shown.id}"),
        "explain": get(f"/access/explain?document={shown.id}"),
    }
    together: Round = {
        "upload": {
            "upload to a new path": upload(f"new-{absent.hex[:6]}.md"),
            "upload to a hidden document's path": upload(path),
        }
    }
    missing = {"open": "/documents/{}", "explain": "/access/explain?document={}", RULE: "/documents/{}/access"}
    for name, address in missing.items():
        who, ids = "elsewhere" if name == RULE else "reader", {"absent": absent, "hidden": hidden.id}
        asked = {f"{name}: {kind}, 404": get(address.format(id_), 404, who) for kind, id_ in ids.items()}
        together[name] = asked | ({name: alone.pop(name)} if name in alone else {})
    return {name: {name: asked} for name, asked in alone.items()} | together


def converse(client: Client, stock: Library) -> None:
    """Keep three turns, for the surfaces that read them."""

    def post(path: str, status: int, **body: object) -> Any:
        request = Request("POST", f"/api/v1{path}", client.keys.reader, status, json.dumps(body).encode())
        return json.loads(client.send(request)[1])

    client.talk = post("/conversations", 201)["id"]
    for question in stock.questions[:3]:
        post("/ask", 200, question=question, mode="quote", conversation=client.talk)


# Milliseconds by surface and world, in the order of the rounds.
Times = dict[str, dict[str, list[float]]]


def measure(
    clients: dict[str, Client], rounds: Sequence[Round], rng: random.Random, *, seconds: float = 3_600
) -> Times:
    """Send the rounds, each group's requests to all worlds in one random order; begins none after `seconds`."""
    times: Times = {}
    until = time.monotonic() + seconds
    with quiet():  # a pause would fall on whichever world is asked
        for one in track(rounds, description="asking"):
            if time.monotonic() > until:
                break
            for group in rng.sample(list(one.values()), len(one)):
                order = [(surface, world) for surface in group for world in clients]
                for surface, world in rng.sample(order, len(order)):
                    took, _ = clients[world].send(group[surface](clients[world]))
                    times.setdefault(surface, {}).setdefault(world, []).append(took)
            gc.collect()
    return times


def _upload(path: str, key: str, content: bytes) -> Request:
    address, fields = f"/api/v1/collections/{LIBRARY}/documents", {"path": path, "roles": "readers-0"}
    form = httpx.Request("POST", f"http://x{address}", data=fields, files={"file": ("a.md", content)})
    return Request("POST", address, key, 202, form.read(), form.headers["Content-Type"])
