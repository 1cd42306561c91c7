"""A document that was shared too widely for a while: who had it, who could have had it, and by whom."""

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from app.db.rls_probe import CANARY
from tests.api.problems import check_problem
from tests.support.audit_order import sequence
from tests.support.company import Company, upload
from tests.support.worker import work_queued

EXPOSURE, ACCESS, STALE = (f"/api/v1/audit/{name}" for name in ("exposure", "access", "stale-answers"))
QUESTION = {"question": "What is the salary band of level five?", "mode": "quote"}
OPEN = {"grants": [{"everyone": True}], "label": "internal", "inherits": True}
WIDER = {"grants": [{"everyone": True}, {"role": "managers"}], "label": "internal", "inherits": True}
TAGGED = {"grants": [{"role": "hr"}], "label": None, "inherits": False}


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


class Mishap:
    """Hank opens the salaries to everyone; Ben finds them and Ada asks; then he closes them, and moments in between."""

    def __init__(self, client: TestClient, company: Company) -> None:
        self.client, self.company = client, company
        self.salaries = str(company.documents["hr", "salaries.md"])
        self.place = f"/api/v1/documents/{self.salaries}/access"
        self.before = now()
        self.put(OPEN)
        self.open = now()
        self.send("POST", "/search", "ben", {"query": "salary band of level five"})
        self.put(WIDER)
        self.send("POST", "/ask", "ada", QUESTION)
        self.put(TAGGED)
        self.after = now()
        sequence(company.db)

    def put(self, rule: dict[str, Any]) -> None:
        answer = self.client.put(self.place, json=rule, headers=self.company.headers("hank"))
        assert answer.status_code == 200, answer.text

    def send(self, method: str, path: str, who: str, body: Any) -> Any:
        answer = self.client.request(method, f"/api/v1{path}", json=body, headers=self.company.headers(who))
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, url: str, **params: Any) -> Any:
        answer = self.client.get(url, params=params, headers=self.company.headers("audrey"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def report(self, **params: Any) -> dict[str, Any]:
        given = {"document": self.salaries, "since": self.before, "until": self.after, **params}
        found: dict[str, Any] = self.get(EXPOSURE, **given)
        return found

    def people(self, report: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {each["user"] or each["names"][0]: each for each in report["people"]}


@pytest.fixture
def mishap(client: TestClient, company: Company) -> Mishap:
    return Mishap(client, company)


def explained(mishap: Mishap, user: str, at: str) -> bool:
    """What the collection's curator is told of that moment."""
    params = {"document": mishap.salaries, "user": user, "at": at}
    answer = mishap.client.get("/api/v1/access/explain", params=params, headers=mishap.company.headers("cleo"))
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["allowed"])


def test_who_had_it_and_who_could_have_had_it(mishap: Mishap) -> None:
    report = mishap.report()
    people = mishap.people(report)
    names = [row["name"] for row in mishap.company.rows("select name from app_user where kind = 'person'")]
    could = {name for name, each in people.items() if each["could"]}
    assert could == {n for n in names if not n.startswith("_") and explained(mishap, n, mishap.open)}
    assert {"ada", "ben", "nora"} <= could
    assert {name for name, each in people.items() if each["shown"]} == {"ada", "ben"}
    assert people["ben"]["shown"]["times"]["searches"] == 1
    assert people["ada"]["shown"]["times"]["answers"] == 1
    assert report["counts"] == {
        "shown": 2, "could": len(could), "never_shown": len(could) - 2, "shown_without_grant": 0,
    }  # fmt: skip
    assert (report["complete"], report["gone"]) == (True, False)
    assert [each["shown"] is None for each in report["people"]] == sorted(
        each["shown"] is None for each in report["people"]
    )


def test_each_grant_has_its_maker_and_its_time(mishap: Mishap) -> None:
    report = mishap.report()
    grants, people = report["grants"], mishap.people(report)
    everyone = next(n for n, grant in enumerate(grants) if grant["kind"] == "everyone")
    hr = next(n for n, grant in enumerate(grants) if grant["name"] == "hr")
    [made] = grants[everyone]["made"]
    assert (made["user"], made["action"], made["target"]) == ("hank", "document.ruled", f"document:{mishap.salaries}")
    record = mishap.get(f"/api/v1/audit/events/{made['seq']}")["event"]["record"]
    assert record["after"]["grants"][0]["kind"] == "everyone"
    makers = [(each["user"], each["action"]) for each in grants[hr]["made"]]
    assert ("hank", "document.ruled") in makers
    assert ("cleo", "document.uploaded") in makers
    assert {each["target"] for each in grants[hr]["made"] if each["action"] == "document.uploaded"} == {
        f"document:{mishap.salaries}"
    }
    early = mishap.report(until=mishap.open)["grants"]
    [before] = [[each["action"] for each in grant["made"]] for grant in early if grant["name"] == "hr"]
    assert before == ["document.uploaded", "collection.made"]
    [ben] = people["ben"]["could"]
    assert ben["grant"] == everyone
    assert mishap.before <= ben["first"] <= mishap.open <= ben["last"] <= mishap.after
    ada = [each for each in people["ada"]["could"] if each["grant"] == hr]
    moments = sorted(moment for each in ada for moment in (each["first"], each["last"]))
    assert dt.datetime.fromisoformat(moments[0]) == dt.datetime.fromisoformat(mishap.before)
    assert dt.datetime.fromisoformat(moments[-1]) == dt.datetime.fromisoformat(mishap.after)


def test_before_it_was_opened_nobody_else_could(mishap: Mishap) -> None:
    report = mishap.report(since="2026-01-01T00:00:00Z", until=mishap.before)
    assert {"ben", "nora"} & set(mishap.people(report)) == set()
    assert report["complete"] is False
    assert dt.datetime.fromisoformat(report["known_from"]) < dt.datetime.fromisoformat(mishap.before)
    firsts = [one["first"] for each in report["people"] for one in each["could"]]
    assert min(firsts) >= report["known_from"]
    empty = mishap.report(since="2020-01-01T00:00:00Z", until="2020-02-01T00:00:00Z")
    assert (empty["complete"], empty["people"], empty["grants"]) == (False, [], [])


def test_who_and_what_is_gone_is_still_told_of(mishap: Mishap) -> None:
    whole = mishap.people(mishap.report())
    mishap.company.execute("delete from app_user where name = 'ben'")
    gone = mishap.client.delete(f"/api/v1/documents/{mishap.salaries}", headers=mishap.company.headers("cleo"))
    assert gone.is_success, gone.text
    sequence(mishap.company.db)
    report = mishap.report()
    assert report["gone"] is True
    [ben] = [each for each in report["people"] if each["person"] == whole["ben"]["person"]]
    assert (ben["user"], ben["names"]) == (None, ["ben"])
    assert ben["could"] == whole["ben"]["could"]
    told = mishap.get(ACCESS, document=mishap.salaries, user="ben", at=mishap.open)
    assert (told["allowed"], told["user"], told["names"]) == (True, None, ["ben"])


def test_pages_of_people_together_are_the_report(mishap: Mishap) -> None:
    whole, pages = mishap.report(), []
    params = {"document": mishap.salaries, "since": mishap.before, "until": mishap.after, "limit": "2"}
    answer = mishap.client.get(EXPOSURE, params=params, headers=mishap.company.headers("audrey"))
    while True:
        assert answer.json()["counts"] == whole["counts"]
        pages += answer.json()["people"]
        following = answer.links.get("next", {}).get("url", "")
        if not following:
            break
        answer = mishap.client.get(urljoin(EXPOSURE, following), headers=mishap.company.headers("audrey"))
    assert pages == whole["people"]


def test_could_she_read_it_by_which_grant_made_by_whom(mishap: Mishap) -> None:
    then = mishap.get(ACCESS, document=mishap.salaries, user="ben", at=mishap.open)
    assert (then["allowed"], then["reason"]) == (True, "granted")
    [grant] = then["grants"]
    assert (grant["kind"], grant["made"][0]["user"]) == ("everyone", "hank")
    for at in (mishap.before, mishap.after):
        told = mishap.get(ACCESS, document=mishap.salaries, user="ben", at=at)
        assert (told["allowed"], told["reason"], told["grants"]) == (False, "nothing granted", [])
    early = mishap.get(ACCESS, document=mishap.salaries, user="ben", at="2020-03-03T12:00:00Z")
    assert (early["allowed"], early["reason"], early["grants"]) == (None, "not known", [])
    assert "nothing is known" in early["explanation"]


def test_answers_that_rest_on_a_document_that_changed_or_went(mishap: Mishap) -> None:
    assert mishap.get(STALE, document=mishap.salaries)["found"] == []
    upload(mishap.client, mishap.company, "cleo", collection="hr", path="salaries.md", roles=["hr"],
           content=b"# Salary bands\n\nThe salary band of level five is ten florins.")  # fmt: skip
    work_queued(mishap.company.db)
    [stale] = mishap.get(STALE, document=mishap.salaries)["found"]
    [opened] = mishap.company.records("answer.opened")
    shown = {p["version"] for p in opened["passages"] if p["document"] == mishap.salaries}
    [document] = stale["documents"]
    assert (stale["trail"], stale["user"], set(document["shown"])) == (opened["trail"], "ada", shown)
    assert document["state"] == "changed"
    assert document["now"] not in {None, *shown}
    assert mishap.get(STALE, since=mishap.before)["found"] == [stale]
    assert mishap.get(STALE, since=mishap.after)["found"] == []
    assert mishap.get(STALE, document=mishap.salaries, until=mishap.before)["found"] == []
    assert mishap.client.delete("/api/v1/collections/hr", headers=mishap.company.headers("root")).is_success
    [gone] = mishap.get(STALE, document=mishap.salaries)["found"]
    assert [(each["state"], each["now"]) for each in gone["documents"]] == [("gone", None)]


def test_each_question_is_a_record(mishap: Mishap) -> None:
    mishap.report()
    mishap.get(ACCESS, document=mishap.salaries, user="ben", at=mishap.open)
    mishap.get(STALE, document=mishap.salaries)
    ben = mishap.company.rows("select id from app_user where name = 'ben'")[0]["id"]
    exposure, access, stale = mishap.company.records("audit.read")[-3:]
    assert exposure["filters"] == {"exposure": mishap.salaries, "since": mishap.before, "until": mishap.after}
    assert access["filters"] == {"access": mishap.salaries, "to": str(ben), "at": mishap.open}
    assert stale["filters"] == {"stale": mishap.salaries}
    assert {each["opened"] for each in (exposure, access, stale)} == {False}
    assert exposure["rows"] == len(mishap.report()["people"])


ID = str(uuid.UUID(int=5))
MOMENT = "2026-11-20T12:00:00Z"


@pytest.mark.changes_nothing
@pytest.mark.parametrize(
    ("url", "params", "status", "says"),
    [
        (EXPOSURE, {"since": MOMENT}, 422, "document"),
        (EXPOSURE, {"document": ID}, 422, "since"),
        (EXPOSURE, {"document": "leave.md", "since": MOMENT}, 422, "document"),
        (EXPOSURE, {"document": ID, "since": MOMENT, "user": "ada"}, 422, "user"),
        (EXPOSURE, {"document": ID, "since": "2026-11-20T12:00:00"}, 422, "with its zone"),
        (EXPOSURE, {"document": ID, "since": MOMENT}, 404, "with this id"),
        (ACCESS, {"document": "{salaries}", "user": "nobody", "at": MOMENT}, 404, "No user is named 'nobody'"),
        (ACCESS, {"document": "{salaries}", "user": "_canary", "at": MOMENT}, 404, "No user is named '_canary'"),
        (ACCESS, {"document": "{salaries}", "user": str(CANARY), "at": MOMENT}, 404, "No user is named"),
        (ACCESS, {"document": "{salaries}", "user": ID, "at": MOMENT}, 404, "No user is named"),
        (ACCESS, {"document": "{salaries}", "user": "bot", "at": MOMENT}, 422, "is a service"),
        (ACCESS, {"document": "{salaries}", "user": "ada", "at": "2100-01-01T00:00:00Z"}, 422, "yet to come"),
        (ACCESS, {"document": "{salaries}", "user": "ada", "at": "2026-11-20"}, 422, "with its zone"),
        (ACCESS, {"document": "{salaries}", "user": "ada"}, 422, "at"),
        (STALE, {}, 422, "of which document, or since when"),
        (STALE, {"document": ID}, 404, "with this id"),
        (STALE, {"since": MOMENT, "until": MOMENT}, 422, "before until"),
        (STALE, {"since": "2026-11-20"}, 422, "with its zone"),
    ],
)  # fmt: skip
def test_a_question_that_is_not_understood_is_refused(
    client: TestClient, company: Company, url: str, params: dict[str, str], status: int, says: str
) -> None:
    salaries = str(company.documents["hr", "salaries.md"])
    given = {name: value.replace("{salaries}", salaries) for name, value in params.items()}
    answer = client.get(url, params=given, headers=company.headers("audrey"))
    check_problem(answer, status, {404: "NotFound", 422: "InvalidInput"}[status])
    assert says in answer.text


@pytest.mark.changes_nothing
def test_nobody_else_asks(client: TestClient, company: Company) -> None:
    salaries = str(company.documents["hr", "salaries.md"])
    asked = [
        (EXPOSURE, {"document": salaries, "since": MOMENT}),
        (ACCESS, {"document": salaries, "user": "ada", "at": MOMENT}),
        (STALE, {"document": salaries}),
    ]
    for who in ("ada", "cleo", "root"):
        for url, params in asked:
            check_problem(client.get(url, params=params, headers=company.headers(who)), 403, "MissingCapability")
