"""Two worlds over HTTP: every answer that a reader can get, and every prompt that a model gets, as texts to compare."""

import contextlib
import datetime as dt
import itertools
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from app.db.tables.people import ApiKey
from app.embedding.protocol import EmbeddingModel
from app.identity.api_keys import make_key
from app.identity.subject import Label
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from tests.laws.worlds.outcomes import TOP, Outcome
from tests.laws.worlds.unfiltered_search import Unfiltered
from tests.laws.worlds.world import Spec, World, world_of
from tests.laws.worlds.world_writer import WorldWriter
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, library_of
from tests.support.service import app_of, client_of, endpoint, parts_of

# What differs between any two requests: ids that are drawn for them, and times of writing. A world's own ids stay.
FLEETING = re.compile(r'"(trail|feedback|prefix|at|\w+_at)": ?"[^"]*"')
UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
)  # versions 4 and 7: drawn, and not ours
# Routes that say nothing of documents and differ by themselves, or take long and are the same bytes.
LEFT_OUT = {"/api/v1/docs", "/api/v1/openapi.json", "/healthz", "/readyz", "/metrics"}


@dataclass(frozen=True)
class Site:
    """The service over one database, with a model that says what it is told and keeps what it was asked."""

    library: LibraryDb
    writer: WorldWriter
    client: TestClient
    chat: ScriptedChat


def _first_words(messages: Sequence[Message]) -> list[str]:
    """What a model says: a passage's first sentence, which grounding lets through."""
    shown = re.search(r"<passage 1>\n.*\n(.*?[.])", messages[-1].content)
    return [*(f"{word} " for word in (shown[1] if shown else "Nothing.").split()), "[1]"]


@contextlib.contextmanager
def site_of(db: Db, embedder: EmbeddingModel) -> Iterator[Site]:
    """The service, as it is wired but for the model."""
    model = ScriptedChat(endpoint(Label.RESTRICTED), _first_words)
    with library_of(db) as library, client_of(parts_of(db, chat=model, embedder=embedder)) as client:
        yield Site(library, WorldWriter(library, embedder), client, model)


@dataclass(frozen=True)
class Answer:
    """What came for a request, but for what is drawn anew each time; a prompt has the status 0."""

    request: str
    status: int
    told: str


def compare(site: Site, spec: Spec) -> Outcome:
    """Write each world of a spec, and hear all that it says to its caller."""
    world = world_of(spec, dt.datetime.now(dt.UTC))
    said = []
    for one in (world.without_hidden(), world):
        site.writer.put(one)
        said.append(everything_said(site, world))
        site.writer.clear(world)
    unfiltered = Unfiltered(world, site.writer.maker)
    return Outcome(said[0], said[1], tuple(unfiltered.shows_hidden(q, TOP) for q in world.questions))


@dataclass(frozen=True)
class Ear:
    """One caller's key, and all that was said to it."""

    client: TestClient
    headers: dict[str, str]
    heard: list[Answer] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self.client.request(method, path, json=body, headers=self.headers)
        request = UUID.sub("…", f"{method} {path} {json.dumps(body)}")
        self.heard.append(Answer(request, answer.status_code, UUID.sub("…", FLEETING.sub("", answer.text))))
        return answer


def everything_said(site: Site, world: World) -> list[Answer]:
    """All answers to this caller, in order; then the prompts that the model saw."""
    ear = Ear(site.client, _key_for(site.library, world.caller.user_id))
    site.chat.prompts.clear()
    for question in world.questions:
        ear.ask("POST", "/api/v1/search", {"query": question, "limit": 50})
        ear.ask("POST", "/api/v1/ask", {"question": question, "mode": "quote"})
        for stream in (False, True):
            ear.ask("POST", "/api/v1/ask", {"question": question, "mode": "generate", "stream": stream})
        for name in (*world.collections, "absent"):
            chosen = {"question": question, "collections": [f"collection-{name}"]}
            for mode in ("quote", "generate"):
                ear.ask("POST", "/api/v1/ask", {**chosen, "mode": mode})
    talk = ear.ask("POST", "/api/v1/conversations").json()["id"]
    for question in (world.questions[0], f"And then? {world.questions[-1]}"):
        ear.ask("POST", "/api/v1/ask", {"question": question, "mode": "generate", "conversation": talk})
    ear.ask("GET", f"/api/v1/conversations/{talk}")
    for method, path in _requests(site, world):
        ear.ask(method, path, None if method == "GET" else {})
    return [*ear.heard, *(Answer("prompt", 0, json.dumps([m.content for m in prompt])) for prompt in site.chat.prompts)]


def _requests(site: Site, world: World) -> Iterator[tuple[str, str]]:
    """Each route that is read, and each about a document, with ids and names that a caller may have heard of."""
    ids = [(str(world.name("document", page.path)), world.visible(page)) for page in world.pages]
    hidden = [name for name, visible in ids if not visible]
    documents = [*[name for name, visible in ids if visible][:4], *hidden[:3], *hidden[-3:]]
    yield "GET", f"/api/v1/documents?after={hidden[0]}"
    for collection in world.collections:
        yield "GET", f"/api/v1/documents?collection=collection-{collection}&limit=3"
    for document in documents:
        yield "GET", f"/api/v1/access/explain?document={document}"
    names = {
        "document": documents,
        "name": [f"collection-{name}" for name in world.collections],
        "user": [world.caller.name],
    }
    for method, path in routes(site):
        values = [names.get(name, [str(uuid.uuid5(uuid.NAMESPACE_URL, name))]) for name in re.findall(r"{(\w+)}", path)]
        # What changes something is refused to a mere reader; which document it is about must not show.
        if method == "GET" or "{document}" in path:
            for choice in itertools.product(*values):
                yield method, re.sub(r"{\w+}", "{}", path).format(*choice)


def routes(site: Site) -> list[tuple[str, str]]:
    found = set()
    for context in iter_route_contexts(app_of(site.client).routes):
        path = str(context.path)
        if path.startswith("/api/") and path not in LEFT_OUT:
            found |= {(method, path) for method in (context.methods or set()) - {"HEAD"}}
    return sorted(found)


def _key_for(library: LibraryDb, user: uuid.UUID) -> dict[str, str]:
    key = make_key()
    with library.session("owner") as session:
        session.add(ApiKey(prefix=key.prefix, hash=key.hash, user_id=user, capabilities=["ask", "download"]))
    return {"authorization": f"Bearer {key.secret}"}
