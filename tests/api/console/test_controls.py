"""Whatever a page shows somebody works for them: every link and every form, on every page that they come to.

What a form asks for is filled in as somebody would who knows the company. A refusal for a missing capability, a page
that is not there and a fault of ours are what nobody may meet by a control that was shown to them.
"""

import re
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from app.admin.background import BackgroundWork
from app.admin.leak_test_runs import LeakTestRuns
from app.admin.log_exports import LogExports
from tests.support.audit_order import sequence
from tests.support.browsers import Browser, signed_in
from tests.support.company import Company
from tests.support.service import app_of

# Of one kind of page so many are looked at.
ALIKE = 3
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/log/)\d+")
# What somebody writes where a form asks for these.
KNOWN = {
    "name": "somebody-new", "display_name": "Somebody New", "user": "ben", "person": "ben", "role": "hr",
    "inside": "managers", "outer": "managers", "to": "moved/here.md", "folder": "news", "path": "news", "group": "g-1",
    "days": "7", "question": "How long is leave?", "title": "Another title", "label": "internal", "q": "kind:answer",
}  # fmt: skip
# What ends something comes last, so that it is there for the others.
ENDS = re.compile(r"(delete|remove|revoke|end|off|withdraw|close)$")
# One's own session would end, and with it the walk; of people, those of oneself.
NOT_SENT = ("/sign-out", "/people/{me}/off", "/people/{me}/sign-out", "/people/{me}/capabilities")


@dataclass(frozen=True)
class SeenForm:
    """A form of a page: where it goes, and what it sends with one of its buttons."""

    method: str
    action: str
    fields: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        return self.method, ID.sub("…", self.action), tuple(sorted({name for name, _ in self.fields}))


@dataclass
class _Open:
    """A form that is being read."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    select: str = ""
    chosen: bool = False


class PageReader(HTMLParser):
    """Reads the links and forms of a page. What is disabled or hidden from everybody is no control."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[SeenForm] = []
        self._form: _Open | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.append(given["href"].partition("#")[0])
        elif tag == "form" and "action" in given:
            self._form = _Open(given.get("method", "get").upper(), given["action"])
        elif self._form is not None and "disabled" not in given:
            self._read_field(self._form, tag, given)

    def _read_field(self, form: _Open, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "")
        if tag == "select":
            form.select, form.chosen = name, False
        elif tag == "option" and form.select and (not form.chosen or "selected" in given):
            form.fields = [each for each in form.fields if each[0] != form.select]
            form.fields.append((form.select, given.get("value", "")))
            form.chosen = True
        elif tag == "button" and given.get("type") != "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag in {"input", "textarea"} and name:
            if kind in {"checkbox", "radio"}:
                if "checked" in given:
                    form.fields.append((name, given.get("value", "on")))
            elif kind != "file":
                value = given.get("value", "") or (KNOWN.get(name, "x") if "required" in given else "")
                form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._form is not None:
            self._form.select = ""
        if tag == "form" and self._form is not None:
            for name, value in self._form.buttons or [("", "")]:
                sent = (*self._form.fields, *(((name, value),) if name else ()))
                self.forms.append(SeenForm(self._form.method, self._form.action, sent))
            self._form = None


class Walk:
    """Goes through the pages of one person, and keeps what did not work."""

    def __init__(self, company: Company, browser: Browser, me: str) -> None:
        self.company, self.browser = company, browser
        self.not_sent = {action.format(me=me) for action in NOT_SENT}
        self.wrong: list[str] = []
        self.pages = 0
        self.forms: dict[tuple[Any, ...], tuple[str, SeenForm]] = {}

    def read_all(self) -> None:
        """Every link that is shown, from the first page on."""
        waiting, met, seen = deque([("", "/")]), {"/"}, Counter[str]()
        while waiting:
            before, path = waiting.popleft()
            if path.startswith("/log/records/"):
                sequence(self.company.db)
            answer = self.browser.get(path)
            self._judge(f"{before}: the link {path}", answer)
            if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            self.pages += 1
            page = PageReader()
            page.feed(answer.text)
            for form in page.forms:
                if form.action not in self.not_sent:
                    self.forms.setdefault(form.kind, (path, form))
            for link in page.links:
                alike = ID.sub("…", link)
                if link not in met and seen[alike] < ALIKE:
                    met.add(link)
                    seen[alike] += 1
                    waiting.append((path, link))

    def send_all(self) -> None:
        """Every form that was shown, one of a kind."""
        for path, form in sorted(self.forms.values(), key=lambda each: bool(ENDS.search(each[1].action))):
            if form.method == "GET":
                given = [*parse_qsl(urlsplit(form.action).query), *form.fields]
                answer = self.browser.get(urlsplit(form.action).path, params=given)
            else:
                answer = self.browser.submit(form.action, **_several(form.fields))
            self._judge(f"{path}: the form {form.method} {form.action} {dict(form.fields)}", answer)

    def _judge(self, what: str, answer: Any) -> None:
        if answer.status_code in {401, 403, 404, 405, 500}:
            said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1]))[:300]
            self.wrong.append(f"{what} answers {answer.status_code}: {said}")


def _several(fields: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The fields as they are sent: a name that stands several times with all its values."""
    names = dict.fromkeys(name for name, _ in fields if name != "csrf")
    return {name: [value for each, value in fields if each == name] for name in names}


@pytest.mark.parametrize("person", ["ada", "nora", "cleo", "hank", "admin", "audrey", "max"])
def test_every_control_works_for_whom_it_is_shown(client: TestClient, company: Company, person: str) -> None:
    still = BackgroundWork(lambda _: threading.Thread())
    app_of(client).state.leak_tests = LeakTestRuns(lambda *_: {}, "", still)
    app_of(client).state.log_exports = LogExports(still)
    question = {"question": "How many weeks of parental leave does an employee get?", "mode": "quote"}
    if person in {"ada", "cleo"}:
        kept = client.post("/api/v1/conversations", json={}, headers=company.headers(person)).json()["id"]
        asked = {**question, "conversation": kept}
        assert client.post("/api/v1/ask", json=asked, headers=company.headers(person)).status_code == 200
    sequence(company.db)
    walk = Walk(company, signed_in(client, company, person), person)
    walk.read_all()
    assert walk.pages > 2
    walk.send_all()
    assert walk.wrong == []
