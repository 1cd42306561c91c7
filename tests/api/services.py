"""A service of the company, its keys, and the tokens that people give it."""

from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient

from tests.support.company import Company

HEADER = "Clearance-On-Behalf-Of"


@dataclass
class Service:
    """A service with one key, and people's tokens by their names. Everything is made over HTTP."""

    client: TestClient
    company: Company
    name: str
    key: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def let(self, person: str, *capabilities: str, seconds: int = 3600) -> dict[str, Any]:
        """The person lets the service act for them; gives the delegation with its secret."""
        body = {"service": self.name, "expires_in": seconds, "capabilities": capabilities or ["ask"]}
        answer = self.client.post("/api/v1/delegations", json=body, headers=self.company.headers(person))
        assert answer.status_code == 201, answer.text
        self.tokens[person] = answer.json()
        return self.tokens[person]

    def headers(self, person: str | None = None) -> dict[str, str]:
        """The headers of a request of the service, for this person or for nobody."""
        own = {"Authorization": f"Bearer {self.key['secret']}"}
        return own if person is None else own | {HEADER: self.tokens[person]["secret"]}


def make_service(client: TestClient, company: Company, name: str, *capabilities: str) -> Service:
    """A service that may do this, with a key that may do everything."""
    root = company.headers("root")
    may = list(capabilities) or ["ask", "download"]
    made = client.post("/api/v1/users", json={"name": name, "kind": "service", "capabilities": may}, headers=root)
    assert made.status_code == 201, made.text
    every = ["ask", "download", "curate", "administer", "audit", "open"]
    key = client.post("/api/v1/keys", json={"user": name, "capabilities": every}, headers=root)
    assert key.status_code == 201, key.text
    return Service(client, company, name, key.json())


def listed(client: TestClient, headers: dict[str, str]) -> set[tuple[str, str]]:
    answer = client.get("/api/v1/documents", headers=headers)
    assert answer.status_code == 200, answer.text
    return {(d["collection"], d["path"]) for d in answer.json()}
