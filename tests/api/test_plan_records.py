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
EMPTY: dict[str, Any] = {"grants": []}
Request = tuple[str, str, Any]


@dataclass(frozen=True)
class Case:
    """A change as a single request and as a step of a plan; `before` and `after` are requests around each of them, and
    `first` makes what they are about.
    """

    single: Request
    step: dict[str, Any]
    before: Request | None = None
    after: Request | None = None
    who: str = "root"
    first: Request | None = None


def step(change: str, **fields: Any) -> dict[str, Any]:
    return {"change": change, **fields}


HR, DOCUMENT = "/collections/hr/access", "/documents/{document}/access"
FOLDER, PAY = f"{HR}?folder=pay", {"collection": "hr", "folder": "pay"}
NESTING, ADA, MIA = "/roles/managers/inside/hr", "/roles/hr/members/ada", "/roles/hr/members/mia"
CASES = {
    "a collection's rule": Case(("PUT", HR, RULE), step("rule", collection="hr", rule=RULE), before=("PUT", HR, EMPTY)),
    "a collection's rule without a label": Case(
        ("PUT", HR, {"grants": [GRANT]}), step("rule", collection="hr", rule={"grants": [GRANT]}), ("PUT", HR, RULE)
    ),
    "a folder's first rule": Case(
        ("PUT", FOLDER, RULE), step("rule", **PAY, rule=RULE), after=("DELETE", FOLDER, None)
    ),
    "a folder's next rule": Case(("PUT", FOLDER, RULE), step("rule", **PAY, rule=RULE), before=("PUT", FOLDER, EMPTY)),
    "the end of a folder's rule": Case(
        ("DELETE", FOLDER, None), step("rule", **PAY, rule=None), before=("PUT", FOLDER, RULE)
    ),
    "a document's rule": Case(
        ("PUT", DOCUMENT, RULE), step("rule", document="{document}", rule=RULE), ("PUT", DOCUMENT, EMPTY), who="cleo"
    ),
    "a grant on a collection": Case(
        ("POST", "/grants?collection=hr", GRANT), step("grant", collection="hr", grant=GRANT), ("PUT", HR, RULE)
    ),
    "a grant on a folder": Case(
        ("POST", "/grants?collection=hr&folder=pay", GRANT), step("grant", **PAY, grant=GRANT), ("PUT", FOLDER, RULE)
    ),
    "a grant on a document": Case(
        ("POST", "/grants?document={document}", GRANT),
        step("grant", document="{document}", grant=GRANT),
        before=("PUT", DOCUMENT, RULE),
        who="cleo",
    ),
    "a grant taken away": Case(
        ("DELETE", "/grants/{grant}?collection=hr", None),
        step("revoke", collection="hr", grant={"role": "hr"}),
        before=("PUT", HR, RULE),
    ),
    "a member": Case(("PUT", MIA, None), step("join", user="mia", role="hr"), after=("DELETE", MIA, None)),
    "a member who was one": Case(("PUT", ADA, None), step("join", user="ada", role="hr")),
    "a member who leaves": Case(("DELETE", ADA, None), step("leave", user="ada", role="hr"), after=("PUT", ADA, None)),
    "a role inside another": Case(
        ("PUT", NESTING, None), step("nest", role="managers", inside="hr"), after=("DELETE", NESTING, None)
    ),
    "a role out of another": Case(
        ("DELETE", NESTING, None), step("unnest", role="managers", inside="hr"), before=("PUT", NESTING, None)
    ),
    "a group": Case(
        ("PUT", "/roles/okta:sales/group", {"group": "g-1"}),
        step("group", role="okta:sales", group="g-1"),
        ("PUT", "/roles/okta:sales/group", {"group": None}),
        first=("POST", "/roles", {"name": "sales", "source": "okta"}),
    ),
    "a clearance": Case(
        ("PATCH", "/users/mia", {"clearance": "public"}),
        step("clearance", user="mia", clearance="public"),
        before=("PATCH", "/users/mia", {"clearance": "internal"}),
    ),
}


def test_every_kind_of_step_is_a_case() -> None:
    kinds = {
        kind for body in get_args(get_args(AnyChange)[0]) for kind in get_args(body.model_fields["change"].annotation)
    }
    assert {case.step["change"] for case in CASES.values()} == kinds, "and attacked in test_change_guard.py"


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

    def records(request: Request) -> list[dict[str, Any]]:
        if case.before:
            send(case.who, *case.before)
        seen = _count(company)
        answer = send(case.who, *request)
        if request[1] == PLANS:
            send(case.who, "POST", f"{PLANS}/{answer.json()['id']}/apply", None)
        found = _records(company, seen)
        if case.after:
            send(case.who, *case.after)
        return found

    if case.first:
        send(case.who, *case.first)
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
