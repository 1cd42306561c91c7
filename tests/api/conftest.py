"""The company in a template database, copied for each test; clients in process, and a real server for streams."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from fastapi.testclient import TestClient

from app.llm.protocol import ChatModel
from tests.api.services import Service, make_service
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, found
from tests.support.service import Serve, client_of, parts_of, serve


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


@pytest.fixture
def second(client: TestClient, company: Company) -> str:
    """A second administrator, who reads nothing."""
    made = client.post(
        "/api/v1/users",
        json={"name": "rita", "capabilities": ["administer"], "clearance": "restricted"},
        headers=company.headers("root"),
    )
    assert made.status_code == 201
    key = client.post("/api/v1/keys", json={"user": "rita", "capabilities": ["administer"]},
                      headers=company.headers("root"))  # fmt: skip
    company.keys["rita"] = key.json()["secret"]
    return "rita"
