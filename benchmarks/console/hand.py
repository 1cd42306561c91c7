"""Somebody's hand on the mouse and the keyboard, which counts what it does and how long it waits for the service."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Response

DROP = """(zone, [name, text]) => {
  const given = new DataTransfer();
  given.items.add(new File([text], name));
  for (const type of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
  }
}"""


@dataclass
class Effort:
    """What a task took: `clicks` of the pointer, single `keys` such as Enter, `fields` that were typed into, whole
    `pages` and `parts` of pages that came, and the `seconds` between an act and what it was done for.
    """

    clicks: int = 0
    keys: int = 0
    fields: int = 0
    pages: int = 0
    parts: int = 0
    seconds: float = 0.0


class Hand:
    """Acts on a page. Each act names what it is done `for_`, which must not be there before; None is not waited for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.effort = Effort()
        page.on("response", self._came)

    def click(self, target: Locator, for_: Locator | None = None) -> None:
        """With the pointer, in the middle of it."""
        target.hover()  # it is brought into view, does not move, and nothing lies over it
        box = target.bounding_box()
        if box is None:
            raise SystemExit(f"{target} is not on the page")
        self.effort.clicks += 1
        self._wait(lambda: self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), for_)

    def press(self, key: str, for_: Locator | None = None) -> None:
        self.effort.keys += 1
        self._wait(lambda: self.page.keyboard.press(key), for_)

    def write(self, field: Locator, text: str, for_: Locator | None = None) -> None:
        """Into a field, in place of what stands there; where the cursor is not in it yet, that costs a click.

        The time that typing takes is left out, the time from the last letter on is not.
        """
        if not field.evaluate("field => field === document.activeElement"):
            self.click(field)
        if field.input_value():
            self.press("Control+A")
        self.effort.fields += 1
        self.page.keyboard.type(text[:-1])
        self._wait(lambda: self.page.keyboard.type(text[-1]), for_)

    def choose(self, select: Locator, option: str, for_: Locator | None = None) -> None:
        """One of a list: a click that opens it, and one on the option."""
        self.effort.clicks += 2
        self._wait(lambda: select.select_option(option), for_)

    def drop(self, zone: Locator, file: Path, for_: Locator) -> None:
        """A file dragged here from the desktop; counts as one click. The events are made here: no desktop is there."""
        self.effort.clicks += 1
        self._wait(lambda: zone.evaluate(DROP, [file.name, file.read_text("utf-8")]), for_)

    def back(self, for_: Locator) -> None:
        """The browser's own button."""
        self.effort.clicks += 1
        self._wait(lambda: self.page.go_back(wait_until="commit"), for_)

    def await_(self, what: Locator) -> None:
        """What comes by itself, as time that is waited."""
        begun = time.perf_counter()
        what.first.wait_for()
        self.effort.seconds += time.perf_counter() - begun

    def _wait(self, act: Callable[[], object], for_: Locator | None) -> None:
        if for_ is None:
            act()
            return
        if for_.first.is_visible():
            raise SystemExit(f"{for_} is there before the act")
        begun = time.perf_counter()
        act()
        for_.first.wait_for()
        self.effort.seconds += time.perf_counter() - begun

    def _came(self, response: Response) -> None:
        kind = response.request.resource_type
        if kind == "document" and not 300 <= response.status < 400:  # a redirect is no page
            self.effort.pages += 1
        elif kind in {"fetch", "xhr", "eventsource"}:
            self.effort.parts += 1
