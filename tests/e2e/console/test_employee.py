"""An employee's day in a real browser: asking, reading, coming back; and what goes wrong on the way."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.browser_site import Site, follow
from tests.e2e.console.speaker import Speaker

pytestmark = pytest.mark.real
QUESTION = "How many weeks of parental leave does an employee get?"
SALARY = "What is the salary band of level five?"


def ask(page: Page, question: str, mode: str = "") -> None:
    if mode:
        how = page.locator("form#ask details")
        if how.get_attribute("open") is None:
            how.locator("summary").click()
        how.locator(f"input[value={mode}]").check()
    page.get_by_label("Your question").fill(question)
    page.locator("form#ask").get_by_role("button", name="Ask").click()


def last_turn(page: Page) -> Locator:
    return page.locator(".turn").last


def test_from_a_question_to_the_passage_in_its_document(site: Site, page: Page) -> None:
    """The answer with its source; the source opens beside it, at its place, and says why one may read it."""
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "quote")
    expect(page).to_have_url(re.compile(r"/conversations/[0-9a-f-]{36}$"))
    turn = last_turn(page)
    expect(turn.locator(".quote")).to_contain_text("twenty-six weeks of parental leave")
    expect(turn.locator(".sources .source")).to_have_count(1)
    expect(page.locator("#status")).to_have_text("The answer is there.")
    turn.get_by_label("Source 1").first.click()
    beside = page.locator("#beside")
    expect(beside.get_by_role("heading", name="Parental leave").first).to_be_visible()
    expect(beside.locator(".passage--here")).to_contain_text("twenty-six weeks")
    expect(beside).to_contain_text("handbook/leave.md")
    expect(beside).to_contain_text("ada may read it: the allow grant to everyone")
    expect(beside.get_by_label("Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(beside).to_be_empty()
    expect(turn.get_by_label("Source 1").first).to_be_focused()
    turn.get_by_label("Source 1").first.click()
    beside.get_by_role("link", name="Open the whole document").click()
    expect(page.locator(".passage--here")).to_be_in_viewport()
    page.go_back()
    expect(last_turn(page).locator(".quote")).to_contain_text("twenty-six weeks")


def test_it_is_written_while_one_watches(site: Site, page: Page, speaker: Speaker) -> None:
    speaker.gated = True
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "generate")
    turn = last_turn(page)
    expect(turn.get_by_text("Reading what you may read")).to_be_visible()
    speaker.allow(4)
    expect(turn.locator("[data-cites='1']")).to_be_visible()
    expect(turn.locator(".answer__text")).to_have_text(
        "Every employee gets twenty-six weeks of parental leave after the first year 1."
    )
    turn.locator("[data-cites='1']").click()
    expect(page.locator("#beside .passage--here")).to_contain_text("twenty-six weeks")


def test_it_goes_on_when_one_leaves_and_can_be_stopped_after_coming_back(
    site: Site, page: Page, context: BrowserContext, speaker: Speaker
) -> None:
    speaker.gated = True
    speaker.pieces = ["Every employee gets twenty-six weeks of parental leave [1]. "] * 40
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "generate")
    speaker.allow(3)
    expect(last_turn(page).locator("[data-text]")).to_contain_text("twenty-six weeks")
    address = page.url
    page.goto(f"{site.url}/search")
    speaker.allow(3)
    other = context.new_page()
    other.goto(address)
    expect(other.locator(".turn")).to_have_count(1)
    expect(other.locator("[data-text]")).to_contain_text("twenty-six weeks")
    other.get_by_role("button", name="Stop").click()
    expect(other.get_by_text("You stopped this answer.")).to_be_visible()
    assert [r["outcome"] for r in site.company.records("answer.closed")] == ["hung_up"]
    other.reload()
    expect(other.get_by_text("You stopped this answer.")).to_be_visible()
    expect(other.locator(".turn")).to_contain_text("twenty-six weeks")


def test_a_conversation_goes_on_is_named_and_goes(site: Site, page: Page) -> None:
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "quote")
    expect(last_turn(page).locator(".quote")).to_be_visible()
    ask(page, SALARY, "quote")
    expect(page.locator(".turn")).to_have_count(2)
    expect(last_turn(page).locator(".quote")).to_contain_text("ninety-one thousand")
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    page.locator("summary", has_text="Rename").click()
    page.get_by_label("Title").fill("Leave and pay")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Leave and pay")).to_be_visible()
    page.goto(f"{site.url}/conversations")
    expect(page.get_by_role("link", name="Leave and pay")).to_be_visible()
    expect(page.get_by_text("2 questions")).to_be_visible()
    page.get_by_role("link", name="Leave and pay").click()
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()


def test_nothing_answers_this_and_says_what_to_try(site: Site, page: Page) -> None:
    follow(page, site.link("ben"), "ben")
    ask(page, SALARY, "quote")
    turn = last_turn(page)
    expect(turn).to_contain_text("Nothing you may read answers this.")
    expect(turn.locator(".sources")).to_have_count(0)
    turn.get_by_role("link", name="Search for the words of your question").click()
    expect(page.get_by_role("searchbox", name="Words")).to_have_value(SALARY)
    assert "florins" not in page.content()


def test_what_is_typed_survives_an_expired_session(site: Site, page: Page) -> None:
    """The session is over in the middle of a question: it is kept, and is there after signing in again."""
    follow(page, site.link("ada"), "ada")
    page.get_by_label("Your question").fill(QUESTION)
    site.company.execute("update sign_in_session set idle_until = now()")
    page.locator("form#ask").get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("Your session is over.")
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)
    page.get_by_role("alert").get_by_role("link", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/sign-in?return_to=%2F")
    follow(page, site.link("ada"), "ada")
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)
    page.locator("form#ask").get_by_role("button", name="Ask").click()
    expect(last_turn(page).locator(".answer")).to_contain_text("twenty-six weeks")
    expect(page.get_by_label("Your question")).to_have_value("")


def test_the_next_person_in_the_tab_finds_nothing_of_it(site: Site, page: Page) -> None:
    follow(page, site.link("ada"), "ada")
    page.get_by_label("Your question").fill("Something that ben must not see")
    follow(page, site.link("ben"), "ben")
    expect(page.get_by_label("Your question")).to_have_value("")


def test_the_session_ends_in_the_middle_of_an_answer(site: Site, page: Page, speaker: Speaker) -> None:
    """What was begun is finished and kept; who comes back signed in finds it."""
    speaker.gated = True
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "generate")
    expect(last_turn(page)).to_be_visible()
    address = page.url
    site.company.execute("update sign_in_session set idle_until = now()")
    speaker.allow(4)
    expect(page.get_by_role("alert")).to_contain_text("Your session is over.")
    follow(page, site.link("ada"), "ada")
    page.goto(address)
    expect(last_turn(page).locator(".answer")).to_contain_text("twenty-six weeks")


def test_the_model_is_down_and_quotes_come(site: Site, page: Page, speaker: Speaker) -> None:
    speaker.down_after = 0
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "generate")
    turn = last_turn(page)
    expect(turn.get_by_text("The model does not answer at the moment. These are quotes instead.")).to_be_visible()
    expect(turn.locator(".quote")).to_contain_text("twenty-six weeks")


def test_the_model_breaks_off_and_what_it_said_stays(site: Site, page: Page, speaker: Speaker) -> None:
    speaker.down_after = 2
    speaker.pieces = ["Every employee gets twenty-six weeks of parental leave after the first year [1]. "] * 3
    follow(page, site.link("ada"), "ada")
    ask(page, QUESTION, "generate")
    expect(last_turn(page).get_by_text("The model broke off.")).to_be_visible()
    expect(last_turn(page).locator(".answer")).to_contain_text("twenty-six weeks")


def test_revoked_while_reading(site: Site, page: Page, speaker: Speaker) -> None:
    """Who loses access finds neither the answer, which is withheld, nor the passage, which is not there."""
    follow(page, site.link("ada"), "ada")
    ask(page, SALARY, "quote")
    expect(last_turn(page).locator(".quote")).to_contain_text("ninety-one")
    with site.administrator as client:
        client.delete("/roles/hr/members/ada")
    last_turn(page).get_by_label("Source 1").first.click()
    expect(page.get_by_role("alert")).to_contain_text("Not found")
    page.reload()
    expect(last_turn(page)).to_contain_text("What this answer was made from is no longer yours to read.")
    assert "florins" not in page.content()
    last_turn(page).get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(last_turn(page)).not_to_contain_text("ninety-one")
    expect(last_turn(page).get_by_role("button", name="Ask again")).to_be_visible()


def test_revoked_while_it_is_written(site: Site, page: Page, speaker: Speaker) -> None:
    """Coming back to an answer in progress whose source one may no longer read gives nothing of it."""
    speaker.gated = True
    speaker.pieces = ["The salary band of level five is ninety-one thousand florins [1]. "] * 30
    follow(page, site.link("ada"), "ada")
    ask(page, SALARY, "generate")
    speaker.allow(2)
    expect(last_turn(page)).to_contain_text("ninety-one")
    address = page.url
    page.goto(f"{site.url}/me")
    with site.administrator as client:
        client.delete("/roles/hr/members/ada")
    speaker.allow(28)
    page.goto(address)
    expect(page.locator(".turn")).to_have_count(1)
    page.wait_for_timeout(500)
    assert "ninety-one" not in page.content()


def test_everything_by_keyboard(site: Site, page: Page) -> None:
    """No pointer: asking, opening the source by its number, closing it, going on by keys, and switching keys off."""
    follow(page, site.link("ada"), "ada")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(last_turn(page).locator(".source")).to_have_count(1)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("1")
    expect(page.locator("#beside .passage--here")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("v")
    expect(page).to_have_url(f"{site.url}/conversations")
    page.keyboard.press("j")
    expect(page.locator("[data-row].is-current")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/conversations/.+"))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("kitchen")
    page.keyboard.press("Enter")
    expect(page.locator("#hits li").first).to_contain_text("Kitchen")
    page.goto(f"{site.url}/me")
    page.get_by_label("Single keys do things").uncheck()
    page.get_by_role("button", name="Save").click()
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    expect(page.get_by_role("dialog")).to_have_count(0)
