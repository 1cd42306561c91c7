"""A curator's day in a real browser: an upload foreseen and followed, access changed by a plan; with wrong turns."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browser_site import Site, follow
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

pytestmark = pytest.mark.real
DROP = """([path, text]) => {
  const given = new DataTransfer();
  given.items.add(new File([text], path));
  const zone = document.querySelector("[data-drop]");
  for (const type of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two that are read, one that is empty and one of an old kind."""
    found = []
    for name, text in (
        ("leave.md", "# Leave\n\nText."),
        ("notes.md", "# N\n\nText."),
        ("empty.md", ""),
        ("old.doc", "x"),
    ):
        (tmp_path / name).write_text(text)
        found.append(tmp_path / name)
    return found


@pytest.fixture
def cleo(site: Site, page: Page) -> Page:
    follow(page, site.link("cleo"), "cleo")
    return page


def paths(site: Site) -> set[str]:
    rows = site.company.rows(
        "select path from document d join collection c on c.id = d.collection_id where name = 'hr'"
    )
    return {row["path"] for row in rows}


def test_an_upload_is_foreseen_then_sent_and_followed(site: Site, cleo: Page, files: list[Path]) -> None:
    """Nothing is sent before the button; what is refused is not sent at all, and what fails stays with its reason."""
    cleo.get_by_role("link", name="Collections").first.click()
    cleo.get_by_role("link", name="hr", exact=True).click()
    cleo.get_by_role("link", name="Upload").click()
    cleo.get_by_label("Into the folder").fill("new")
    with cleo.expect_file_chooser() as chooser:
        cleo.get_by_text("Choose files").click()
    chooser.value.set_files(files)
    sheet = cleo.get_by_role("region", name="Before anything is sent")
    expect(sheet).to_contain_text("2 people gain these 2 files.")
    expect(sheet).to_contain_text("ada, hank")
    expect(sheet).to_contain_text("1 file is not sent")
    expect(sheet).to_contain_text("1 file cannot be read, by its name")
    assert site.company.rows("select 1 from ingest_job where path like 'new/%%'") == []
    cleo.get_by_label("these roles alone").check()
    cleo.get_by_label("managers", exact=True).first.check()
    expect(sheet).to_contain_text("1 person gain")
    sheet.get_by_role("button", name="Upload 3 files").click()
    rows = cleo.locator("#progress li")
    expect(rows.filter(has_text="waits")).to_have_count(3)
    site.company.execute(
        "update ingest_job set state = 'failed', reason = 'It is damaged.', finished_at = now()"
        " where path = 'new/old.doc'"
    )
    work_queued(site.company.db)
    expect(rows.filter(has_text="indexed")).to_have_count(2)
    expect(rows.filter(has_text="failed: It is damaged.")).to_have_count(1)
    assert paths(site) >= {"new/leave.md", "new/notes.md"}
    cleo.get_by_role("link", name="See the jobs").click()
    cleo.get_by_role("button", name="Retry new/old.doc").click()
    expect(cleo.get_by_text("retried: see the later one")).to_be_visible()
    work_queued(site.company.db)
    expect(cleo.locator(".row", has_text="queued")).to_have_count(0)


def test_files_are_dropped_and_a_session_that_ends_meanwhile_is_said(
    site: Site, cleo: Page, context: BrowserContext
) -> None:
    """The file that was not taken says so; after signing in again in another window the rest can go on."""
    cleo.goto(f"{site.url}/collections/hr/upload?folder=pay")
    cleo.evaluate(DROP, ["dropped.md", "# Dropped\n\nText."])
    start = cleo.get_by_role("button", name="Upload 1 file")
    expect(start).to_be_visible()
    with site.administrator as root:
        for each in root.pages("/sessions", user="cleo"):
            root.delete(f"/sessions/{each['id']}")
    start.click()
    expect(cleo.locator("#progress li")).to_contain_text("Your session is over.")
    assert "pay/dropped.md" not in paths(site)
    other = context.new_page()
    follow(other, site.link("cleo"), "cleo")
    cleo.get_by_role("link", name="Upload more").click()
    cleo.evaluate(DROP, ["dropped.md", "# Dropped\n\nText."])
    cleo.get_by_role("button", name="Upload 1 file").click()
    expect(cleo.locator("#progress li")).to_contain_text("waits")
    work_queued(site.company.db)
    expect(cleo.locator("#progress li")).to_contain_text("indexed")
    assert "pay/dropped.md" in paths(site)


def test_what_the_service_refuses_is_said_before_anything_is_sent(site: Site, cleo: Page, files: list[Path]) -> None:
    """A role that went while the page was open; the choice stays, and another one is looked at again."""
    with site.administrator as root:
        root.post("/roles", {"name": "interns"})
        cleo.goto(f"{site.url}/collections/hr/upload")
        root.delete("/roles/interns")
    cleo.get_by_label("these roles alone").check()
    cleo.get_by_label("interns", exact=True).first.check()
    cleo.set_input_files("#files", files[:1])
    expect(cleo.get_by_role("alert")).to_contain_text("No role is named 'interns'.")
    expect(cleo.get_by_role("button", name=re.compile("Upload"))).to_have_count(0)
    cleo.get_by_label("interns", exact=True).first.uncheck()
    cleo.get_by_label("managers", exact=True).first.check()
    expect(cleo.get_by_role("button", name="Upload 1 file")).to_be_visible()


def test_access_is_changed_by_a_plan_and_a_stale_one_says_what_moved(site: Site, cleo: Page) -> None:
    """By keyboard alone: name somebody, see what it does, apply it; a document that came in between stops it."""
    _upload(site, "first.md")
    cleo.goto(f"{site.url}/collections/hr/access")
    summary = cleo.get_by_text("Name somebody")
    summary.focus()
    cleo.keyboard.press("Enter")
    name = cleo.get_by_label("Name", exact=True)
    name.focus()
    cleo.keyboard.type("managerz")
    cleo.keyboard.press("Enter")
    expect(cleo.get_by_role("alert")).to_contain_text("No role is named 'managerz'.")
    expect(name).to_have_value("managerz")
    name.focus()
    cleo.keyboard.press("Backspace")
    cleo.keyboard.type("s")
    cleo.keyboard.press("Enter")
    expect(cleo.get_by_role("heading", name="What this would do")).to_be_visible()
    expect(cleo.get_by_role("row", name=re.compile("mia"))).to_contain_text("1")
    _upload(site, "later.md")
    cleo.get_by_role("button", name="Apply").focus()
    cleo.keyboard.press("Enter")
    expect(cleo.get_by_role("alert")).to_contain_text("Nothing was applied: the plan is stale.")
    expect(cleo.get_by_role("region", name="What it would do now")).to_contain_text("mia")
    cleo.get_by_role("button", name="Make it again as of now").click()
    cleo.get_by_role("button", name="Apply").click()
    expect(cleo.get_by_role("heading", name="Applied")).to_be_visible()


def test_a_document_goes_for_everybody_after_a_page_that_says_so(site: Site, cleo: Page) -> None:
    cleo.goto(f"{site.url}/collections/hr")
    cleo.get_by_role("link", name="2 people").first.click()
    expect(cleo.get_by_role("heading", name="Who can read this")).to_be_visible()
    cleo.get_by_role("link", name="Delete").click()
    expect(cleo.get_by_text("go for everybody, at once")).to_be_visible()
    cleo.get_by_role("link", name="Keep it").click()
    assert "salaries.md" in paths(site)
    cleo.get_by_role("link", name="Delete").click()
    cleo.get_by_role("button", name="Delete for everybody").click()
    expect(cleo.get_by_role("heading", name="hr", exact=True)).to_be_visible()
    assert "salaries.md" not in paths(site)


def _upload(site: Site, path: str) -> Any:
    with client_of(parts_of(site.company.db)) as client:
        answer = client.post(
            "/api/v1/collections/hr/documents", headers=site.company.headers("cleo"),
            files={"file": ("f.md", b"# L\n\nText.")}, data={"path": path, "inherits": "true"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.text
    work_queued(site.company.db)


def test_a_rule_without_a_role_waits_for_one(site: Site, cleo: Page, files: list[Path]) -> None:
    """Nothing is refused while somebody is still choosing, and nothing is said of another rule."""
    cleo.goto(f"{site.url}/collections/hr/upload")
    cleo.set_input_files("#files", files)
    sheet = cleo.get_by_role("region", name="Before anything is sent")
    expect(sheet).to_be_visible()
    cleo.get_by_label("these roles alone").check()
    expect(cleo.get_by_text("Tick a role: then this says who gains.")).to_be_visible()
    expect(sheet).to_have_count(0)
    expect(cleo.get_by_role("alert")).to_have_count(0)
    cleo.get_by_label("managers", exact=True).first.check()
    expect(sheet).to_be_visible()
