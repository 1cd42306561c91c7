"""The company in a template database, copied for each test; clients in process, and a real server for streams."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import uvicorn
from fastapi.testclient import TestClient

from app.answer.components import Components
from app.llm.protocol import ChatModel
from app.main import create
from app.server import server_config
from tests.api.services import Service, make_service
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, client_of, found, parts_of

Serve = Callable[[Components], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def company_template(cluster: Cluster) -> Iterator[Company]:
    """The company, founded once for the run."""
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


@pytest.fixture
def company(cluster: Cluster, company_template: Company) -> Iterator[Company]:
    """The company in a database of the test's own, with keys and documents that the test may add to."""
    keys, documents = dict(company_template.keys), dict(company_template.documents)
    with copied(cluster, company_template.db.name) as db:
        yield dataclasses.replace(company_template, db=db, keys=keys, documents=documents)


@pytest.fixture
def client(company: Company) -> Iterator[TestClient]:
    """The service in this process, over a model that says one sentence."""
    with client_of(parts_of(company.db)) as made:
        yield made


@pytest.fixture
def talking_to(company: Company) -> Callable[[ChatModel], AbstractContextManager[TestClient]]:
    """The service in this process, over a given model."""
    return lambda chat: client_of(parts_of(company.db, chat=chat))


@contextlib.contextmanager
def serve(parts: Components) -> Iterator[str]:
    """The base URL of a real server over these parts, in a thread, on a free loopback port."""
    server = uvicorn.Server(server_config(create(parts), parts.settings.api, port=0, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
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


@pytest.fixture
def server() -> Serve:
    """Starts a real server over given parts."""
    return serve


@pytest.fixture
def bot(client: TestClient, company: Company) -> Service:
    """A service that may ask and download, which everybody who can has let ask."""
    made = make_service(client, company, "bot")
    for person in ("ada", "ben", "mia", "max"):
        made.let(person)
    return made
