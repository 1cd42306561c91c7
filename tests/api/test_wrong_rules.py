"""What a wrong rule gets: an error that says what to do, and nothing half-applied. `-s` prints the table."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.client.access_file import AccessFile, AccessFileError
from tests.api.access_plans import policy_of
from tests.api.problems import check_problem
from tests.support.company import Company

LATER, SOONER = "2027-06-01T00:00:00Z", "2027-01-01T00:00:00Z"
HR = "/collections/hr/access"

# Who, method, path, body, status, code, and a word of what to do.
WRONG: list[tuple[str, str, str, Any, int, str, str]] = [
    ("root", "PUT", "/roles/hr/inside/hr", None, 422, "InvalidInput", "circle"),
    ("root", "PUT", "/roles/managers/inside/engineering", None, 422, "InvalidInput", "circle"),
    ("root", "POST", "/grants?collection=hr", {"role": "nobody"}, 422, "UnknownRole", "roles list"),
    ("root", "PUT", HR, {"grants": [{"role": "hr"}, {"role": "nobody"}]}, 422, "UnknownRole", "nobody"),
    ("root", "POST", "/grants?collection=hr", {"user": "nobody"}, 422, "InvalidInput", "nobody"),
    ("root", "POST", "/grants?collection=hr", {"role": "hr", "everyone": True}, 422, "InvalidInput", "exactly one"),
    ("root", "POST", "/grants?collection=hr", {"role": "hr", "starts_at": LATER, "ends_at": SOONER}, 422,
     "InvalidInput", "before ends_at"),
    ("root", "POST", "/grants?collection=hr", {"role": "hr", "ends_at": "2027-01-01T00:00:00"}, 422, "InvalidInput",
     "zone"),
    ("root", "PUT", HR, {"grants": [], "label": "secret"}, 422, "InvalidInput", "label"),
    ("root", "PUT", HR, {"grants": [], "until": SOONER}, 422, "InvalidInput", "until"),
    ("root", "PUT", f"{HR}?folder=../x", {"grants": []}, 422, "InvalidInput", "payroll/2026"),
    ("hank", "POST", "/grants?collection=handbook", {"role": "hr"}, 403, "NotAllowed", "curators"),
    ("hank", "POST", "/grants?collection=board", {"role": "engineering"}, 404, "NotFound", "nothing here"),
    ("hank", "POST", "/grants?collection=hr", {"user": "hank"}, 403, "SelfGrant", "plan"),
    ("hank", "PUT", "/roles/engineering/members/ben", None, 403, "BeyondReach", "delegate"),
    ("root", "PUT", "/collections/hr/curators/admin", None, 403, "SelfGrant", "another administrator"),
    ("root", "POST", "/access/plans", {"changes": []}, 422, "InvalidInput", "changes"),
    ("root", "POST", f"/access/plans/{uuid.uuid4()}/apply", None, 404, "NotFound", "nothing here"),
]  # fmt: skip


def test_wrong_rules_change_nothing(client: TestClient, company: Company) -> None:
    """Each is refused by its name, and every table of the policy stays as it was."""
    root = company.headers("root")
    assert client.put("/api/v1/roles/engineering/inside/managers", headers=root).status_code == 204
    assert client.put("/api/v1/roles/managers/stewards/hank", headers=root).status_code == 204
    before = policy_of(company)
    for who, method, path, body, status, code, word in WRONG:
        answer = client.request(method, f"/api/v1{path}", json=body, headers=company.headers(who))
        check_problem(answer, status, code)
        assert word in answer.json()["detail"], (path, answer.text)
        assert policy_of(company) == before, path
        print(f"{method:6} {path:44} {status} {code:14} {answer.json()['detail']}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("rules: [", "not valid YAML"),
        ("rules:\n  - path: '*'\n", "has no `roles`"),
        ("rules:\n  - {path: '*', roles: [hr], untill: 2027-01-01}\n", "untill"),
        ("rules:\n  - {path: '*', roles: [hr], from: 2027-06-01, until: 2027-01-01}\n", "not after its `from`"),
        ("rules:\n  - {path: '../*', roles: [hr]}\n", "relative"),
    ],
)
def test_a_malformed_access_file_uploads_nothing(tmp_path: Path, text: str, said: str) -> None:
    """Read whole before the first file is sent; the error names the file, the line where there is one, and the cure."""
    file = tmp_path / "access.yaml"
    file.write_text(text)
    with pytest.raises(AccessFileError, match=r"access\.yaml") as error:
        AccessFile.read(file)
    assert said in str(error.value)
