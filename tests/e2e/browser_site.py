"""A real browser, Chromium, in front of a real service over the small company of the tests."""

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from app.admin.leak_test_runs import LeakTestRuns, RunLeakTest
from app.client.api import Client
from app.llm.protocol import ChatModel
from app.settings import SignInSettings
from tests.support.company import Company, copied_company
from tests.support.environment import free_port, real_part_missing
from tests.support.service import parts_of, serve

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """The browser of the system's packages."""
    path = shutil.which("chromium") or CHROMIUM
    if not Path(path).exists():
        real_part_missing("chromium is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Site:
    """A running service with its company, and what browsers complained of."""

    url: str
    company: Company
    complaints: list[str] = field(default_factory=list)
    apps: list[FastAPI] = field(default_factory=list)

    @property
    def administrator(self) -> Client:
        return Client(self.url, self.company.keys["root"])

    def link(self, name: str, *, loopback: bool = False) -> str:
        with self.administrator as client:
            return str(client.post(f"/users/{name}/links", {"loopback": loopback})["url"])

    def sessions(self, name: str) -> list[dict[str, Any]]:
        with self.administrator as client:
            return list(client.pages("/sessions", user=name))

    def leak_tests(self, run: RunLeakTest) -> None:
        """Let this stand in for the leak test, which asks for minutes."""
        for app in self.apps:
            app.state.leak_tests = LeakTestRuns(run, self.url, app.state.background)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the browser's console calls an error; an answer of 4xx that a test asks for is none."""
        if message.type in {"error", "warning"} and "the server responded with a status of 4" not in message.text:
            self.complaints.append(message.text)


@contextlib.contextmanager
def served(template: Company, *, chat: ChatModel | None = None, **settings: Any) -> Iterator[Site]:
    """The service at a name of this machine; no page may have broken its own policy, nor thrown an error."""
    port = free_port()
    with copied_company(template) as company:
        parts = parts_of(company.db, chat=chat)
        url = f"http://localhost:{port}"
        given = {"sign_in": SignInSettings(public_url=url), **settings}
        made = Site(url, company)
        parts = dataclasses.replace(parts, settings=parts.settings.model_copy(update=given))
        with serve(parts, made.apps.append, port=port):
            yield made
            assert made.complaints == []


@contextlib.contextmanager
def opened(chromium: Browser, site: Site, **options: Any) -> Iterator[BrowserContext]:
    """A browser of its own, with an authenticator."""
    context = chromium.new_context(**options)
    context.on("console", site.hear)
    context.on("weberror", lambda error: site.complaints.append(str(error.error)))
    yield context
    context.close()


def follow(page: Page, link: str, name: str) -> None:
    """Sign in with a link, as this person."""
    page.goto(link)
    expect(page.get_by_role("heading", name=f"Sign in as {name}?")).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".bar__who")).to_have_text(name)
