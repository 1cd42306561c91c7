"""An administrator's day in a real browser: finding people, switching one off, looking why, reviewing, the doctor."""

import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browser_site import Site, follow
from tests.e2e.console.journeys import REPORT

pytestmark = pytest.mark.real


def test_somebody_is_found_while_one_types_and_switched_off(site: Site, page: Page, context: BrowserContext) -> None:
    """What ends is said on the button's sheet; the other browser is out with its next step, and the way back shows the
    person as they are now.
    """
    follow(page, site.link("admin"), "admin")
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("searchbox", name="Name").fill("ad")
    rows = page.locator("#people [data-row]")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("text=ad"))
    rows.first.get_by_role("link", name="ada").click()
    expect(page.get_by_role("heading", name="ada", exact=True)).to_be_visible()
    other = context.browser.new_context() if context.browser else context
    hers = other.new_page()
    follow(hers, site.link("ada"), "ada")
    page.reload()
    page.locator("summary", has_text="Switch off").click()
    expect(page.locator("details[open] form")).to_contain_text("1 session")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("All that they came in with has ended, for good.")).to_be_visible()
    hers.reload()
    expect(hers).to_have_url(re.compile("/sign-in"))
    other.close()
    page.go_back()
    expect(page.get_by_role("heading", name="ada off", exact=True)).to_be_visible()


def test_a_wrong_name_is_said_where_it_was_typed(site: Site, page: Page) -> None:
    follow(page, site.link("admin"), "admin")
    page.goto(f"{site.url}/roles/engineering")
    page.get_by_label("Put somebody into it").fill("nobody at all")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.get_by_role("alert")).to_contain_text("No user is named 'nobody at all'.")
    expect(page.get_by_label("Put somebody into it")).to_have_value("nobody at all")
    page.get_by_label("also by the roles inside it").check()
    expect(page.locator("#members [data-row]")).to_have_count(1)


def test_roles_are_found_and_the_tree_comes_back(site: Site, page: Page) -> None:
    follow(page, site.link("admin"), "admin")
    page.goto(f"{site.url}/roles")
    expect(page.locator(".tree")).to_be_visible()
    page.get_by_role("searchbox", name="Name").fill("eng")
    expect(page.locator("#roles [data-row]")).to_have_count(1)
    page.get_by_role("searchbox", name="Name").fill("")
    expect(page.locator(".tree > li")).to_have_count(3)


def test_why_somebody_may_read_a_document(site: Site, page: Page) -> None:
    follow(page, site.link("cleo"), "cleo")
    page.get_by_role("link", name="Who may read").click()
    page.get_by_label("Person").fill("ada")
    page.get_by_label("Document").fill(f"{site.url}/documents/{site.company.documents['hr', 'salaries.md']}")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("heading", name="ada may read it")).to_be_visible()
    expect(page.locator(".grant--decides")).to_have_count(1)
    expect(page.locator(".level--off")).to_have_count(1)


def test_a_review_is_gone_through_without_leaving_its_page(site: Site, page: Page) -> None:
    follow(page, site.link("cleo"), "cleo")
    page.goto(f"{site.url}/reviews")
    page.locator("summary", has_text="Open one").click()
    page.get_by_label("Collection").select_option("hr")
    page.get_by_label("What it is called").fill("Autumn")
    page.get_by_role("button", name="Open the review").click()
    expect(page.get_by_role("heading", name="Autumn")).to_be_visible()
    rows = page.locator(".row[data-row]")
    rows.nth(0).get_by_role("button", name="Withdraw").click()
    expect(rows.nth(0)).to_contain_text("goes")
    rows.nth(0).get_by_role("button", name="Take back").click()
    rows.nth(0).get_by_role("button", name="Keep").click()
    expect(rows.nth(0)).to_contain_text("stays")
    rows.nth(1).get_by_role("button", name="Withdraw").click()
    expect(rows.nth(1)).to_contain_text("goes")
    page.get_by_role("link", name="What closing would do").click()
    expect(page.get_by_role("cell", name="ada")).to_be_visible()
    page.get_by_role("button", name="Close the review").click()
    expect(page.get_by_text("1 grant was withdrawn.")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the manifest").click()
    assert saved.value.suggested_filename.startswith("access-review-")


def test_the_page_comes_before_what_it_looks_at(site: Site, page: Page) -> None:
    """The doctor: the page is there at once, and the parts come into it."""
    follow(page, site.link("admin"), "admin")
    page.get_by_role("link", name="Health").click()
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    expect(page.locator(".row--check").first).to_contain_text("broken")
    expect(page.locator(".row--check", has_text="database roles")).to_contain_text("in order")


def test_a_leak_test_is_watched_to_its_end(site: Site, page: Page) -> None:
    """How far it is, without a reload; and then the report in its place."""
    go_on = threading.Event()

    def run(_url: str, _key: str, steps: Any) -> Mapping[str, Any]:
        steps.begin_step("asking as everybody")
        steps.advanced(3, 7)
        go_on.wait(30)
        return REPORT

    site.leak_tests(run)
    follow(page, site.link("admin"), "admin")
    page.get_by_role("link", name="Leak tests").click()
    page.locator("summary", has_text="Start one").click()
    page.get_by_role("button", name="Start the leak test").click()
    expect(page.get_by_text("asking as everybody · 3 of 7")).to_be_visible()
    go_on.set()
    expect(page.get_by_text("1 thing is wrong.")).to_be_visible()
    expect(page.locator(".matrix .verdict-fails")).to_have_count(1)
