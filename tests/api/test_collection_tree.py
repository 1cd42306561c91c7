"""The tree of a collection: the rule at each level, how many people read there, and how many documents lie there."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.identity.subject import Label
from tests.api.folders import put, rule
from tests.api.problems import check_problem
from tests.support.company import CARD, Company, administering
from tests.support.worker import work_queued

TREE = "/api/v1/collections/hr/tree"
COUNTS = ("readers", "documents", "tagged")


@pytest.fixture
def hr(client: TestClient, company: Company) -> Company:
    """The hr collection with folders with and without rules, one of them empty, and a document with tags."""
    for path in ("top.md", "pay/a.md", "pay/2026/b.md", "plans/c.md"):
        put(client, company, path)
    put(client, company, "pay/tagged.md", roles=["managers"])
    work_queued(company.db)
    rule(client, company, "pay", {"grants": [{"role": "managers"}, {"effect": "deny", "user": "hank"}]})
    made = rule(client, company, "empty/later", {"grants": [{"everyone": True}], "inherits": False})
    assert made.status_code == 200, made.text
    return company


def tree(client: TestClient, company: Company, who: str) -> dict[str, dict[str, Any]]:
    answer = client.get(TREE, headers=company.headers(who))
    assert answer.status_code == 200, answer.text
    folders = answer.json()
    assert [folder["path"] for folder in folders] == sorted(folder["path"] for folder in folders)
    return {folder["path"]: folder for folder in folders}


def test_a_curator_sees_each_folder_with_its_rule_and_its_counts(client: TestClient, hr: Company) -> None:
    """Ada and Hank are in hr; Mia is the one manager."""
    found = tree(client, hr, "hank")
    assert {path: tuple(folder[count] for count in COUNTS) for path, folder in found.items()} == {
        # The collection has its own document, and one that was uploaded with the role tag hr.
        "": (2, 6, 2),
        "empty": (2, 0, 0),
        "empty/later": (cleared_for(hr, "confidential"), 0, 0),
        # Hank is denied what his role would let him read.
        "pay": (2, 3, 1),
        "pay/2026": (2, 1, 0),
        "plans": (2, 1, 0),
    }
    assert {path: folder["sentence"] for path, folder in found.items()} == {
        "": "hr; confidential",
        "empty": "inherits",
        "empty/later": "everyone; inherits nothing",
        "pay": "managers, not hank; inherits",
        "pay/2026": "inherits",
        "plans": "inherits",
    }
    assert [path for path, folder in found.items() if folder["rule"] is None] == ["empty", "pay/2026", "plans"]
    assert found["pay"]["rule"]["grants"][0]["effect"] == "allow"
    assert {folder["label"] for folder in found.values()} == {"confidential"}


def cleared_for(company: Company, label: str) -> int:
    """How many active people are cleared for a label."""
    people = "select clearance from app_user where active and kind = 'person' and name not like '\\_%%'"
    return sum(row["clearance"] >= Label.parse(label) for row in company.rows(people))


def test_an_administrator_sees_the_folders_with_rules_alone(client: TestClient, hr: Company) -> None:
    """Which folders documents lie in is for those who may list them; how many they are is not."""
    found = tree(client, hr, "root")
    assert {path: folder["documents"] for path, folder in found.items()} == {
        "": 6,
        "empty": 0,
        "empty/later": 0,
        "pay": 3,
    }


def test_others_see_no_tree(client: TestClient, hr: Company) -> None:
    """A reader of the collection is told that it is not theirs; to everybody else there is no such collection."""
    check_problem(client.get(TREE, headers=hr.headers("ada")), 403, "NotAllowed")
    hidden = client.get(TREE, headers=hr.headers("ben"))
    absent = client.get("/api/v1/collections/none/tree", headers=hr.headers("ben"))
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content


def test_a_folder_out_of_an_upload_is_redacted(client: TestClient, hr: Company) -> None:
    """Two that differ in what is taken out are one; its rule is found all the same."""
    for number in (CARD, "5500 0000 0000 0004"):
        put(client, hr, f"cards {number}/x/d.md")
    work_queued(hr.db)
    rule(client, hr, f"cards {CARD}", {"grants": [{"user": "mia"}], "inherits": False})
    found = tree(client, hr, "cleo")
    assert CARD not in str([path for path, folder in found.items() if folder["rule"] is None])
    [shown] = [path for path in found if path.startswith("cards") and path.endswith("/x")]
    assert found[shown]["documents"] == 2
    assert found[f"cards {CARD}"]["readers"] == 1


def test_readers_are_those_who_could_read_by_the_clock_and_their_clearance(client: TestClient, hr: Company) -> None:
    """A grant that is over or yet to start counts for nobody, and a label above the clearance hides it."""
    send = administering(client, hr)
    over, later = {"ends_at": "2020-01-01T00:00:00Z"}, {"starts_at": "2090-01-01T00:00:00Z"}
    grants = [{"role": "managers", **over}, {"user": "ben", **later}]
    send("PUT", "/collections/hr/access?folder=timed", {"grants": grants})
    send("PUT", "/collections/hr/access?folder=high", {"grants": [{"everyone": True}], "label": "restricted"})
    found = tree(client, hr, "hank")
    assert found["timed"]["readers"] == 2
    assert found["high"]["readers"] == cleared_for(hr, "restricted")
