"""The description of the API: complete, valid, and loading nothing from outside."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def schema(client: TestClient) -> Any:
    return client.get("/api/v1/openapi.json").json()


def operations(schema: Any) -> list[tuple[str, str, Any]]:
    return [(m, p, op) for p, item in schema["paths"].items() for m, op in item.items() if m in METHODS]


def test_every_operation_says_what_it_does_and_what_it_gives(schema: Any) -> None:
    assert schema["openapi"].startswith("3.1")
    found = operations(schema)
    assert len(found) > 35
    for method, path, operation in found:
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"].strip(), where
        assert operation["tags"], where
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert len(good) == 1, where
        assert all(r["description"] for r in operation["responses"].values()), where
        declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), where
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere(schema: Any) -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema)))
    assert references
    for reference in references:
        place = schema
        assert reference.startswith("#/")
        for step in reference[2:].split("/"):
            place = place[step]
    for name, body in schema["components"]["schemas"].items():
        if name.endswith("Body"):
            assert body["additionalProperties"] is False, name


def test_it_names_no_address_outside(schema: Any) -> None:
    assert re.findall(r"https?://[^\"]+", json.dumps(schema)) == []


def test_what_must_not_leave_is_in_no_schema(schema: Any) -> None:
    names = {n for s in schema["components"]["schemas"].values() for n in s.get("properties", {})}
    assert not names & {"scope_id", "chunk_id", "document_id", "collection_id", "rule_id", "hash", "embedding"}
