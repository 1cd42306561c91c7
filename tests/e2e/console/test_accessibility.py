"""Accessibility of every page: axe for WCAG 2.2 A and AA in both themes, and by hand what it does not see."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.e2e.browser_site import Site, follow, opened
from tests.e2e.console.journeys import PAGES, prepare

pytestmark = pytest.mark.real
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LONG = "Wilhelmina-Charlotte-Konstantinopolitanische-Dudelsackspfeifenmacherin " + "x" * 110


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{page.url} {v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule(chromium: Browser, site: Site, scheme: str) -> None:
    """Every page for who uses it, wide and on a phone, none wider than its window."""
    addresses = prepare(site)
    found = []
    for person, names in PAGES.items():
        for size in ({"width": 1280, "height": 860}, {"width": 360, "height": 740}):
            with opened(chromium, site, viewport=size, color_scheme=scheme) as context:
                page = context.new_page()
                follow(page, site.link(person), person)
                for name in names:
                    page.goto(site.url + addresses[name])
                    expect(page.locator("h1")).to_have_count(1)
                    found += violations(page) if size["width"] > 360 or scheme == "light" else []
                    if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
                        found.append(f"{addresses[name]} is wider than a window of {size['width']}")
    assert found == []


def test_the_pages_of_nobody_break_no_rule(site: Site, page: Page) -> None:
    for path in ("/sign-in", "/sign-in/link?token=x"):
        page.goto(site.url + path)
        assert violations(page) == []


def test_the_sheet_of_an_upload_breaks_no_rule(site: Site, page: Page) -> None:
    """What is foreseen of files that are read, that cannot be, and that are refused, with the tags open."""
    follow(page, site.link("cleo"), "cleo")
    page.goto(f"{site.url}/collections/hr/upload")
    files = {"new.md": b"# New", "salaries.md": b"# Other", "old.doc": b"x", "empty.md": b""}
    given = [FilePayload(name=name, mimeType="text/markdown", buffer=text) for name, text in files.items()]
    page.set_input_files("#files", given)
    expect(page.get_by_role("region", name="Before anything is sent")).to_be_visible()
    page.get_by_label("these roles alone").check()
    assert violations(page) == []


def test_everything_fits_at_twice_the_size_and_for_long_names(chromium: Browser, site: Site) -> None:
    """200 % of 1280 is 640 wide (1.4.4, 1.4.10); names of 190 characters stay within."""
    addresses = prepare(site)
    for person, names in PAGES.items():
        with opened(chromium, site, viewport={"width": 640, "height": 430}) as context:
            page = context.new_page()
            follow(page, site.link(person), person)
            with site.administrator as client:
                client.patch(f"/users/{person}", {"display_name": LONG})
            for name in names:
                page.goto(site.url + addresses[name])
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), addresses[name]


def test_focus_is_seen_and_never_hidden(site: Site, page: Page) -> None:
    """2.4.7 and 2.4.11: through the whole page by Tab, what has the focus has an outline and is not under the bar."""
    addresses = prepare(site)
    follow(page, site.link("ada"), "ada")
    for name in PAGES["ada"]:
        page.goto(site.url + addresses[name])
        for _ in range(60):
            page.keyboard.press("Tab")
            state = page.evaluate(
                """() => {
                  const e = document.activeElement;
                  if (!e || e === document.body) return null;
                  const box = e.getBoundingClientRect(), bar = document.querySelector(".bar").getBoundingClientRect();
                  const below = e.closest(".bar, .skip, .navigation, .beside") === null;
                  const outline = getComputedStyle(e).outlineStyle;
                  return { outline, hidden: below && box.bottom <= bar.bottom, html: e.outerHTML };
                }"""
            )
            if state is None:
                break
            assert state["outline"] != "none", f"{name}: {state['html'][:200]}"
            assert not state["hidden"], f"{name}: {state['html'][:200]}"


def test_signing_in_asks_for_no_memory(site: Site, page: Page) -> None:
    """3.3.8: no password, no puzzle, nothing to copy by hand: a passkey, a provider or a link."""
    page.goto(f"{site.url}/sign-in")
    assert page.locator("input[type=password], input[type=text], input:not([type])").count() == 0
