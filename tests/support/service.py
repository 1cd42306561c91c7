"""The service over real parts, in this process or behind a port, with a model that says what it is told."""

import contextlib
import copy
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.datastructures import State
from starlette.types import Lifespan

from app import main
from app.answer.components import Components
from app.db.engine import connect
from app.db.session import Database, Signer
from app.embedding.hashed import HashedEmbedder
from app.embedding.protocol import EmbeddingModel
from app.guardrail.checks import default_checks
from app.identity.authenticate import subject_of
from app.identity.feedback_tokens import FeedbackTokens
from app.identity.names import find_person
from app.identity.subject import Label, Subject
from app.llm.protocol import ChatModel, Endpoint
from app.llm.scripted import ScriptedChat
from app.oidc.provider import Provider
from app.scope_index.protocol import NoIndex
from app.server import server_config
from app.settings import (
    AnswerSettings,
    ApiSettings,
    AuditSettings,
    DatabaseSettings,
    IdentitySettings,
    Settings,
    SignInSettings,
)
from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY, Db
from tests.support.guardrail_policy import with_checks
from tests.support.sealing import SEALER

METRICS_KEY = "metrics-key-of-the-tests"

# A service that starts looks through all there is for garbage, which in a run of tests takes longer than most of them.
mock.patch.object(main, "gc").start()


def endpoint(max_label: Label = Label.CONFIDENTIAL) -> Endpoint:
    """Where the scripted model is said to run."""
    return Endpoint("http://127.0.0.1:9/v1", "scripted", internal=True, max_label=max_label)


def saying(*pieces: str, **options: Any) -> ScriptedChat:
    """A model that says these pieces, whatever it is asked."""
    return ScriptedChat(endpoint(), lambda _: pieces, **options)


def letters(text: str) -> ScriptedChat:
    """A model that says this text one character at a time."""
    return saying(*text)


def parts_of(db: Db, **replaced: Any) -> Components:
    """Real parts on this database, but for the model and the embedder; see `parts_at`."""
    return parts_at(db.url("app"), **replaced)


def parts_at(
    app_url: str,
    *,
    chat: ChatModel | None = None,
    embedder: EmbeddingModel | None = None,
    api: ApiSettings | None = None,
    answer: AnswerSettings | None = None,
    sign_in: SignInSettings | None = None,
    providers: Sequence[Provider] = (),
) -> Components:
    """The same for who knows the database's URL alone. The limits of a key are out of the way unless `api` is given."""
    generous = ApiSettings(
        rate_per_minute=60_000,
        page_rate_per_minute=60_000,
        burst=10_000,
        concurrent=100,
        metrics_key=SecretStr(METRICS_KEY),
        stranger_rate_per_minute=60_000,
        stranger_burst=10_000,
    )
    settings = Settings(
        database=DatabaseSettings.model_validate({"app_url": app_url}),
        identity=IdentitySettings(key=SecretStr(IDENTITY_KEY)),
        audit=AuditSettings(key=SecretStr(AUDIT_KEY)),
        api=api or generous,
        answer=answer or AnswerSettings(),
        sign_in=sign_in or SignInSettings(),
        providers={provider.source: provider.settings for provider in providers},
    )
    return Components(
        settings=settings,
        database=database_at(app_url, pool_size=4),
        embedder=embedder or HashedEmbedder(),
        index=NoIndex(),
        chat=chat or saying("It says so [1]."),
        sealer=SEALER,
        policy=with_checks(default_checks()),
        feedback=FeedbackTokens(bytes.fromhex(IDENTITY_KEY)),
        providers={provider.source: provider for provider in providers},
    )


@contextlib.contextmanager
def client_of(parts: Components) -> Iterator[TestClient]:
    """A client of a service that runs over these parts, in this process."""
    with TestClient(application(parts), raise_server_exceptions=False) as client:
        yield client


def application(parts: Components) -> FastAPI:
    """The service as `app.main` makes it, over routes that are built once: that takes longer than most tests."""
    with mock.patch.object(main, "create_routes", _with_routes_of_before):
        return main.create(parts)


_routes = functools.cache(main.create_routes)


def _with_routes_of_before(lifespan: Lifespan[FastAPI]) -> FastAPI:
    """An application with state, middleware and a list of routes that are its own alone."""
    app = copy.copy(_routes())
    app.state, app.user_middleware = State(), list(app.user_middleware)
    app.router = copy.copy(app.router)
    app.router.lifespan_context, app.router.middleware_stack = lifespan, app.router.app
    app.dependency_overrides.clear()  # those of all of them: the routes look there
    # The description is of the application that it was set up for.
    app.router.routes = [route for route in app.routes if getattr(route, "path", "") != app.openapi_url]
    app.openapi_schema = None
    app.setup()
    return app


def with_database(parts: Components, url: str) -> Components:
    """The same parts over another database URL."""
    return dataclasses.replace(parts, database=database_at(url, pool_size=1))


def database_at(url: str, *, pool_size: int) -> Database:
    """The API's way to the database at this URL."""
    signer = Signer(IDENTITY_KEY, seconds=60)
    return Database(connect(url, pool_size=pool_size), signer, statement_timeout_ms=15_000, sealer=SEALER)


def subject_named(parts: Components, name: str) -> Subject:
    """The person of that name, as with a key of all their capabilities."""
    with parts.database.anonymous() as session:
        return subject_of(session, find_person(session, name))


def app_of(client: TestClient) -> FastAPI:
    """The application behind a client."""
    assert isinstance(client.app, FastAPI)
    return client.app


def prompts(chat: ScriptedChat) -> list[str]:
    """The prompts that the model saw, as text."""
    return ["\n".join(m.content for m in messages) for messages in chat.prompts]


@contextlib.contextmanager
def serve(parts: Components, change: Callable[[FastAPI], None] | None = None, *, port: int = 0) -> Iterator[str]:
    """The base URL of a real server over these parts, in a thread, on a free port unless one is given; `change` adapts
    it before.
    """
    app = application(parts)
    if change is not None:
        change(app)
    # A connection stays as long as its client, who may be kept waiting by everything else on the machine.
    options: dict[str, Any] = {"port": port, "log_config": None, "lifespan": "on", "timeout_keep_alive": 300}
    server = uvicorn.Server(server_config(app, parts.settings.api, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server does not start")
        time.sleep(0.01)
    [listener] = server.servers
    port = listener.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
