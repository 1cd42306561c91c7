"""A list of people: looked at, applied as it was seen or not at all, and never to its author's profit."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.access_plans import everything
from tests.api.problems import check_problem
from tests.support.company import Company, administering

IMPORT = "/api/v1/users/import"


def send(client: TestClient, company: Company, content: str | bytes, who: str = "root", **form: str) -> Any:
    return client.post(IMPORT, files={"file": ("people.csv", content)}, data=form, headers=company.headers(who))


def look(client: TestClient, company: Company, content: str, **form: str) -> Any:
    answer = send(client, company, content, **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def apply(client: TestClient, company: Company, content: str, **form: str) -> Any:
    seen = look(client, company, content, **form)
    answer = send(client, company, content, fingerprint=seen["fingerprint"], **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def user(company: Company, name: str) -> dict[str, Any]:
    return company.rows("select * from app_user where name = %s and source = 'local'", [name])[0]


LIST = (
    "name,display_name,clearance,capabilities,roles,active\n"
    "freya,Freya Stone,confidential,ask;download,hr;engineering,\n"
    "ben,Ben,,,hr,\n"
    "ada,,,,-,\n"
    "nora,,,,,no\n"
    "cleo,,,,,\n"
)


def test_looking_says_all_and_changes_nothing(client: TestClient, company: Company) -> None:
    before = everything(company)
    seen = look(client, company, LIST)
    people = {person["user"]: person for person in seen["people"]}
    assert (seen["applied"], seen["listed"], seen["unchanged"], seen["missing"]) == (False, 5, 1, 0)
    assert {name: person["what"] for name, person in people.items()} == {
        "freya": "made", "ben": "changed", "ada": "changed", "nora": "off",
    }  # fmt: skip
    assert (people["freya"]["joins"], people["ben"]["joins"], people["ben"]["leaves"]) == (
        ["engineering", "hr"], ["hr"], ["engineering"],
    )  # fmt: skip
    assert people["nora"]["changes"] == {"active": [True, False]}
    # hr is confidential: ben is cleared for internal alone, freya reads the handbook and hr, ada loses hr.
    assert (people["freya"]["gains"], people["ben"]["gains"], people["ada"]["loses"]) == (4, 0, 1)
    assert everything(company) == before
    assert not company.rows("select 1 from app_user where name = 'freya'")


def test_what_was_seen_is_made_and_the_second_time_nothing(client: TestClient, company: Company) -> None:
    assert apply(client, company, LIST)["applied"]
    freya, nora = user(company, "freya"), user(company, "nora")
    assert (freya["clearance"], freya["capabilities"], freya["display_name"]) == (2, ["ask", "download"], "Freya Stone")
    assert (nora["active"], nora["held"]) == (False, True)
    roles = company.rows("select count(*) as n from membership where user_id = %s", [freya["id"]])
    keys = company.rows("select count(*) as n from person_key where user_id = %s", [freya["id"]])
    assert (roles[0]["n"], keys[0]["n"]) == (2, 1)
    made = [r for r in company.records("user.made") if r["user"] == str(freya["id"])]
    assert json.loads(company.unsealed(made[0], "names"))["after"]["display_name"] == "Freya Stone"
    assert [r["after"]["capabilities"] for r in made] == [["ask", "download"]]
    before = (
        everything(company),
        company.rows("select count(*) from audit_leaf"),
        company.rows("select * from policy_epoch"),
    )
    again = look(client, company, LIST)
    assert (again["people"], again["unchanged"]) == ([], 5)
    answer = send(client, company, LIST, fingerprint=again["fingerprint"])
    assert answer.status_code == 200
    after = (
        everything(company),
        company.rows("select count(*) from audit_leaf"),
        company.rows("select * from policy_epoch"),
    )
    assert after == before


THREE_MISTAKES = "name,clearance,roles\nfreya,secret,hr\nGus,internal,hr\nhedy,internal,hr;managment\n"


def test_all_mistakes_are_named_at_once_and_nothing_is_applied(client: TestClient, company: Company) -> None:
    before = everything(company)
    for form in ({}, {"fingerprint": "0" * 64}):
        answer = send(client, company, THREE_MISTAKES, **form)
        check_problem(answer, 422, "InvalidInput")
        said = answer.json()["detail"].split("\n")
        assert len(said) == 4
        assert [line.split(":")[0] for line in said[1:]] == [
            "line 2, column clearance", "line 3, column name", "line 4, column roles",
        ]  # fmt: skip
    assert everything(company) == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("bot,,,", "column name: 'bot' is a service"),
        ("freya,,,nobody:here", "no role is named 'nobody:here'"),
        ("ben,,x-1,", "column external_id: 'x-1' is 'ada'"),
        ("ben2,,x-1,\nada,,,", "'ada' is meant in line 2 already"),
    ],
)
def test_what_names_no_one_or_another(client: TestClient, company: Company, row: str, said: str) -> None:
    company.execute("update app_user set external_id = 'x-1' where name = 'ada'")
    company.execute("insert into app_user (name, display_name, kind, clearance) values ('bot', '', 'service', 0)")
    answer = send(client, company, f"name,display_name,external_id,roles\n{row}\n")
    check_problem(answer, 422, "InvalidInput")
    assert said in answer.json()["detail"]


def test_a_world_that_moved_makes_the_plan_stale(client: TestClient, company: Company) -> None:
    seen = look(client, company, LIST)
    administering(client, company)("PUT", "/roles/managers/members/ada", None)
    company.execute("update app_user set clearance = 3 where name = 'ada'")
    before = everything(company)
    check_problem(send(client, company, LIST, fingerprint=seen["fingerprint"]), 409, "PlanStale")
    assert everything(company) == before


def test_another_list_than_the_one_seen_is_stale(client: TestClient, company: Company) -> None:
    seen = look(client, company, LIST)
    other = LIST.replace("confidential", "restricted")
    check_problem(send(client, company, other, fingerprint=seen["fingerprint"]), 409, "PlanStale")


@pytest.mark.parametrize(
    "row",
    ["admin,restricted,,", "admin,,hr,", "admin,,,no", "admin,,,\nfreya,,hr,"],
    ids=["clearance", "role", "off", "ok"],
)
def test_nobody_gains_by_their_own_list(client: TestClient, company: Company, row: str) -> None:
    company.execute("update app_user set clearance = 1 where name = 'admin'")
    content = f"name,clearance,roles,active\n{row}\n"
    seen = send(client, company, content)
    if "freya" in row:
        assert seen.status_code == 200
        return
    check_problem(seen, 403, "SelfGrant")
    before = everything(company)
    check_problem(send(client, company, content, fingerprint="0" * 64), 403 if "no" in row else 409, seen_code(row))
    assert everything(company) == before


def seen_code(row: str) -> str:
    """What an order to apply meets first: its own row, or a fingerprint that nobody was shown."""
    return "SelfGrant" if "no" in row else "PlanStale"


def test_a_complete_list_switches_off_who_is_missing(client: TestClient, company: Company) -> None:
    names = [row["name"] for row in company.rows("select name from app_user where source = 'local' and active")]
    kept = [name for name in names if not name.startswith("_") and name != "nora"]
    content = "name\n" + "\n".join(kept) + "\n"
    seen = look(client, company, content, complete="local")
    assert ([p["user"] for p in seen["people"]], seen["missing"], seen["large"]) == (["nora"], 1, False)
    assert seen["people"][0]["line"] is None
    apply(client, company, content, complete="local")
    assert not user(company, "nora")["active"]


def test_more_than_a_fifth_has_to_be_asked_for(client: TestClient, company: Company) -> None:
    content = "name\nadmin\nada\nben\n"
    seen = look(client, company, content, complete="local")
    assert seen["large"]
    before = everything(company)
    order = {"fingerprint": seen["fingerprint"], "complete": "local"}
    check_problem(send(client, company, content, **order), 409, "Conflict")
    assert everything(company) == before
    assert send(client, company, content, allow_large_removal="true", **order).status_code == 200
    assert not user(company, "mia")["active"]


def test_who_makes_a_complete_list_stands_in_it(client: TestClient, company: Company) -> None:
    check_problem(send(client, company, "name\nada\n", complete="local"), 403, "SelfGrant")


def test_only_administrators(client: TestClient, company: Company) -> None:
    check_problem(send(client, company, LIST, who="cleo"), 403, "MissingCapability")


def test_a_name_from_another_source_is_somebody_else(client: TestClient, company: Company) -> None:
    before = user(company, "ada")
    apply(client, company, "name,source,clearance,roles\nada,okta,restricted,managers\n")
    assert user(company, "ada") == before
    assert company.rows("select clearance from app_user where source = 'okta' and name = 'ada'") == [{"clearance": 3}]


def test_a_rename_by_external_id_keeps_the_person(client: TestClient, company: Company) -> None:
    apply(client, company, "name,external_id\nada,e-1\n")
    ada = user(company, "ada")["id"]
    apply(client, company, "name,external_id\nada.stone,e-1\n")
    assert user(company, "ada.stone")["id"] == ada
    assert client.get("/api/v1/users/me", headers=company.headers("ada")).json()["name"] == "ada.stone"


def test_what_a_source_gives_is_not_the_lists_to_take(client: TestClient, company: Company) -> None:
    """A role that ends by itself, and a role of a source that a service keeps: neither left nor joined."""
    company.execute(
        "insert into app_user (name, display_name, kind, clearance, capabilities, provisions)"
        " values ('sync', '', 'service', 0, '{provision}', 'okta');"
        " insert into role (name, source) values ('eng', 'okta'), ('ops', 'okta');"
        " insert into membership select u.id, r.id, now() + interval '1 day' from app_user u, role r"
        " where u.name = 'ada' and r.name = 'managers';"
        " insert into membership select u.id, r.id, null from app_user u, role r"
        " where u.name = 'ada' and r.name = 'eng'"
    )
    seen = look(client, company, "name,roles\nada,-\n")
    assert seen["people"][0]["leaves"] == ["hr"]
    assert look(client, company, "name,roles\nada,hr;managers;okta:eng\n")["people"] == []
    answer = send(client, company, "name,roles\nada,hr;okta:ops\n")
    assert "'okta:ops' is kept by its source" in answer.json()["detail"]


def test_keys_of_who_is_switched_off_end(client: TestClient, company: Company) -> None:
    apply(client, company, "name,active\nben,no\n")
    check_problem(client.get("/api/v1/users/me", headers=company.headers("ben")), 401, "NotSignedIn")


def test_a_large_file_of_people(client: TestClient, company: Company) -> None:
    """Beyond the limit of JSON bodies, in one go."""
    rows = "".join(f"p{n},Person {n} {'x' * 40},hr;engineering\n" for n in range(1_500))
    done = apply(client, company, f"name,display_name,roles\n{rows}")
    assert len(done["people"]) == 1_500
    assert company.rows("select count(*) as n from membership")[0]["n"] >= 3_000


def test_another_external_id_is_another_way_to_sign_in(client: TestClient, company: Company) -> None:
    """Whoever was known at a provider by the old one does not come in as this person any more."""
    apply(client, company, "name,external_id\nada,e-1\n")
    company.execute("insert into sign_in_identity select 'https://idp', 'e-1', id from app_user where name = 'ada'")
    apply(client, company, "name,external_id,display_name\nada,e-1,Ada\n")
    assert company.rows("select subject from sign_in_identity") == [{"subject": "e-1"}]
    apply(client, company, "name,external_id\nada,e-2\n")
    assert company.rows("select subject from sign_in_identity") == []
