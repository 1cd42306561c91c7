"""The company in a template database, copied for each test; clients in process."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from fastapi.testclient import TestClient

from app.llm.protocol import ChatModel
from tests.api.access_plans import everything
from tests.api.services import Service, make_service
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, administering, copied_company, found
from tests.support.service import client_of, parts_of


@pytest.fixture(scope="session")
def company_template(cluster: Cluster) -> Iterator[Company]:
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


@pytest.fixture(scope="session")
def lending(company_template: Company) -> Iterator[tuple[Company, Service]]:
    """The company with a service that may ask and download, which everybody who can has let ask."""
    with copied_company(company_template) as company:
        with client_of(parts_of(company.db)) as client:
            made = make_service(client, company, "bot")
            for person in ("ada", "ben", "mia", "max"):
                made.let(person)
        yield company, made


@pytest.fixture(scope="session")
def standing(lending: tuple[Company, Service]) -> Iterator[tuple[Company, TestClient]]:
    """One company and client for all tests that change nothing but the log, which is held at the end."""
    with copied_company(lending[0]) as company, client_of(parts_of(company.db)) as client:
        before = everything(company)
        yield company, client
        assert everything(company) == before, "a test that is marked changes_nothing changed something"


@pytest.fixture
def company(request: pytest.FixtureRequest, company_template: Company) -> Iterator[Company]:
    """The company in a database of the test's own; of a test that is marked `changes_nothing`, the standing one."""
    if request.node.get_closest_marker("changes_nothing"):
        yield request.getfixturevalue("standing")[0]
        return
    template = request.getfixturevalue("lending")[0] if "bot" in request.fixturenames else company_template
    with copied_company(template) as made:
        yield made


@pytest.fixture
def client(request: pytest.FixtureRequest, company: Company) -> Iterator[TestClient]:
    """The service in this process, over a model that says one sentence."""
    if request.node.get_closest_marker("changes_nothing"):
        yield request.getfixturevalue("standing")[1]
        return
    with client_of(parts_of(company.db)) as made:
        yield made


@pytest.fixture
def talking_to(company: Company) -> Callable[[ChatModel], AbstractContextManager[TestClient]]:
    """The service in this process, over a given model."""
    return lambda chat: client_of(parts_of(company.db, chat=chat))


@pytest.fixture
def bot(lending: tuple[Company, Service], client: TestClient, company: Company) -> Service:
    return dataclasses.replace(lending[1], client=client, company=company, tokens=dict(lending[1].tokens))


@pytest.fixture
def second(client: TestClient, company: Company) -> str:
    """A second administrator, who reads nothing."""
    send = administering(client, company)
    send("POST", "/users", {"name": "rita", "capabilities": ["administer"], "clearance": "restricted"})
    company.keys["rita"] = send("POST", "/keys", {"user": "rita", "capabilities": ["administer"]})["secret"]
    return "rita"
