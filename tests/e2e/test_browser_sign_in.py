"""Signing in and out in a real browser: Chromium, with an authenticator that the browser itself makes up."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.browser_site import Site, follow, opened
from tests.e2e.foreign_page import hostile, let_in, submitted

pytestmark = pytest.mark.real

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def with_authenticator(context: BrowserContext, page: Page) -> None:
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


@pytest.mark.timeout(240)
def test_a_link_and_then_a_passkey(site: Site, context: BrowserContext, page: Page) -> None:
    """The whole way of somebody who is invited."""
    with_authenticator(context, page)
    page.goto(site.url)
    expect(page).to_have_url(f"{site.url}/sign-in?return_to=%2F")
    follow(page, site.link("ada", loopback=True), "ada")
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["domain"], cookie["path"]) == ("clearance", "localhost", "/")
    assert cookie["httpOnly"]
    assert (cookie["sameSite"], cookie["secure"]) == ("Lax", False)
    assert page.evaluate("document.cookie") == "", "a script reads the session"
    page.goto(f"{site.url}/me")
    page.get_by_role("button", name="Add a passkey of this device").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    expect(page.get_by_text("not used yet")).to_be_visible()
    # A second one on the same device is refused by the device itself.
    page.get_by_role("button", name="Add a passkey of this device").click()
    expect(page.get_by_text("This device has a passkey of yours already.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert context.cookies() == []
    page.goto(site.url)
    expect(page).to_have_url(f"{site.url}/sign-in?return_to=%2F")
    page.goto(f"{site.url}/sign-in?return_to=/api/v1/users/me")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site.url}/api/v1/users/me")
    assert '"name":"ada"' in page.content()
    page.goto(f"{site.url}/me")
    expect(page.get_by_text("last used")).to_be_visible()
    assert [session["means"] for session in site.sessions("ada")] == ["passkey"]
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey does not sign you in here.")).to_be_visible()


def test_a_device_without_a_passkey_says_so(site: Site, context: BrowserContext, page: Page) -> None:
    with_authenticator(context, page)
    page.goto(f"{site.url}/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


def test_a_session_that_is_ended_elsewhere_is_over_at_the_next_click(
    site: Site, context: BrowserContext, page: Page
) -> None:
    with_authenticator(context, page)
    follow(page, site.link("ada"), "ada")
    page.goto(f"{site.url}/me")
    [session] = site.sessions("ada")
    with site.administrator as client:
        client.delete(f"/sessions/{session['id']}")
    page.get_by_role("button", name="Add a passkey of this device").click()
    expect(page.get_by_text("Your session is over.")).to_be_visible()
    page.reload()
    expect(page).to_have_url(f"{site.url}/sign-in?return_to=%2Fme")


def test_a_link_is_used_up_and_says_so(site: Site, page: Page) -> None:
    link = site.link("ada")
    follow(page, link, "ada")
    page.goto(link)
    expect(page.get_by_text("This link is wrong, was used, or is too old.")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_without_scripts_the_pages_work(chromium: Browser, site: Site) -> None:
    with opened(chromium, site, java_script_enabled=False) as context:
        page = context.new_page()
        follow(page, site.link("ada"), "ada")
        page.goto(f"{site.url}/me")
        expect(page.get_by_role("button", name="Add a passkey of this device")).to_be_hidden()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_this_machine_by_its_number_is_led_to_its_name(site: Site, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{urlsplit(site.url).port}/sign-in?return_to=/x")
    expect(page).to_have_url(f"{site.url}/sign-in?return_to=/x")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_page_of_somebody_else_does_nothing_here(site: Site, context: BrowserContext, page: Page, host: str) -> None:
    """Another port of the same host is the same site to a browser, which sends our cookie along: only what the request
    says of itself stops it.
    """
    follow(page, site.link("ada"), "ada")
    token = urlsplit(site.link("ben")).query.partition("=")[2]
    with hostile(host, site=site.url, token=token) as address:
        sent = submitted(page, address)
        assert let_in(sent) == []
        refused = 403 if host == "localhost" else 401
        assert {each.form: each.status for each in sent} == {"link": 403, "page": refused, "keys": refused, "out": 403}
        assert all(each.with_cookie for each in sent) or host != "localhost"
        page.goto(address)
        headed = {"X-CSRF-Token": "x"}
        assert page.evaluate("h => ride('DELETE', '/api/v1/users/ada/sessions', h, 'cors')", headed) == "TypeError"
        assert page.evaluate("() => ride('GET', '/api/v1/users/me', {}, 'cors')") == "TypeError"
        assert page.evaluate("() => ride('POST', '/sign-out', {}, 'no-cors')") == "TypeError"
    # The browser says so of requests that it sent, or whose answer it kept from the page.
    blocked = re.compile(r"blocked by CORS policy|net::ERR_FAILED|net::ERR_BLOCKED_BY_RESPONSE")
    site.complaints[:] = [text for text in site.complaints if not blocked.search(text)]
    page.goto(f"{site.url}/me")
    expect(page.get_by_role("heading", name="ada")).to_be_visible()
    assert len(site.sessions("ada")) == 1
    assert site.sessions("ben") == []


def test_no_page_of_somebody_else_frames_ours(site: Site, page: Page) -> None:
    follow(page, site.link("ada"), "ada")
    with hostile("localhost", site=site.url, token="") as address:
        page.goto(address)
        page.evaluate(
            "site => { const f = document.createElement('iframe'); f.src = site + '/'; document.body.append(f) }",
            site.url,
        )
        page.wait_for_timeout(500)
        assert not any("Sign out" in frame.content() for frame in page.frames[1:])
    refused = [text for text in site.complaints if "frame-ancestors" in text]
    assert refused
    site.complaints.clear()


LONG = "Wilhelmina-Charlotte-Konstantinopolitanische-Dudelsackspfeifenmacherin " + "x" * 110
SIZES = {"wide": {"width": 1200, "height": 800}, "phone": {"width": 360, "height": 740}}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_and_can_be_used(chromium: Browser, site: Site, tmp_path: Path, scheme: str, size: str) -> None:
    """No page is wider than its window, whatever somebody is called; buttons are named, and show where one is."""
    with site.administrator as client:
        client.patch("/users/mia", {"display_name": LONG})
    with opened(chromium, site, viewport=SIZES[size], color_scheme=scheme) as context:
        page = context.new_page()
        with_authenticator(context, page)
        looked_at = {"sign-in": f"{site.url}/sign-in", "link": site.link("mia")}
        for name, address in looked_at.items():
            page.goto(address)
            _look(page, tmp_path / f"{name}-{scheme}-{size}.png")
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{site.url}/me")
        page.get_by_role("button", name="Add a passkey of this device").click()
        expect(page.get_by_text("The passkey is added.")).to_be_visible()
        _look(page, tmp_path / f"home-{scheme}-{size}.png")
        page.goto(looked_at["link"])
        _look(page, tmp_path / f"error-{scheme}-{size}.png")


def _look(page: Page, picture: Path) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.screenshot(path=picture, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        "the page is wider than its window"
    )
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "nothing shows where the keyboard is"
