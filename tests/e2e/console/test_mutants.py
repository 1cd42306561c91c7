"""Tests of the attacks in a browser: with one wall of the product down, the attack that it holds off succeeds."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from app.web.console import pages
from app.web.console.translations import LANGUAGES
from tests.e2e.browser_site import Site, follow
from tests.e2e.console.attacks import alive, html_at_work, left, poison, requests_of, seen_after_the_end
from tests.e2e.foreign_page import hostile, let_in, submitted
from tests.support.environment import Report

pytestmark = pytest.mark.real
Patch = pytest.MonkeyPatch
Attack = Callable[[Site, Page], list[str]]


def no_escaping(patch: Patch) -> None:
    """Templates are compiled anew: whether to escape is written into each."""
    patch.setattr(pages, "select_autoescape", lambda **_: False)
    patch.setattr(pages, "_ENVIRONMENTS", {name: pages._environment(found) for name, found in LANGUAGES.items()})


def no_policy(patch: Patch) -> None:
    patch.setattr(pages, "policy", lambda _nonce: "")


def no_cross_site_check(patch: Patch) -> None:
    for check in ("require_same_origin", "require_own_page"):
        patch.setattr(f"app.web.http.authentication.{check}", lambda *_, **__: None)


def pages_that_are_kept(patch: Patch) -> None:
    """Another word in its place: where there is none at all, the service says no-store in front of the routes."""
    patch.setitem(pages.HEADERS, "Cache-Control", "private")


def by_a_document(site: Site, page: Page) -> list[str]:
    """Open a document that is full of markup."""
    address = poison(site)
    follow(page, site.link("ada"), "ada")
    page.goto(address)
    return alive(page)


def by_another_page(site: Site, page: Page) -> list[str]:
    """Make a key, and more, from a page at another port of this host."""
    follow(page, site.link("ada"), "ada")
    token = urlsplit(site.link("ben")).query.partition("=")[2]
    with hostile("localhost", site=site.url, token=token) as address:
        found = let_in(submitted(page, address))
    return found + [f"there is a key '{row['label']}'" for row in site.company.rows(PLANTED)]


PLANTED = "select label from api_key where label = 'planted'"
MUTANTS: list[tuple[Callable[[Patch], None], Attack, set[str]]] = [
    (no_escaping, by_a_document, {"<img> stands in the page", "<script> stands in the page"}),
    (no_policy, html_at_work, {"a script ran", "a string became HTML", "asked for https://evil.example/"}),
    (no_cross_site_check, by_another_page, {"page: 201", "there is a key 'planted'"}),
    (pages_that_are_kept, seen_after_the_end, {"a document is shown after the session's end"}),
]


@pytest.mark.parametrize(("mutation", "attack", "evidence"), MUTANTS, ids=lambda v: getattr(v, "__name__", None))
def test_an_attack_succeeds_where_its_wall_is_down(
    site: Site,
    page: Page,
    context: BrowserContext,
    monkeypatch: Patch,
    report: Report,
    mutation: Callable[[Patch], None],
    attack: Attack,
    evidence: set[str],
) -> None:
    if attack in {by_a_document, html_at_work}:
        # It says that there is nothing, by which a browser stays where it is.
        page.route(re.compile(r"^https://evil\.example"), lambda route: route.fulfill(status=204))
    requests = requests_of(context)
    mutation(monkeypatch)
    found = [*attack(site, page), *left(requests, site)]
    site.complaints.clear()
    report(f"{mutation.__name__}: {', '.join(sorted(set(found)))[:260]}")
    assert evidence <= set(found)
