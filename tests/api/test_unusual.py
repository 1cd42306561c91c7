"""Days on which somebody was shown far more than is usual: asked for by auditors, in words and numbers, recorded."""

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.api.services import Service
from tests.support.audit_order import sequence
from tests.support.company import Company

UNUSUAL = "/api/v1/audit/unusual"
# As many documents of nobody's on a day, before today, of one person.
DAYS = """
insert into audit_day (day, actor, way, documents)
  select (now() at time zone 'UTC')::date - {back}, u.id, 'shown', array(
    select gen_random_uuid() from generate_series(1, {number}))
  from app_user u where u.name = '{name}'
"""
# Ben's colleagues have been there for long.
LONG = """
insert into membership_history (user_id, role_id, valid_from)
  select u.id, r.id, now() - interval '90 days' from app_user u, role r
  where u.name in ('ada', 'mia', 'nora', 'hank', 'ben') and r.name = 'engineering'
"""


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


@pytest.fixture
def busy(client: TestClient, company: Company, bot: Service) -> Company:
    """Engineers have some nine documents a day; Ben, who is new, was shown 67 today, one by the bot, and 5 before."""
    company.execute(LONG)
    for name in ("ada", "mia", "nora", "hank"):
        for back, number in enumerate((8, 9, 10, 9, 31), start=1):
            company.execute(DAYS.format(back=back, number=number, name=name))
    company.execute(DAYS.format(back=0, number=66, name="ben"))
    company.execute(DAYS.format(back=1, number=5, name="ben"))
    document = company.documents["handbook", "leave.md"]
    opened = client.get(f"/api/v1/documents/{document}", headers=bot.headers("ben"))
    assert opened.status_code == 200, opened.text
    sequence(company.db)
    return company


def unusual(client: TestClient, company: Company, **params: Any) -> dict[str, Any]:
    answer = client.get(UNUSUAL, params=params, headers=company.headers("audrey"))
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def test_a_day_is_told_in_words_and_numbers(client: TestClient, busy: Company) -> None:
    report = unusual(client, busy)
    [day] = report["found"]
    assert (day["user"], day["day"], day["way"], day["number"]) == ("ben", today().isoformat(), "shown", 67)
    assert (day["own"], day["active"], day["via"]) == (None, True, ["bot"])
    [role] = day["roles"]
    assert role["name"] == "engineering"
    assert role["usual"] == {"people": 4, "days": 20, "median": 9.0, "spread": 1.0, "highest": 31, "limit": 18.0}
    assert day["explanation"] == (
        f"67 documents on {today().day} {today():%B %Y};"
        " people of 'engineering': median 9, highest 31 on 20 days in the 30 before (4 people);"
        " the same person: too few days in the 30 before to compare with"
    )
    assert (report["days_before"], report["days"], report["without_baseline"]) == (30, 22, 4)
    assert (report["since"], report["until"]) == tuple((today() + dt.timedelta(days=n)).isoformat() for n in (-6, 1))


def test_each_finding_leads_to_what_was_shown_that_day(client: TestClient, busy: Company) -> None:
    [day] = unusual(client, busy)["found"]
    events = client.get("/api/v1/audit/events", params={"q": day["q"]}, headers=busy.headers("audrey")).json()["events"]
    assert [event["record"]["kind"] for event in events] == ["document.opened"]
    assert {event["record"]["actor"]["user"] for event in events} == {day["person"]}


def test_who_is_gone_or_switched_off_is_still_told_of(client: TestClient, busy: Company) -> None:
    off = client.patch("/api/v1/users/ben", json={"active": False}, headers=busy.headers("root"))
    assert off.status_code == 200, off.text
    [day] = unusual(client, busy)["found"]
    assert (day["user"], day["active"]) == ("ben", False)
    busy.execute("delete from app_user where name = 'ben'")
    [gone] = unusual(client, busy)["found"]
    assert (gone["person"], gone["user"], gone["names"], gone["active"]) == (day["person"], None, ["ben"], False)
    assert unusual(client, busy, user=day["person"])["found"] == [gone]


def test_of_one_person_and_of_a_time(client: TestClient, busy: Company) -> None:
    assert len(unusual(client, busy, user="ben")["found"]) == 1
    assert unusual(client, busy, user="mia")["found"] == []
    begin = dt.datetime.combine(today(), dt.time(), dt.UTC)
    before = unusual(client, busy, until=begin.isoformat())
    assert (before["found"], before["until"]) == ([], today().isoformat())
    inside = unusual(client, busy, since=dt.datetime.now(dt.UTC).isoformat())
    assert len(inside["found"]) == 1, "days are whole"


def test_pages_together_are_the_list(client: TestClient, busy: Company) -> None:
    for back in (1, 2, 3):
        busy.execute(DAYS.format(back=back, number=90 + back, name="cleo"))
    busy.execute("insert into membership_history (user_id, role_id, valid_from) select u.id, r.id, now() - interval"
                 " '90 days' from app_user u, role r where u.name = 'cleo' and r.name = 'engineering'")  # fmt: skip
    whole, found = unusual(client, busy)["found"], list[Any]()
    assert len(whole) > 1
    url = f"{UNUSUAL}?limit=1"
    while url:
        answer = client.get(url, headers=busy.headers("audrey"))
        found += answer.json()["found"]
        url = urljoin(url, answer.links["next"]["url"]) if "next" in answer.links else ""
    assert found == whole
    assert [day["day"] for day in whole] == sorted((day["day"] for day in whole), reverse=True)


def test_the_question_is_recorded(client: TestClient, busy: Company) -> None:
    report = unusual(client, busy, user="ben")
    made = busy.records("audit.read")[-1]
    [ben] = busy.rows("select id from app_user where name = 'ben'")
    assert made["id"] == report["recorded"]
    assert made["filters"] == {"unusual": str(ben["id"]), "since": report["since"], "until": report["until"]}
    assert (made["rows"], made["opened"]) == (1, False)
    unusual(client, busy)
    assert busy.records("audit.read")[-1]["filters"]["unusual"] == "any"


@pytest.mark.parametrize(
    ("params", "status", "says"),
    [
        ({"since": "2026-11-01T00:00:00"}, 422, "Give each moment with its zone"),
        ({"until": "2026-11-01T00:00:00"}, 422, "Give each moment with its zone"),
        ({"since": "2100-01-01T00:00:00Z"}, 422, "since must lie before until, and in the past."),
        ({"since": "2026-11-03T00:00:00Z", "until": "2026-11-03T00:00:00Z"}, 422, "since must lie before until"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-02T00:00:00Z"}, 422, "Ask of at most 31 days at a time."),
        ({"users": "ben"}, 422, "'users'"),
        ({"user": "bob"}, 404, "No user is named 'bob'"),
        ({"user": str(uuid.UUID(int=5))}, 200, ""),
    ],
)
def test_a_question_that_is_not_understood_is_refused(
    client: TestClient, company: Company, params: dict[str, str], status: int, says: str
) -> None:
    """And is not recorded as a look."""
    before = len(company.records("audit.read"))
    answer = client.get(UNUSUAL, params=params, headers=company.headers("audrey"))
    assert answer.status_code == status
    assert says in answer.text
    assert len(company.records("audit.read")) == before + (status == 200)


def test_nobody_else_asks(client: TestClient, busy: Company) -> None:
    for name in ("root", "cleo", "ben"):
        check_problem(client.get(UNUSUAL, headers=busy.headers(name)), 403, "MissingCapability")
