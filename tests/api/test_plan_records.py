"""A plan leaves the records that its steps would leave one by one: both make the change by the same function."""

import json
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from app.web.api.plans import AnyChange
from tests.support.company import Company

PLANS = "/access/plans"
GRANT = {"role": "managers"}
RULE = {"grants": [{"role": "hr"}], "label": "confidential"}


@dataclass(frozen=True)
class Case:
    """A change as a single request and as a step of a plan; `before` and `after` are requests around each of them."""

    single: tuple[str, str, Any]
    step: dict[str, Any]
    before: tuple[tuple[str, str, Any], ...] = ()
    after: tuple[tuple[str, str, Any], ...] = ()
    who: str = "root"


HR = "/collections/hr/access"
DOCUMENT = "/documents/{document}/access"
CASES = {
    "a collection's rule": Case(
        ("PUT", HR, RULE), {"change": "rule", "collection": "hr", "rule": RULE}, before=(("PUT", HR, {"grants": []}),)
    ),
    "a collection's rule without a label": Case(
        ("PUT", HR, {"grants": [GRANT]}),
        {"change": "rule", "collection": "hr", "rule": {"grants": [GRANT]}},
        before=(("PUT", HR, RULE),),
    ),
    "a folder's first rule": Case(
        ("PUT", f"{HR}?folder=pay", RULE),
        {"change": "rule", "collection": "hr", "folder": "pay", "rule": RULE},
        after=(("DELETE", f"{HR}?folder=pay", None),),
    ),
    "a folder's next rule": Case(
        ("PUT", f"{HR}?folder=pay", RULE),
        {"change": "rule", "collection": "hr", "folder": "pay", "rule": RULE},
        before=(("PUT", f"{HR}?folder=pay", {"grants": []}),),
    ),
    "the end of a folder's rule": Case(
        ("DELETE", f"{HR}?folder=pay", None),
        {"change": "rule", "collection": "hr", "folder": "pay", "rule": None},
        before=(("PUT", f"{HR}?folder=pay", RULE),),
    ),
    "a document's rule": Case(
        ("PUT", DOCUMENT, RULE),
        {"change": "rule", "document": "{document}", "rule": RULE},
        before=(("PUT", DOCUMENT, {"grants": []}),),
        who="cleo",
    ),
    "a grant on a collection": Case(
        ("POST", "/grants?collection=hr", GRANT),
        {"change": "grant", "collection": "hr", "grant": GRANT},
        before=(("PUT", HR, RULE),),
    ),
    "a grant on a folder": Case(
        ("POST", "/grants?collection=hr&folder=pay", GRANT),
        {"change": "grant", "collection": "hr", "folder": "pay", "grant": GRANT},
        before=(("PUT", f"{HR}?folder=pay", RULE),),
    ),
    "a grant on a document": Case(
        ("POST", "/grants?document={document}", GRANT),
        {"change": "grant", "document": "{document}", "grant": GRANT},
        before=(("PUT", DOCUMENT, RULE),),
        who="cleo",
    ),
    "a grant taken away": Case(
        ("DELETE", "/grants/{grant}?collection=hr", None),
        {"change": "revoke", "collection": "hr", "grant": {"role": "hr"}},
        before=(("PUT", HR, RULE),),
    ),
    "a member": Case(
        ("PUT", "/roles/hr/members/mia", None),
        {"change": "join", "user": "mia", "role": "hr"},
        after=(("DELETE", "/roles/hr/members/mia", None),),
    ),
    "a member who was one": Case(
        ("PUT", "/roles/hr/members/ada", None), {"change": "join", "user": "ada", "role": "hr"}
    ),
    "a member who leaves": Case(
        ("DELETE", "/roles/hr/members/ada", None),
        {"change": "leave", "user": "ada", "role": "hr"},
        after=(("PUT", "/roles/hr/members/ada", None),),
    ),
    "a role inside another": Case(
        ("PUT", "/roles/managers/inside/hr", None),
        {"change": "nest", "role": "managers", "inside": "hr"},
        after=(("DELETE", "/roles/managers/inside/hr", None),),
    ),
    "a role out of another": Case(
        ("DELETE", "/roles/managers/inside/hr", None),
        {"change": "unnest", "role": "managers", "inside": "hr"},
        before=(("PUT", "/roles/managers/inside/hr", None),),
    ),
    "a clearance": Case(
        ("PATCH", "/users/mia", {"clearance": "public"}),
        {"change": "clearance", "user": "mia", "clearance": "public"},
        before=(("PATCH", "/users/mia", {"clearance": "internal"}),),
    ),
}


def test_every_kind_of_step_is_a_case() -> None:
    kinds = {
        kind for body in get_args(get_args(AnyChange)[0]) for kind in get_args(body.model_fields["change"].annotation)
    }
    assert {case.step["change"] for case in CASES.values()} == kinds


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_step_leaves_the_record_of_the_single_change(client: TestClient, company: Company, case: Case) -> None:
    """Target, action, before and after, to the letter; the number of the policy epoch alone goes on."""

    def send(who: str, method: str, path: str, body: Any) -> Any:
        answer = client.request(method, f"/api/v1{_filled(path)}", json=_filled(body), headers=company.headers(who))
        assert answer.is_success, answer.text
        return answer

    def _filled(value: Any) -> Any:
        text = json.dumps(value).replace("{document}", str(company.documents["hr", "salaries.md"]))
        if "{grant}" in text:
            listed = send("root", "GET", "/grants?collection=hr", None).json()
            text = text.replace("{grant}", next(g["id"] for g in listed if g["role"] == "hr"))
        return json.loads(text)

    def records(*requests: tuple[str, str, Any]) -> list[dict[str, Any]]:
        for request in case.before:
            send(case.who, *request)
        seen = _count(company)
        for request in requests:
            answer = send(case.who, *request)
            if request[1] == PLANS:
                send(case.who, "POST", f"{request[1]}/{answer.json()['id']}/apply", None)
        found = _records(company, seen)
        for request in case.after:
            send(case.who, *request)
        return found

    alone = records(case.single)
    planned = records(("POST", PLANS, {"changes": [case.step]}))
    assert [r["kind"] for r in planned[:2]] == ["plan.made", "plan.applied"]
    assert len(alone) == 1
    assert planned[2:] == alone


def _count(company: Company) -> int:
    [row] = company.rows("select count(*) as n from audit_leaf")
    return int(row["n"])


def _records(company: Company, after: int) -> list[dict[str, Any]]:
    rows = company.rows(f"select body from audit_leaf order by at, id offset {after}")
    found = [json.loads(row["body"]) for row in rows]
    return [
        {key: value for key, value in record.items() if key not in {"id", "at", "epoch", "trail"}} for record in found
    ]
