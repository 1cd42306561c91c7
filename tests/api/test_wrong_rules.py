"""What a wrong change gets: an error that says what to do, by its name; and nothing of it is made, which the shared
company shows in the end.
"""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import ABSENT, check_problem
from tests.support.company import Company

LATER, SOONER, NAIVE = "2027-06-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00"
HR, PLANS = "/collections/hr/access", "/access/plans"
GRANT, HANDBOOK = "/grants?collection=hr", "/grants?collection=handbook"
INVALID = (422, "InvalidInput")


def planned(**change: Any) -> dict[str, Any]:
    return {"changes": [change]}


OPEN_HR = {"change": "grant", "collection": "hr", "grant": {"role": "managers"}}
# Who, method, path, body, status and code, and words of what to do.
WRONG: list[tuple[str, str, str, Any, tuple[int, str], str]] = [
    ("root", "PUT", "/roles/hr/inside/hr", None, INVALID, "circle"),
    ("root", "POST", GRANT, {"role": "nobody"}, (422, "UnknownRole"), "roles list"),
    ("root", "PUT", HR, {"grants": [{"role": "hr"}, {"role": "nobody"}]}, (422, "UnknownRole"), "nobody"),
    ("root", "POST", GRANT, {"user": "nobody"}, INVALID, "nobody"),
    ("root", "POST", GRANT, {"role": "hr", "everyone": True}, INVALID, "exactly one"),
    ("root", "POST", GRANT, {"role": "hr", "starts_at": LATER, "ends_at": SOONER}, INVALID, "before ends_at"),
    ("root", "POST", GRANT, {"role": "hr", "ends_at": NAIVE}, INVALID, "zone"),
    ("root", "GET", f"{GRANT}&document={ABSENT}", None, INVALID, ""),
    ("root", "GET", "/grants", None, INVALID, ""),
    ("root", "PUT", HR, {"grants": [], "label": "secret"}, INVALID, "label"),
    ("root", "PUT", HR, {"grants": [], "until": SOONER}, INVALID, "until"),
    ("root", "PUT", f"{HR}?folder=../x", {"grants": []}, INVALID, "payroll/2026"),
    ("hank", "POST", HANDBOOK, {"role": "hr"}, (403, "NotAllowed"), "curators"),
    ("hank", "POST", "/grants?collection=board", {"role": "engineering"}, (404, "NotFound"), "nothing here"),
    ("hank", "POST", GRANT, {"user": "hank"}, (403, "SelfGrant"), "plan"),
    ("hank", "PUT", HR, {"grants": [{"role": "hr"}, {"user": "hank"}]}, (403, "SelfGrant"), "would give you"),
    ("root", "PUT", "/collections/hr/curators/admin", None, (403, "SelfGrant"), "another administrator"),
    # People, roles, keys and collections.
    ("root", "POST", "/roles", {"name": "hr"}, (409, "Conflict"), "exists"),
    ("root", "POST", "/roles", {"name": "HR"}, INVALID, "name: "),
    ("root", "POST", "/users", {"name": "zed", "display_name": "a\0b"}, INVALID, "NUL"),
    ("root", "GET", "/keys?user=%00", None, INVALID, "NUL"),
    ("root", "PATCH", "/users/a%00b", {}, INVALID, "NUL"),
    ("audrey", "GET", f"/audit/events?after={10**30}", None, INVALID, "after: Input should be less than or equal to"),
    ("audrey", "GET", f"/audit/events?since={NAIVE}", None, INVALID, "zone"),
    ("root", "POST", "/keys", {"user": "ben", "expires_at": NAIVE}, INVALID, "zone"),
    ("root", "POST", "/collections", {"name": "x", "grants": [{"role": "hr", "starts_at": NAIVE}]}, INVALID, "zone"),
    ("root", "GET", "/documents/17", None, (404, "NotFound"), "nothing here"),
    ("cleo", "GET", f"/access/explain?document={ABSENT}&at={NAIVE}", None, INVALID, ""),
    # What is missing is named to who may know of it.
    ("root", "PATCH", "/users/nemo", {"active": True}, (404, "NotFound"), "No user is named 'nemo'."),
    ("root", "DELETE", "/roles/nemo", None, (404, "NotFound"), "No role is named 'nemo'."),
    ("root", "PUT", "/roles/hr/members/nemo", None, (404, "NotFound"), "No user is named 'nemo'."),
    ("root", "PUT", "/roles/nemo/members/ben", None, (404, "NotFound"), "No role is named 'nemo'."),
    ("root", "PUT", "/roles/nemo/inside/hr", None, (404, "NotFound"), "No role is named 'nemo'."),
    ("root", "POST", "/keys", {"user": "okta:nemo"}, (404, "NotFound"), "No user is named 'okta:nemo'."),
    ("root", "PUT", "/collections/nemo/curators/ben", None, (404, "NotFound"), "No collection is named 'nemo'."),
    ("root", "GET", "/collections/nemo/access", None, (404, "NotFound"), "No collection is named 'nemo'."),
    ("root", "DELETE", "/collections/handbook/access?folder=a", None, (404, "NotFound"), "The folder 'a' has no rule"),
    # A service gets nothing of its own.
    ("root", "PUT", "/roles/hr/members/bot", None, INVALID, "service"),
    ("root", "PUT", "/collections/handbook/curators/bot", None, INVALID, "service"),
    ("root", "POST", HANDBOOK, {"user": "bot"}, INVALID, "service"),
    ("root", "POST", HANDBOOK, {"user": "bot", "effect": "deny"}, INVALID, "service"),
    ("root", "PUT", "/collections/handbook/access", {"grants": [{"user": "bot"}]}, INVALID, "service"),
    ("root", "PATCH", "/users/bot", {"capabilities": ["ask", "curate"]}, INVALID, "service"),
    ("root", "PATCH", "/users/bot", {"clearance": "restricted"}, INVALID, "service"),
    ("root", "POST", "/users", {"name": "bot2", "kind": "service", "capabilities": ["audit"]}, INVALID, "service"),
    ("root", "POST", "/users", {"name": "bot2", "kind": "service", "clearance": "public"}, INVALID, "service"),
    # Plans.
    ("root", "POST", PLANS, {"changes": []}, INVALID, "changes"),
    ("root", "POST", f"{PLANS}/{ABSENT}/apply", None, (404, "NotFound"), "nothing here"),
    ("hank", "POST", PLANS, planned(**OPEN_HR | {"collection": "handbook"}), (403, "NotAllowed"), ""),
    ("hank", "POST", PLANS, planned(**OPEN_HR | {"collection": "board"}), (404, "NotFound"), ""),
    ("hank", "POST", PLANS, planned(change="join", user="ben", role="managers"), (403, "MissingCapability"), ""),
    ("hank", "POST", PLANS, planned(change="nest", role="hr", inside="managers"), (403, "MissingCapability"), ""),
    ("root", "POST", PLANS, planned(**OPEN_HR | {"grant": {"role": "nobody"}}), (422, "UnknownRole"), ""),
    ("root", "POST", PLANS, planned(change="nest", role="hr", inside="hr"), INVALID, ""),
    ("root", "POST", PLANS, planned(change="rule", collection="hr", rule=None), INVALID, ""),
    ("root", "POST", PLANS, planned(change="else"), INVALID, ""),
]


@pytest.mark.changes_nothing
@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong[:4])[:80])
def test_a_wrong_change_is_refused_in_words(
    client: TestClient, company: Company, wrong: tuple[str, str, str, Any, tuple[int, str], str]
) -> None:
    who, method, path, body, problem, words = wrong
    answer = client.request(method, f"/api/v1{path}", json=body, headers=company.headers(who))
    check_problem(answer, *problem)
    assert words in answer.json()["detail"]
