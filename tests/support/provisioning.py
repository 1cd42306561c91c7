"""A provisioning service of a company, and its requests as Entra ID and Okta send them."""

import uuid
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app.db.engine import connect
from app.identity.directory import add_key, add_service
from app.identity.subject import Capability
from tests.support.cluster import Db

BASE = "/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
JSON = dict[str, Any]


@dataclass(frozen=True)
class ProvisioningKey:
    """A provisioning service and its key."""

    id: uuid.UUID
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


def add_provisioner(db: Db, source: str) -> ProvisioningKey:
    """The service that keeps the people of this source, as the command line makes it."""
    engine = connect(db.url("owner"), pool_size=1)
    try:
        with Session(engine) as session, session.begin():
            named = {"name": f"{source}-scim", "display_name": source}
            made = add_service(session, **named, allowed=[Capability.PROVISION], provisions=source)
            _, key = add_key(session, made, label="", allowed=[Capability.PROVISION], expires_at=None)
            return ProvisioningKey(made.id, key.secret)
    finally:
        engine.dispose()


def check_error(answer: Response, status: int, scim_type: str | None = None) -> None:
    """An error as RFC 7644 has them."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/scim+json")
    assert answer.json()["schemas"] == [ERROR]
    assert answer.json()["status"] == str(status)
    assert answer.json().get("scimType") == scim_type


@dataclass
class ScimClient:
    """Sends SCIM requests with one key."""

    client: TestClient
    key: ProvisioningKey

    def send(self, method: str, path: str, body: Any = None, **params: Any) -> Response:
        headers = {**self.key.headers, "Content-Type": "application/scim+json", **params.pop("headers", {})}
        return self.client.request(method, f"{BASE}{path}", json=body, params=params, headers=headers)

    def user(self, name: str, **more: Any) -> JSON:
        """A new person; the resource that was answered."""
        answer = self.send("POST", "/Users", {"schemas": [USER], "userName": name, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def group(self, name: str, *members: str, **more: Any) -> JSON:
        """A new group with these members by their ids."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members], **more}
        answer = self.send("POST", "/Groups", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def patch(self, path: str, *operations: JSON) -> Response:
        return self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)})

    def members(self, group: str) -> set[str]:
        """Who is in the group by its own answer."""
        answer = self.send("GET", f"/Groups/{group}")
        assert answer.status_code == 200, answer.text
        return {each["value"] for each in answer.json().get("members", ())}
