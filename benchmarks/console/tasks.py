"""Ten tasks of the three people, done with mouse and keyboard: `python -m benchmarks.console.tasks [--rounds 5]`.

Needs the system's Chromium. Each starts on the first page, signed in, and ends when the result can be seen. Counted are
acts and what came over the wire; the seconds are those of waiting for the service, at the median of the rounds with the
quickest and the slowest. What people take to read, think and type is not in them.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from benchmarks.console.browser import launched
from benchmarks.console.hand import Effort, Hand
from benchmarks.console.office import PHRASE, Office, furnish, question
from benchmarks.console.site import QUESTION, SUBJECTS, console_site
from benchmarks.machine import load
from benchmarks.tables import show

Task = Callable[[Hand, Office, int], None]


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True).first


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True).first


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name, exact=True)


def ask_and_open(hand: Hand, office: Office, number: int) -> None:
    del office, number
    page = hand.page
    hand.write(page.get_by_label("Your question"), QUESTION)
    hand.click(page.locator("form#ask").get_by_role("button", name="Ask"), page.locator(".turn .sources"))
    hand.click(page.locator(".turn .sources").get_by_label("Source 1"), page.locator("#beside .passage--here"))


def why_may_i(hand: Hand, office: Office, number: int) -> None:
    del office
    page, name = hand.page, f"{SUBJECTS[number]} {number}"
    hand.write(page.locator("#find"), name)
    hits = page.locator("#hits").get_by_role("link", name=name, exact=True)
    hand.press("Enter", hits)
    hand.click(hits.first, page.locator("#beside dt", has_text="Why you may read it"))


def rename_conversation(hand: Hand, office: Office, number: int) -> None:
    del office
    page = hand.page
    hand.click(link(page, "Conversations"), heading(page, "Conversations"))
    hand.click(link(page, question(number)), heading(page, question(number)))
    hand.click(page.locator("summary", has_text="Rename"))
    hand.write(page.get_by_label("Title"), f"Deadline {number}")
    hand.press("Enter", heading(page, f"Deadline {number}"))


def search_a_phrase(hand: Hand, office: Office, number: int) -> None:
    del office, number
    page = hand.page
    hits = page.locator("#hits")
    hand.write(page.locator("#find"), f'"{PHRASE}"')
    hand.press("Enter", hits.get_by_text("handbook/"))
    hand.click(page.locator("summary", has_text="Narrow it down"))
    hand.choose(page.get_by_label("Collection"), "hr", hits.filter(has_not_text="handbook/").get_by_text("hr/terms.md"))


def upload_with_a_rule(hand: Hand, office: Office, number: int) -> None:
    page = hand.page
    sheet = page.get_by_role("region", name="Before anything is sent")
    hand.click(link(page, "Collections"), heading(page, "Collections"))
    hand.click(link(page, "hr"), heading(page, "hr"))
    hand.click(link(page, "Upload"), heading(page, "Upload"))
    hand.drop(page.locator("[data-drop]"), office.files / f"note-{number}.md", sheet.get_by_text("gain"))
    hand.click(page.get_by_label("these roles alone"))
    hand.click(page.get_by_label("managers", exact=True).first, sheet.get_by_text("mia"))
    hand.click(button(page, "Upload 1 file"), page.locator("#progress li", has_text="indexed"))


def retry_a_failed_file(hand: Hand, office: Office, number: int) -> None:
    del office
    page, path = hand.page, f"broken-{number}.pdf"
    row = page.locator(".row", has_text=path)
    hand.click(link(page, "Jobs"), row.filter(has_text="failed"))
    retry = button(page, f"Retry {path}")
    hand.click(retry, row.filter(has_text="retried: see the later one"))
    hand.await_(retry)


def let_a_role_read_a_folder(hand: Hand, office: Office, number: int) -> None:
    del office
    page, folder = hand.page, f"pay-{number}"
    hand.click(link(page, "Collections"), heading(page, "Collections"))
    hand.click(link(page, "hr"), heading(page, "hr"))
    hand.click(page.locator(".tree__item", has_text=folder), heading(page, folder))
    hand.click(page.locator(".page__head").get_by_role("link", name="Who may read"), heading(page, "What decides"))
    hand.click(page.get_by_text("Name somebody"))
    hand.write(page.get_by_label("Name", exact=True), "managers")
    hand.press("Enter", heading(page, "What this would do"))
    hand.click(button(page, "Apply"), heading(page, "Applied"))


def why_may_somebody_not(hand: Hand, office: Office, number: int) -> None:
    del office
    page = hand.page
    hand.click(link(page, "Collections"), heading(page, "Collections"))
    hand.click(link(page, "hr"), heading(page, "hr"))
    row = page.locator(".row", has_text=f"pay-{number}/bands.md")
    hand.click(row.locator(".row__meta a[href$='/access']"), heading(page, "Who can read this"))
    hand.write(page.get_by_label("Why may, or may not"), "ben")
    hand.press("Enter", page.get_by_role("status").filter(has_text="ben"))


def switch_a_leaver_off(hand: Hand, office: Office, number: int) -> None:
    del office
    page, name = hand.page, f"leaver-{number}"
    hand.click(link(page, "People"), heading(page, "People"))
    hand.write(page.get_by_role("searchbox", name="Name"), name, page.locator("#people:not(:has-text('ada'))"))
    hand.click(page.locator("#people").get_by_role("link", name=name), heading(page, name))
    hand.click(page.locator("summary", has_text="Switch off"))
    hand.click(button(page, "Switch off"), page.get_by_text("All that they came in with has ended, for good."))


def prove_a_record(hand: Hand, office: Office, number: int) -> None:
    """The document's id stands in its address, which whoever asks for the proof sends along."""
    del number
    page = hand.page
    hand.click(link(page, "Log"), heading(page, "Log"))
    hand.write(page.get_by_label("Query", exact=True), f"who:ben kind:answer document:{office.asked_about}")
    hand.press("Enter", page.locator("#query[value^='who:ben'], #trouble"))
    hand.click(page.locator(".log [data-row] a[href^='/log/']").last, page.get_by_text("Yes, by the head below."))
    hand.write(page.get_by_label("Why these words are to be opened"), "Complaint 17: what was he told?")
    hand.click(button(page, "Show the words"), page.locator(".words__text").first)
    hand.back(page.locator("button", has_text="Show the words"))
    hand.back(link(page, "Export"))
    hand.click(link(page, "Export"), button(page, "Start the export"))
    hand.click(button(page, "Start the export"), page.get_by_role("status").get_by_text("Ready."))
    with page.expect_download():
        hand.click(link(page, "Download"))


TASKS: Sequence[tuple[str, str, Task]] = (
    ("ask, and open the passage behind the answer", "ada", ask_and_open),
    ("learn why I may read a document", "ada", why_may_i),
    ("find yesterday's conversation, rename it", "ada", rename_conversation),
    ("search a phrase, narrow by collection", "ada", search_a_phrase),
    ("upload a file with a rule, seeing who gains", "cleo", upload_with_a_rule),
    ("see why a file failed, retry it", "cleo", retry_a_failed_file),
    ("let a role read a folder, seeing who gains", "cleo", let_a_role_read_a_folder),
    ("find out why somebody may not read a document", "cleo", why_may_somebody_not),
    ("switch a leaver off", "admin", switch_a_leaver_off),
    ("find what was asked, prove it, export it", "audrey", prove_a_record),
)


def signed_in(chromium: Browser, office: Office, person: str) -> BrowserContext:
    """A browser of this person's own."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(office.link(person))
    page.get_by_role("button", name="Sign in").click()
    page.locator(".bar__who").wait_for()
    page.close()
    return context


def done(context: BrowserContext, office: Office, task: Task, number: int) -> Effort:
    """The effort of one task in a tab of its own, from the first page on."""
    page = context.new_page()
    page.goto(f"{office.url}/", wait_until="networkidle")
    hand = Hand(page)
    task(hand, office, number)
    page.close()
    return hand.effort


def row(name: str, efforts: Sequence[Effort]) -> tuple[str, ...]:
    """Counts at the median, since a part that is asked for every second comes once more in a slow round."""

    def median(count: str) -> str:
        return f"{statistics.median_high(getattr(each, count) for each in efforts)}"

    waits = sorted(each.seconds for each in efforts)
    seconds = f"{statistics.median(waits):.2f} ({waits[0]:.2f}-{waits[-1]:.2f})"
    return (name, *map(median, ("clicks", "keys", "fields", "pages", "parts")), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each task is done")
    rounds = parser.parse_args().rounds
    efforts: dict[str, list[Effort]] = {name: [] for name, _, _ in TASKS}
    with console_site(2) as site, tempfile.TemporaryDirectory() as folder, launched() as chromium:
        office = furnish(site, Path(folder), rounds)
        browsers = {
            person: signed_in(chromium, office, person) for person in sorted({person for _, person, _ in TASKS})
        }
        for number in range(rounds):
            for name, person, task in TASKS:
                efforts[name].append(done(browsers[person], office, task, number))
    columns = ("", "clicks", "keys", "fields", "pages", "parts", "s waited (of all rounds)")
    show(f"Ten tasks, {rounds} rounds; {load()}", columns, [row(name, each) for name, each in efforts.items()])


if __name__ == "__main__":
    main()
