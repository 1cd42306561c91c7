"""An auditor's day in a real browser: asking the log, proving a record, opening words, taking an export home."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.client.api import Client
from app.evidence.receipt import verify_receipt
from app.evidence.verify import verify
from tests.e2e.browser_site import Site, follow
from tests.support.audit_order import sequence
from tests.support.log_keys import LOG_KEY
from tests.support.openings import REASON

pytestmark = pytest.mark.real
QUESTION = "How many weeks of parental leave does an employee get?"


@pytest.fixture(autouse=True)
def asked(site: Site) -> None:
    """Ada asked, Ben searched, and the log has both in order."""
    for name, path, body in (
        ("ada", "/ask", {"question": QUESTION, "mode": "quote"}),
        ("ben", "/search", {"query": "coffee"}),
    ):
        with Client(site.url, site.company.keys[name]) as client:
            client.post(path, body)
    sequence(site.company.db)


def test_a_question_is_found_proved_and_read(site: Site, page: Page) -> None:
    """By keys alone to the log; a query, a wrong one, its record, a head that was kept, and the words."""
    follow(page, site.link("audrey"), "audrey")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Log", exact=True)).to_be_visible()
    page.get_by_label("Query", exact=True).fill("who:ada kind:answr")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("At character 14: there is no kind 'answr'")
    expect(page.get_by_label("Query", exact=True)).to_have_value("who:ada kind:answr")
    page.get_by_label("Query", exact=True).fill("who:ada kind:answer.opened")
    page.keyboard.press("Enter")
    rows = page.locator(".log [data-row]")
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name="asked").click()
    expect(page.get_by_role("heading", name="ada asked")).to_be_visible()
    expect(page.get_by_text("Yes, by the head below.")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("parental")
    with Client(site.url, site.company.keys["audrey"]) as client:
        head = client.get("/audit/head")
    page.get_by_label("A head that you kept").fill(f"{head['size']}:{head['root']}")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("The head that you gave is the one that was published here.")).to_be_visible()
    page.get_by_role("button", name="Show the words").click()
    # Without a reason the browser sends nothing.
    expect(page.get_by_text(QUESTION)).to_have_count(0)
    page.get_by_label("Why these words are to be opened").fill(REASON)
    page.get_by_role("button", name="Show the words").click()
    expect(page.get_by_text(QUESTION)).to_be_visible()
    sequence(site.company.db)
    page.get_by_text("This look was recorded:").get_by_role("link").click()
    expect(page.get_by_role("heading", name="audrey read the log")).to_be_visible()
    expect(page.locator("dd", has_text="true")).to_have_count(1)


def test_a_query_is_kept_and_leads_back(site: Site, page: Page) -> None:
    follow(page, site.link("audrey"), "audrey")
    page.goto(f"{site.url}/log?q=who:ben")
    page.locator("summary", has_text="Keep this query").click()
    page.get_by_label("Name", exact=True).fill("Ben")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("link", name="Log", exact=True).click()
    page.get_by_role("navigation", name="Queries").get_by_role("link", name="Ben").click()
    expect(page.locator(".log [data-row]")).to_have_count(1)
    page.get_by_role("button", name="Remove the query Ben").click()
    expect(page.get_by_role("link", name="Ben", exact=True)).to_have_count(0)


def test_more_of_the_log_comes_into_the_table(site: Site, page: Page) -> None:
    with Client(site.url, site.company.keys["ben"]) as ben:
        for number in range(70):
            ben.post("/search", {"query": f"tea {number}"})
    sequence(site.company.db)
    follow(page, site.link("audrey"), "audrey")
    page.goto(f"{site.url}/log?q=kind:search")
    rows = page.locator(".log [data-row]")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="More").click()
    expect(rows).to_have_count(71)
    expect(page.get_by_role("link", name="More")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Log", exact=True)).to_be_visible()


def test_an_export_is_watched_left_and_taken_home(site: Site, page: Page, tmp_path: Path) -> None:
    """The session ends meanwhile: the export does not, and the way back leads to it."""
    follow(page, site.link("audrey"), "audrey")
    page.goto(f"{site.url}/log")
    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("Why people’s own words are to go along in the clear").fill(REASON)
    page.get_by_role("button", name="Start the export").click()
    expect(page.get_by_text("Ready.")).to_be_visible()
    site.company.execute("delete from sign_in_session")
    page.reload()
    expect(page).to_have_url(re.compile("/sign-in.return_to=%2Fexports%2F"))
    follow(page, site.link("audrey"), "audrey")
    page.goto(f"{site.url}/exports")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download", exact=True).click()
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    report = verify(path)
    assert (report.ok, report.complete, report.opened > 0) == (True, True, True)


def test_who_is_no_auditor_any_more_sees_nothing_with_the_next_step(site: Site, page: Page) -> None:
    follow(page, site.link("audrey"), "audrey")
    page.goto(f"{site.url}/log?q=kind:answer.opened")
    site.company.execute("update app_user set capabilities = '{ask}' where name = 'audrey'")
    page.locator(".log").get_by_role("link", name="asked").click()
    expect(page.get_by_role("heading", name="A capability is missing")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("ada")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Log")).to_have_count(0)


def test_who_was_shown_a_document_is_answered_from_its_record(site: Site, page: Page, tmp_path: Path) -> None:
    """The two everyday questions, one leading to the other; and the receipt of the answer, checked by a stranger."""
    follow(page, site.link("audrey"), "audrey")
    page.goto(f"{site.url}/log?q=who:ada kind:answer.opened")
    page.locator(".log [data-row]").get_by_role("link", name="asked").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Receipt of this answer").click()
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    assert verify_receipt(path.read_text("utf-8"), trusted=[LOG_KEY.verifier]).ok
    leave = str(site.company.documents["handbook", "leave.md"])
    page.locator(f".passages-of a[href$='={leave}']").first.click()
    expect(page.get_by_role("heading", name="Who saw what")).to_be_visible()
    row = page.locator(".shown [data-row]", has_text="ada")
    expect(row).to_have_count(1)
    row.get_by_role("link", name="ada").click()
    expect(page.get_by_label("Person, now or then")).to_have_value("ada")
    expect(page.locator(".shown [data-row]", has_text=leave)).to_have_count(1)
    page.get_by_label("Person, now or then").fill("nobody")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No user is named 'nobody'")
    expect(page.get_by_label("Person, now or then")).to_have_value("nobody")
