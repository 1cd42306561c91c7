"""The auditor's pages: the log, one record, exports and heads; each look is recorded, and nobody else sees them."""

import dataclasses
import html
import re
import uuid
from typing import get_args

import pytest
from fastapi.testclient import TestClient

from app.audit.events import KINDS
from app.audit.events.answers import Outcome
from app.audit.events.log_reading import ExportFormat
from app.audit.query import parse
from app.evidence.manifest import LogManifest, digest_of
from app.evidence.verify import verify
from app.settings import AuditSettings
from app.web.console.evidence.words import KIND_WORDS, OFFERED, OUTCOME_WORDS
from tests.api.problems import ABSENT, check_page
from tests.support.audit_order import sequence
from tests.support.browsers import Browser, signed_in
from tests.support.cluster import AUDIT_KEY
from tests.support.company import Company
from tests.support.openings import REASON
from tests.support.service import client_of, parts_of
from tests.support.waiting import wait_for

OWN = ("/log", "/log/0", "/shown", "/exposure", "/unusual", "/openings", "/exports", "/heads")
SECRET = "<b>parental</b> leave of Ada"


@pytest.fixture
def audrey(client: TestClient, company: Company) -> Browser:
    """An auditor of a company where Ada asked and Ben searched."""
    question = {"question": f"How long is {SECRET}?", "mode": "quote"}
    assert client.post("/api/v1/ask", json=question, headers=company.headers("ada")).status_code == 200
    assert client.post("/api/v1/search", json={"query": "coffee"}, headers=company.headers("ben")).status_code == 200
    sequence(company.db)
    return signed_in(client, company, "audrey")


def number_of(company: Company, kind: str) -> int:
    [row] = company.rows("select max(seq) as seq from audit_entry where kind = %s", [kind])
    return int(row["seq"])


@pytest.mark.parametrize("path", OWN)
def test_its_pages_are_for_auditors(client: TestClient, company: Company, audrey: Browser, path: str) -> None:
    """Others are told the same of a record that is there and of one that is not."""
    assert audrey.get(path).status_code == 200
    for name in ("ada", "cleo"):
        check_page(signed_in(client, company, name).get(path), 403, "MissingCapability")
    check_page(signed_in(client, company, "ada").get("/log/999999"), 403, "MissingCapability")


@pytest.mark.parametrize("path", ["/log/999999", "/log/x", "/log/-1", f"/log/records/{ABSENT}", f"/exports/{ABSENT}",
                                  f"/exports/{ABSENT}/file"])  # fmt: skip
def test_what_is_not_there(audrey: Browser, path: str) -> None:
    check_page(audrey.get(path), 404, "NotFound")


def test_the_log_says_in_words_what_was_done_and_never_the_words_of_the_asker(
    company: Company, audrey: Browser
) -> None:
    shown = audrey.get("/log").text
    for words in ("asked", "ended an answer", "searched", "passage", "quoted"):
        assert words in shown, words
    assert "parental" not in shown
    assert "coffee" not in shown
    made = company.records("audit.read")[-1]
    assert made["opened"] is False
    assert f'href="/log/records/{made["id"]}"' in shown


def test_a_look_leads_to_its_own_record(company: Company, audrey: Browser) -> None:
    """Once it has a place; until then the page says so."""
    [look] = re.findall(r'href="(/log/records/[^"]+)"', audrey.get("/log?q=kind:search").text)
    check_page(audrey.get(look), 409, "Conflict")
    sequence(company.db)
    place = audrey.get(look)
    assert place.status_code == 303
    assert "kind:search" in audrey.get(place.headers["location"]).text


def test_a_query_narrows_it_and_stays_where_it_is_wrong(audrey: Browser) -> None:
    found = audrey.get("/log?q=who:ben").text
    assert "searched" in found
    assert "asked</a>" not in found
    [place] = set(re.findall(r'href="(/log/\d+\?q=who%3Aben)">searched', found))
    assert '<a href="/log?q=who%3Aben"><code>who:ben</code></a>' in audrey.get(place).text
    wrong = audrey.get('/log?q=who:ben kind:"<i>"')
    assert wrong.status_code == 422
    assert 'value="who:ben kind:&#34;&lt;i&gt;&#34;"' in wrong.text
    assert "At character 14: there is no kind" in wrong.text
    assert "No record is like that." in audrey.get("/log?q=who:ben kind:answer").text
    assert "<html" not in audrey.get("/log?q=who:ben", headers={"HX-Request": "true"}).text


def test_a_page_of_the_log_leads_further_back(client: TestClient, company: Company, audrey: Browser) -> None:
    for _ in range(60):
        audrey.get("/log?q=kind:search")
    sequence(company.db)
    first = audrey.get("/log").text
    [following] = set(re.findall(r'href="(/log\?after=[^"]+)"', first))
    second = audrey.get(following, headers={"HX-Request": "true"}).text
    numbers = re.findall(r'<a href="/log/(\d+)">', first + second)
    assert len(numbers) == len(set(numbers)) > 60
    assert numbers == sorted(numbers, key=int, reverse=True)
    for wrong in ("x", "1e9", "9" * 30):
        answer = audrey.get(f"/log?after={wrong}")
        assert (answer.status_code, "no number of a record" in answer.text) == (422, True)


def test_a_record_shows_its_words_when_that_is_asked_for_and_recorded(company: Company, audrey: Browser) -> None:
    place = f"/log/{number_of(company, 'answer.opened')}"
    closed = audrey.get(place).text
    assert "Sealed: a person’s own words." in closed
    assert "parental" not in closed
    assert company.records("audit.read")[-1]["opened"] is False
    record = company.records("answer.opened")[-1]["id"]
    check_page(audrey.post("/openings", data={"record": record, "reason": REASON}), 403, "CrossSiteRequest")
    check_page(audrey.submit("/openings", record=record, reason="because"), 422, "InvalidInput")
    place = audrey.submit("/openings", record=record, reason=REASON).headers["location"]
    opened = audrey.get(place)
    assert opened.status_code == 200
    assert "How long is &lt;b&gt;parental&lt;/b&gt; leave of Ada?" in opened.text
    assert "<b>parental" not in opened.text
    made = company.records("audit.read")[-1]
    assert (made["opened"], made["filters"]) == (True, {"seq": place.rpartition("/")[2].partition("?")[0]})
    assert REASON in audrey.get("/openings").text


def test_an_answer_that_was_kept_is_shown_with_its_excerpts(company: Company) -> None:
    parts = parts_of(company.db)
    audit = AuditSettings.model_validate({"key": AUDIT_KEY, "keep_answers": "restricted"})
    settings = parts.settings.model_copy(update={"audit": audit})
    with client_of(dataclasses.replace(parts, settings=settings)) as client:
        question = {"question": "When is the coffee machine cleaned?", "mode": "quote"}
        answer = client.post("/api/v1/ask", json=question, headers=company.headers("ben")).json()
        sequence(company.db)
        audrey = signed_in(client, company, "audrey")
        record = company.records("answer.opened")[-1]["id"]
        shown = audrey.get(audrey.submit("/openings", record=record, reason=REASON).headers["location"]).text
    assert html.escape(answer["answer"].split("[1]")[0].strip()) in shown
    [source] = [each for each in answer["sources"] if each["number"] == 1]
    assert f"[1] {html.escape(source['quote'])} <a" in shown
    assert "&#34;excerpts&#34;" not in shown


@pytest.mark.usefixtures("audrey")
def test_a_second_person_approves_of_an_opening(company: Company) -> None:
    """On the page: who asked has no button, who may open words has two, who may not has none."""
    parts = parts_of(company.db)
    audit = AuditSettings.model_validate({"key": AUDIT_KEY, "opening_needs_second": True})
    settings = parts.settings.model_copy(update={"audit": audit})
    record = company.records("answer.opened")[-1]["id"]
    with client_of(dataclasses.replace(parts, settings=settings)) as strict:
        here = signed_in(strict, company, "audrey")
        assert (
            here.submit("/openings", record=record, reason=REASON).headers["location"].startswith("/openings#opening-")
        )
        assert "/decide" not in here.get("/openings").text
        export = here.submit("/exports", format="csv", q="", reason=REASON)
        assert export.headers["location"].startswith("/openings#opening-"), "nothing is started before"
        other = signed_in(strict, company, "max")
        for place, approved in zip(re.findall(r'action="(/openings/[^"]+/decide)"', other.get("/openings").text)[::2],
                                   ("yes", "no"), strict=True):  # fmt: skip
            assert other.submit(place, approved=approved).status_code == 303
        shown = here.get("/openings").text
        assert "refused by max" in shown
        assert "approved by max" in shown
        [by] = re.findall(r'name="opening" value="([^"]+)"', shown)
        assert here.submit("/exports", format="csv", q="", opening=by).headers["location"].startswith("/exports/")


def test_erased_words_say_so(company: Company, audrey: Browser) -> None:
    company.execute("delete from person_key where user_id = (select id from app_user where name = 'ben')")
    record = company.records("search.done")[-1]["id"]
    shown = audrey.get(audrey.submit("/openings", record=record, reason=REASON).headers["location"]).text
    assert "Erased: the key of these words was destroyed." in shown
    assert "Yes, by the head below." in shown


def test_a_record_is_proved_under_the_newest_head_and_one_that_was_kept(company: Company, audrey: Browser) -> None:
    heads = re.findall(r'data-copy="(\d+:[^"]+)"', audrey.get("/heads").text)
    place = f"/log/{number_of(company, 'answer.opened')}"
    assert "Yes, by the head below." in audrey.get(place).text
    kept = audrey.get(place, params={"head": heads[0]}).text
    assert "The head that you gave is the one that was published here." in kept
    size, _, root = heads[0].partition(":")
    other = audrey.get(place, params={"head": f"{size}:{root[:-6]}AAAAA="}).text
    assert "the log was rewritten" in other
    assert "verdict--no" in other
    check_page(audrey.get(f"{place}?head=nonsense"), 422, "InvalidInput")


def test_a_changed_record_is_found(company: Company, audrey: Browser) -> None:
    """By whoever owns the database: the page says No, and shows what stands there now."""
    number = number_of(company, "search.done")
    company.execute(
        "alter table audit_leaf disable trigger all; alter table audit_leaf drop constraint audit_leaf_leaf_hash_check;"
        'update audit_leaf set body = replace(body, \'"v":3\', \'"v":3,"w":1\') where id ='
        f" (select leaf_id from audit_entry where seq = {number})"
    )
    shown = audrey.get(f"/log/{number}").text
    assert "verdict--no" in shown
    assert "It does not hash to the leaf of its place: it was changed." in shown


def test_queries_are_kept_and_removed(company: Company, audrey: Browser) -> None:
    answer = audrey.submit("/log/queries", name="Ben’s <searches>", q="who:ben kind:search")
    assert answer.headers["location"] == "/log?q=who%3Aben+kind%3Asearch"
    shown = audrey.get(answer.headers["location"]).text
    assert "Ben’s &lt;searches&gt;" in shown
    [remove] = re.findall(r'action="(/log/queries/[^"]+/remove)"', shown)
    assert audrey.submit(remove).status_code == 303
    assert "&lt;searches&gt;" not in audrey.get("/log").text
    check_page(audrey.submit("/log/queries", name="x", q="freya"), 422, "InvalidInput")


def test_an_export_is_started_watched_downloaded_and_removed(
    company: Company, audrey: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = audrey.submit("/exports", format="jsonl", q="", reason=REASON).headers["location"]
    wait_for(lambda: "Ready." in audrey.get(place).text, seconds=20)
    assert "every 1s" not in audrey.get(place, headers={"HX-Request": "true"}).text
    got = audrey.get(f"{place}/file")
    assert got.headers["content-disposition"].startswith("attachment")
    path = tmp_path_factory.mktemp("export") / "log.jsonl"
    path.write_bytes(got.content)
    report = verify(path)
    assert (report.ok, report.complete, report.opened > 0) == (True, True, True)
    assert f'href="{place}/manifest"' in audrey.get(place).text
    manifest = LogManifest.parse(audrey.get(f"{place}/manifest").text)
    assert (manifest.sha256, manifest.bytes) == digest_of(path)
    assert manifest.sha256 in audrey.get(place).text
    export = place.rpartition("/")[2]
    assert company.records("audit.downloaded")[-1]["export"] == export
    assert audrey.submit(f"{place}/remove").headers["location"] == "/exports"
    check_page(audrey.get(place), 404, "NotFound")
    check_page(audrey.submit("/exports", q="freya"), 422, "InvalidInput")


def test_every_format_is_offered_and_made(audrey: Browser) -> None:
    offered = re.findall(r'name="format" value="([a-z]+)"', audrey.get("/exports").text)
    assert set(offered) == set(get_args(ExportFormat))
    for format in offered:
        place = audrey.submit("/exports", format=format, q="kind:search").headers["location"]
        wait_for(lambda place=place: "Ready." in audrey.get(place).text, seconds=20)  # type: ignore[misc]  # of this turn
        assert audrey.get(f"{place}/file").status_code == 200


def test_an_interrupted_export_says_so_and_goes_on(company: Company, audrey: Browser) -> None:
    company.execute(
        "insert into log_export (requested_by, format, q, resolved, size, state, beat_at) select id, 'csv', '',"
        " '', (select max(size) from audit_head), 'running', now() - interval '1 hour' from app_user"
        " where name = 'audrey'"
    )
    [row] = company.rows("select id from log_export")
    place = f"/exports/{row['id']}"
    assert "interrupted" in audrey.get("/exports").text
    assert "every 1s" not in audrey.get(place).text
    assert audrey.submit(f"{place}/resume").headers["location"] == place
    wait_for(lambda: "Ready." in audrey.get(place).text, seconds=20)
    check_page(audrey.submit(f"{place}/resume"), 409, "Conflict")


def test_every_kind_and_outcome_has_its_words_and_every_offered_query_is_one() -> None:
    assert set(KIND_WORDS) == set(KINDS)
    assert set(OUTCOME_WORDS) == set(get_args(Outcome))
    assert all(parse(q).text == q for q in OFFERED)


def test_somebody_with_a_name_of_markup_is_a_name(company: Company, audrey: Browser) -> None:
    company.execute("update app_user set name = '<img src=x onerror=alert(1)>' where name = 'ben'")
    audrey.client.post("/api/v1/search", json={"query": "tea"}, headers=company.headers("ben"))
    sequence(company.db)
    shown = audrey.get("/log").text
    assert "<img" not in shown
    [who] = set(re.findall(r'href="(/log\?q=[^"]+)">&lt;img', shown))
    assert "searched" in audrey.get(who).text


def test_an_id_that_is_none_is_not_there(audrey: Browser) -> None:
    for path in ("/log/records/x", "/exports/x"):
        check_page(audrey.get(path), 404, "NotFound")
    check_page(audrey.submit(f"/exports/{uuid.uuid4()}/remove"), 404, "NotFound")


@pytest.fixture
def leave_shown(client: TestClient, company: Company, audrey: Browser) -> Browser:
    """The same auditor, after Ada got an answer out of a document."""
    question = {"question": "How long is parental leave?", "mode": "quote"}
    answer = client.post("/api/v1/ask", json=question, headers=company.headers("ada"))
    assert answer.json()["outcome"] == "quoted"
    sequence(company.db)
    return audrey


def test_who_could_have_had_a_document_is_a_page_to_be_printed(company: Company, leave_shown: Browser) -> None:
    """With ids alone, people by name, the grants and who made them, and who never was shown it."""
    leave = company.documents["handbook", "leave.md"]
    shown = leave_shown.get(f"/exposure?document={leave}&since=2026-01-01").text
    assert str(leave) in shown
    assert "leave.md" not in shown
    assert "Who could read it is known from this moment on" in shown
    assert re.search(r">ada</a>.*?Answers: 1.*?\[\d\]", shown, re.DOTALL)
    assert re.search(r">nora</a>.*?never.*?\[\d\]", shown, re.DOTALL)
    assert re.search(r"everyone.*?cleo, .*?document.uploaded", shown, re.DOTALL)
    assert str(company.records("audit.read")[-1]["id"]) in shown
    assert company.records("audit.read")[-1]["filters"]["exposure"] == str(leave)


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 200, "When a document was shared too widely"),
        ("?document={leave}", 200, "When a document was shared too widely"),
        ("?document=leave.md&since=2026-01-01", 422, "That is no id of a document."),
        ("?document={leave}&since=yesterday", 422, "That is no day: write it as 2026-11-01."),
        ("?document={leave}&since=2100-01-01", 422, "since must lie before until, and in the past."),
        (f"?document={ABSENT}&since=2026-01-01", 404, "tells of a document with this id."),
    ],
)
def test_the_form_of_an_exposure_says_what_is_wrong(
    company: Company, audrey: Browser, query: str, status: int, says: str
) -> None:
    """And stays as it was filled in; nothing is looked at, so nothing is recorded."""
    before = len(company.records("audit.read"))
    answer = audrey.get(f"/exposure{query.format(leave=company.documents['handbook', 'leave.md'])}")
    assert answer.status_code == status
    assert says in answer.text
    assert len(company.records("audit.read")) == before


def test_the_prompt_of_an_answer_is_made_again_from_its_record(
    client: TestClient, company: Company, audrey: Browser
) -> None:
    """The record leads to it, and it says that the bytes are the same, or why that cannot be said."""
    question = {"question": "How long is parental leave?", "mode": "generate"}
    trail = client.post("/api/v1/ask", json=question, headers=company.headers("ada")).json()["trail"]
    sequence(company.db)
    link = f"/replays/{trail}"
    assert f'href="{link}"' in audrey.get(f"/log/{number_of(company, 'answer.opened')}").text
    same = audrey.get(link).text
    assert "The same, byte for byte." in same
    assert "parental" not in same
    assert str(company.records("audit.read")[-1]["id"]) in same
    company.execute("update chunk set text = text || '!' where text like '%twenty-six%'")
    assert "Different." in audrey.get(link).text
    company.execute("update app_user set active = false where name = 'ada'")
    why = audrey.get(link).text
    assert "It cannot be made again." in why
    assert "The asker is switched off" in why
    check_page(audrey.get(f"/replays/{uuid.uuid4()}"), 404, "NotFound")


def test_unusual_days_are_a_page_with_what_they_are_compared_with(company: Company, leave_shown: Browser) -> None:
    """Ada is shown far more documents than on her days before; each of them leads to what she was shown."""
    for back, number in enumerate((70, 8, 9, 10, 9, 8)):
        company.execute(
            "insert into audit_day (day, actor, way, documents) select (now() at time zone 'UTC')::date"
            f" - {back}, id, 'shown', array(select gen_random_uuid() from generate_series(1, {number})) from app_user"
            " where name = 'ada' on conflict (day, actor, way) do update set documents = excluded.documents"
        )
    page = leave_shown.get("/unusual").text
    row = " ".join(re.findall(r"<tr data-row>.*?</tr>", page, re.DOTALL)[0].split())
    assert ">ada</a>" in row
    assert ">70</a>" in row
    assert "The same person: median 9, highest 10, on 5 days" in row
    [shown] = re.findall(r'href="(/shown[^"]+)"', row)
    assert str(company.documents["handbook", "leave.md"]) in leave_shown.get(shown.replace("&amp;", "&")).text
    [log] = re.findall(r'href="(/log[^"]+)"', row)
    assert "asked" in leave_shown.get(log).text
    assert str(company.records("audit.read")[-3]["id"]) in page
    assert "No day was far above what is usual." in leave_shown.get("/unusual?user=ben").text


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("?since=yesterday", 422, "That is no day: write it as 2026-11-01."),
        ("?since=2026-01-01&until=2026-03-01", 422, "Ask of at most 31 days at a time."),
        ("?user=bob", 404, "No user is named"),
    ],
)
def test_the_form_of_unusual_days_says_what_is_wrong(
    company: Company, audrey: Browser, query: str, status: int, says: str
) -> None:
    before = len(company.records("audit.read"))
    answer = audrey.get(f"/unusual{query}")
    assert (answer.status_code, len(company.records("audit.read"))) == (status, before)
    assert says in answer.text


def test_records_are_found_by_what_stands_in_them(company: Company, leave_shown: Browser) -> None:
    """By label, and by a collection, to which its id in a record leads."""
    found = leave_shown.get("/log?q=label:confidential").text
    assert "ended an answer" in found
    assert "searched" not in found
    [handbook] = company.rows("select id from collection where name = 'handbook'")
    assert "made a version of a document searchable" in leave_shown.get(f"/log?q=collection:{handbook['id']}").text
    indexed = leave_shown.get(f"/log/{number_of(company, 'document.indexed')}").text
    assert "/log?q=collection%3A" in indexed
