"""The description of the API: complete, valid, and loading nothing from outside."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import errors
from app.main import create_routes
from app.web.http.openapi import RAISES, codes_of
from app.web.http.route_table import PUBLIC
from tests.api.problems import ABSENT
from tests.support.company import Company

COMMON = {"NotSignedIn", "TooManyRequests", "InvalidInput", "DatabaseUnavailable"}
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def schema() -> Any:
    return create_routes().openapi()


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


def contents(operation: Any) -> Iterator[tuple[str, Any]]:
    """The media types of an operation's body and of what it gives."""
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for whole in (operation.get("requestBody", {}), *answers):
        yield from whole.get("content", {}).items()


def test_every_body_has_an_example(schema: Any) -> None:
    seen = 0
    for method, path, operation in operations(schema):
        for kind, content in contents(operation):
            if content.get("schema") and kind in {"application/json", "multipart/form-data"}:
                assert content["example"] not in (None, {}), f"{method} {path}"
                seen += 1
    assert seen > 50


def test_an_example_is_a_body_that_the_service_takes(client: TestClient, company: Company, schema: Any) -> None:
    """Sent as it stands: what it names may be absent, but its form is never wrong."""
    checked = 0
    for method, path, operation in operations(schema):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        where = re.sub(r"{\w+}", str(ABSENT), path)
        query = "?collection=handbook" if path == "/api/v1/grants" else ""
        answer = client.request(method, where + query, json=body["example"], headers=company.headers("root"))
        checked += 1
        assert answer.status_code not in {400, 413}, f"{method} {path}: {answer.text}"
        wrong = answer.json().get("detail", "") if answer.status_code == 422 else ""
        assert not wrong.startswith(tuple(f"{name}" for name in body["example"])), f"{method} {path}: {wrong}"
    assert checked > 10


def test_every_operation_lists_its_error_codes(schema: Any) -> None:
    known = {name for name, found in vars(errors).items() if isinstance(found, type) and name != "AppError"}
    for method, path, operation in operations(schema):
        codes = codes_of(operation)
        assert codes <= known, f"{method} {path}"
        if path not in PUBLIC:
            assert codes >= COMMON, f"{method} {path}"
    assert {
        key for key in RAISES if not isinstance(schema["paths"].get(f"/api/v1{key[1]}", {}).get(key[0]), dict)
    } == set()
