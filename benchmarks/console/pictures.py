"""The pictures of docs/console.md: `python -m benchmarks.console.pictures --home .clearance`, beside `clearance run`.

Twelve pages of the sample company as the people see them to whom they belong, each light and dark, wide and on a phone:
one sheet of four for each page, small enough for a repository. What the pages show is made first, over the API.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from app.client.api import Client
from app.client.errors import UserError
from benchmarks.console.browser import launched

ASKED = "What is the budget for the Rotterdam project?"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
HEIGHT, GAP = 560, 16  # of a picture in its sheet, in pixels
PATIENCE = 240  # seconds
Act = Callable[[Page], None]


@dataclass(frozen=True)
class Company:
    """The sample company at this address, with everybody's key."""

    url: str
    keys: dict[str, str]

    def as_person(self, name: str) -> Client:
        return Client(self.url, self.keys[name])

    def link(self, name: str) -> str:
        with self.as_person("ada") as ada:
            return str(ada.post(f"/users/{name}/links", {"loopback": True})["url"])

    def document(self, name: str, path: str) -> str:
        with self.as_person(name) as client:
            return next(str(d["id"]) for d in client.pages("/documents") if d["path"] == path)


@dataclass(frozen=True)
class Shot:
    """A page: its name, whose it is, where, and what is done before the picture is taken."""

    name: str
    person: str
    path: str
    act: Act = lambda _: None


def _open_source(page: Page) -> None:
    page.locator("[data-source='1']").first.click()
    page.locator("#beside [data-place], #beside h2").first.wait_for()


def _drop_file(page: Page) -> None:
    text = b"# Crew change at Aldermouth\n\nThe crew changes on Tuesdays at 06:30 from the north quay.\n"
    files: Any = [{"name": f"crew-change-{n}.md", "mimeType": "text/markdown", "buffer": text} for n in (1, 2)]
    page.locator("input[type=file]").first.set_input_files(files)
    page.get_by_label("these roles alone").check()
    page.get_by_label("operations", exact=True).first.check()
    page.locator("#sheet .gains").first.wait_for()
    page.locator("#sheet .sheet").first.scroll_into_view_if_needed()
    page.locator("#sheet .sheet button").first.wait_for()
    page.wait_for_timeout(600)


def _show_words(page: Page) -> None:
    page.get_by_label("Why these words are to be opened").fill("Complaint 17: what was he told?")
    page.get_by_role("button", name="Show the words").click()
    page.locator(".words__text").first.wait_for()


def prepare(company: Company) -> list[Shot]:
    """Make what the pages show, and say where they are."""
    with company.as_person("jonas") as jonas:
        conversation = jonas.post("/conversations", {})["id"]
        jonas.post("/ask", {"question": ASKED, "mode": "quote", "conversation": conversation})
    with company.as_person("ada") as ada:
        change = {"change": "join", "user": "callum", "role": "finance"}
        plan = ada.post("/access/plans", {"changes": [change]})["id"]
    report = _leak_test(company)
    with company.as_person("oskar") as oskar:
        oskar.post("/audit/queries", {"name": "What Jonas asked", "q": "who:jonas kind:answer"})
        event = oskar.get("/audit/events", q="who:jonas kind:answer.opened", newest_first="true", limit=1)["events"][0]
    rotterdam = company.document("jonas", "projects/rotterdam.md")
    rules = company.document("wren", "marine/dive-safety-rules.pdf")
    return [
        Shot("ask", "freya", "/"),
        Shot("answer", "jonas", f"/conversations/{conversation}", _open_source),
        Shot("search", "freya", "/search?q=crane+wind+limit"),
        Shot("document", "jonas", f"/documents/{rotterdam}"),
        Shot("collection", "wren", "/collections/operations"),
        Shot("upload", "wren", "/collections/operations/upload", _drop_file),
        Shot("plan", "ada", f"/plans/{plan}"),
        Shot("person", "ada", "/people/jonas"),
        Shot("decision", "wren", f"/access?user=luca&document={rules}"),
        Shot("leak-test", "ada", f"/leak-tests/{report}"),
        Shot("log", "oskar", "/log?q=-kind:audit.read"),
        Shot("record", "oskar", f"/log/{event['seq']}", _show_words),
    ]


def _leak_test(company: Company) -> str:
    """The newest run of this service that has ended; the first time, one is made, which takes minutes."""
    with company.as_person("ada") as ada:
        runs = list(ada.pages("/leak-tests"))
        run = str(runs[0]["id"]) if runs else str(ada.post("/leak-tests", {})["id"])
        ends = time.monotonic() + 4 * PATIENCE
        while ada.get(f"/leak-tests/{run}")["state"] == "running" and time.monotonic() < ends:
            time.sleep(2)
    return run


def signed_in(browser: Browser, company: Company, names: set[str]) -> dict[str, Any]:
    """What the browsers of these people keep once they have signed in."""
    kept: dict[str, Any] = {}
    for name in sorted(names):
        context = browser.new_context()
        page = context.new_page()
        page.goto(company.link(name))
        page.get_by_role("button", name="Sign in").click()
        page.locator("body[data-person]").wait_for(state="attached")
        kept[name] = context.storage_state()
        context.close()
    return kept


def pictures(browser: Browser, company: Company, shot: Shot, state: Any) -> Iterator[Image.Image]:
    """Light and dark, wide and on a phone."""
    for viewport in (WIDE, PHONE):
        for scheme in ("light", "dark"):
            options: Any = {"viewport": viewport, "color_scheme": scheme, "locale": "en-GB", "storage_state": state}
            context = browser.new_context(**options)
            page = context.new_page()
            page.goto(f"{company.url.replace('127.0.0.1', 'localhost')}{shot.path}")
            shot.act(page)
            page.wait_for_timeout(300)
            yield Image.open(io.BytesIO(page.screenshot()))
            context.close()


def sheet(found: list[Image.Image]) -> Image.Image:
    """The pictures beside one another."""
    scaled = [each.resize((each.width * HEIGHT // each.height, HEIGHT), Image.Resampling.LANCZOS) for each in found]
    made = Image.new("RGB", (sum(each.width for each in scaled) + GAP * (len(scaled) - 1), HEIGHT), "#808080")
    left = 0
    for each in scaled:
        made.paste(each, (left, 0))
        left += each.width + GAP
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path(".clearance"), help="of `clearance run`")
    parser.add_argument("--url", default="http://127.0.0.1:8700")
    parser.add_argument("--to", type=Path, default=Path("docs/img/console"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--whole", type=Path, help="also every picture as it is, into this folder")
    given = parser.parse_args()
    people = json.loads((given.home / "people.json").read_text())
    company = Company(given.url, {name: person["key"] for name, person in people.items()})
    given.to.mkdir(parents=True, exist_ok=True)
    try:
        shots = [shot for shot in prepare(company) if not given.only or shot.name in given.only]
    except UserError as error:
        parser.exit(1, f"{error}\n")
    with launched() as browser:
        kept = signed_in(browser, company, {shot.person for shot in shots})
        for shot in shots:
            found = list(pictures(browser, company, shot, kept[shot.person]))
            if given.whole:
                given.whole.mkdir(parents=True, exist_ok=True)
                for number, each in enumerate(found):
                    each.save(given.whole / f"{shot.name}-{number}.png")
            sheet(found).save(given.to / f"{shot.name}.webp", quality=70, method=6)
            print(shot.name, (given.to / f"{shot.name}.webp").stat().st_size)


if __name__ == "__main__":
    main()
