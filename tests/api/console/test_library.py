"""The curators' pages: collections and their folders, who may read and what changes it, uploads, jobs, plans."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.folders import ids, put, rule, seen
from tests.api.problems import ABSENT, check_page
from tests.support.browsers import Browser, signed_in
from tests.support.company import CARD, Company
from tests.support.worker import work_queued

PART = {"HX-Request": "true"}


@pytest.fixture
def hr(client: TestClient, company: Company) -> Company:
    """The hr collection with a folder that has a rule and one that has none, and a document with tags."""
    for path in ("top.md", "pay/a.md", "plans/c.md"):
        put(client, company, path)
    put(client, company, "pay/tagged.md", roles=["managers"], label="restricted")
    work_queued(company.db)
    rule(client, company, "pay", {"grants": [{"role": "managers"}, {"effect": "deny", "user": "hank"}]})
    return company


@pytest.fixture
def cleo(client: TestClient, hr: Company) -> Browser:
    """A curator of handbook, hr and board, who reads none of hr."""
    return signed_in(client, hr, "cleo")


def text_of(browser: Browser, path: str, **headers: str) -> str:
    answer = browser.send("GET", path, headers=headers)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1].split("</main>")[0]))


def plan(browser: Browser, **fields: Any) -> str:
    """The address of the plan that a form makes."""
    answer = browser.submit("/plans", **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_collections_say_their_rule_to_who_may_see_it(client: TestClient, hr: Company, cleo: Browser) -> None:
    shown = text_of(cleo, "/collections")
    assert "hr confidential hr; confidential" in shown.replace("◑ ", "")
    assert "2 people read here" in shown
    reader = text_of(signed_in(client, hr, "ada"), "/collections")
    assert "hr" in reader
    assert "people read here" not in reader
    assert "no collection that you may see" not in reader


def test_a_document_leads_who_curates_it_to_its_access(client: TestClient, hr: Company, cleo: Browser) -> None:
    """And nobody else: hank curates another collection, and finds no such page."""
    address = f"/documents/{hr.documents['handbook', 'leave.md']}"
    link = f'href="{address}/access"'
    assert link in cleo.get(address).text
    assert cleo.get(f"{address}/access").status_code == 200
    for name in ("ada", "hank"):
        other = signed_in(client, hr, name)
        page = other.get(address)
        assert (page.status_code, link in page.text) == (200, False)
        assert other.get(f"{address}/access").status_code in {403, 404}


def test_a_collection_shows_its_folders_with_their_rules_and_documents(cleo: Browser) -> None:
    """A curator sees paths and how many read each; titles are for readers."""
    shown = text_of(cleo, "/collections/hr")
    assert "2 people read what comes here · 5 documents, 2 with tags of their own" in shown
    assert "managers, not hank; inherits · 2" in shown.replace("  ", " ")
    for path in ("pay/a.md", "pay/tagged.md", "plans/c.md", "top.md", "salaries.md"):
        assert path in shown
    assert "Salary bands" not in shown
    below = text_of(cleo, "/collections/hr?folder=pay&order=changed")
    assert "pay/tagged.md" in below
    assert "top.md" not in below
    assert "No path has that in it." in text_of(cleo, "/collections/hr?contains=nothing")


def test_a_reader_sees_what_they_read_and_no_rules(client: TestClient, hr: Company) -> None:
    ada = signed_in(client, hr, "ada")
    shown = text_of(ada, "/collections/hr")
    assert "Salary bands" in shown
    assert "pay/tagged.md" not in shown
    assert "inherits" not in shown
    check_page(ada.send("GET", "/collections/hr/access"), 403, "NotAllowed")
    check_page(ada.send("GET", "/collections/hr/upload"), 403, "MissingCapability")


def test_what_is_hidden_and_what_is_absent_are_one_page(client: TestClient, hr: Company) -> None:
    """For each page that names a collection, a folder, a document, a job or a plan."""
    hank, salaries = signed_in(client, hr, "hank"), hr.documents["board", "merger.md"]
    pairs = [(f"/collections/{{}}{page}", "board", "none") for page in ("", "/access", "/upload")] + [
        (f"/documents/{{}}/{page}", str(salaries), str(ABSENT)) for page in ("access", "move", "delete")
    ]
    for template, hidden, absent in pairs:
        answers = [hank.send("GET", template.format(name)) for name in (hidden, absent)]
        check_page(answers[0], 404, "NotFound")
        one, other = (re.sub(r'nonce="[^"]*"', "", answer.text) for answer in answers)
        assert one == other, template
    check_page(hank.send("GET", "/collections/hr?folder=none"), 404, "NotFound")


def test_the_access_page_says_what_decides_and_who_reads(client: TestClient, hr: Company, cleo: Browser) -> None:
    shown = text_of(cleo, "/collections/hr/access?folder=pay")
    assert "collection hr hr; confidential" in shown
    assert "folder pay managers, not hank; inherits" in shown
    assert "ada mia" in shown
    tagged = text_of(cleo, f"/documents/{ids(hr)['pay/tagged.md']}/access?user=ada")
    assert "counts no more" in tagged
    assert "this document managers; restricted; inherits nothing" in tagged
    assert "ada may not read it" in tagged
    plain = text_of(cleo, "/collections/hr/access?folder=plans")
    assert "This folder has no rule of its own" in plain


def test_a_grant_is_planned_seen_and_applied(client: TestClient, hr: Company, cleo: Browser) -> None:
    """As a difference with names; applied, it holds; with an end, it stands among what ends."""
    assert seen(client, hr, "mia") == {"pay/a.md", "pay/tagged.md"}
    place = plan(cleo, collection="hr", change="grant", kind="role", name="managers", ends="2090-03-04")
    shown = text_of(cleo, place)
    assert "1 person gains" in shown
    assert "add 'allow role managers until 2090-03-04 00:00 UTC'" in shown.replace("&#39;", "'")
    assert "mia 2" in shown
    assert seen(client, hr, "mia") == {"pay/a.md", "pay/tagged.md"}
    answer = cleo.submit(f"{place}/apply")
    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert seen(client, hr, "mia") == {"top.md", "plans/c.md", "pay/a.md", "pay/tagged.md"}
    assert "managers may read hr until Mar 4, 2090" in re.sub(r"\s+", " ", text_of(cleo, "/grants"))
    grants = cleo.send("GET", "/collections/hr/access").text
    [ending] = re.findall(r'value="([0-9a-f]{32})"><button[^>]*the grant to managers', grants)
    back = plan(cleo, collection="hr", change="revoke", grant=ending)
    assert "1 person loses" in text_of(cleo, back)


def test_label_and_inheritance_of_a_folder_and_its_rule_as_a_whole(
    client: TestClient, hr: Company, cleo: Browser
) -> None:
    """What the form does not name stays: the grants."""
    place = plan(cleo, collection="hr", folder="pay", change="terms", label="confidential")
    assert "1 person loses" in text_of(cleo, place)
    cleo.submit(f"{place}/apply")
    assert "managers, not hank; confidential; inherits nothing" in text_of(cleo, "/collections/hr/access?folder=pay")
    assert seen(client, hr, "ada") == {"top.md", "plans/c.md"}
    cleo.submit(f"{plan(cleo, collection='hr', folder='pay', change='drop')}/apply")
    assert seen(client, hr, "ada") == {"top.md", "plans/c.md", "pay/a.md"}
    check_page(cleo.submit("/plans", collection="hr", change="drop"), 422, "InvalidInput")


def test_a_document_is_tagged_moved_and_deleted(client: TestClient, hr: Company, cleo: Browser) -> None:
    document = str(ids(hr)["top.md"])
    cleo.submit(f"{plan(cleo, document=document, change='grant', kind='user', name='mia')}/apply")
    assert "top.md" in seen(client, hr, "mia")
    foreseen = text_of(cleo, f"/documents/{document}/move?to=pay/top.md")
    assert "1 person may not read it any more hank" in foreseen
    assert "top.md" in seen(client, hr, "hank"), "nothing is moved by looking"
    moved = cleo.submit(f"/documents/{document}/move", to="pay/top.md")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/documents/{document}/access")
    check_page(cleo.send("GET", f"/documents/{document}/move?to=pay/a.md"), 409, "Conflict")
    assert "2 people" in text_of(cleo, f"/documents/{document}/delete")
    gone = cleo.submit(f"/documents/{document}/delete")
    assert (gone.status_code, gone.headers["location"]) == (303, "/collections/hr")
    check_page(cleo.send("GET", f"/documents/{document}/access"), 404, "NotFound")


def test_a_stale_plan_changes_nothing_and_says_what_it_would_do_now(
    client: TestClient, hr: Company, cleo: Browser
) -> None:
    """Beside what it says; and is made again by one button."""
    place = plan(cleo, collection="hr", change="grant", kind="role", name="managers")
    put(client, hr, "later.md")
    work_queued(hr.db)
    answer = cleo.submit(f"{place}/apply")
    assert answer.status_code == 409
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1]))
    assert "Nothing was applied: the plan is stale." in said
    assert "mia 3" in said.split("What it says")[0]
    assert "mia 2" in said.split("What it says")[1]
    assert "later.md" not in seen(client, hr, "mia")
    assert hr.records("plan.applied") == []
    again = cleo.submit(f"{place}/again").headers["location"]
    assert "Withdrawn" in text_of(cleo, place)
    assert cleo.submit(f"{again}/apply").status_code == 303
    assert "later.md" in seen(client, hr, "mia")


def test_who_would_gain_by_their_own_plan_cannot_apply_it(client: TestClient, hr: Company) -> None:
    """No button is shown, and sending it all the same is refused."""
    hank = signed_in(client, hr, "hank")
    place = plan(hank, collection="hr", change="grant", kind="user", name="hank")
    shown = hank.send("GET", place).text
    assert "another administrator has to apply it" in shown
    assert f"{place}/apply" not in shown
    check_page(hank.submit(f"{place}/apply"), 403, "SelfGrant")
    assert hank.submit(f"{place}/withdraw").headers["location"] == "/plans"
    assert "No plan is open." in text_of(hank, "/plans")


def sheet(browser: Browser, listed: str, **tags: Any) -> Any:
    form = {"inherits": "true"} | tags
    files = {"file": ("files", listed.encode())}
    return browser.send(
        "POST", "/collections/hr/upload/preview", headers={**browser.csrf, **PART}, files=files, data=form
    )


def test_an_upload_is_foreseen_on_a_sheet(hr: Company, cleo: Browser) -> None:
    """Who gains, what is refused or not read or replaced, what looks alike; without a token of ours nothing."""
    assert "as the folder says" in text_of(cleo, "/collections/hr/upload?folder=pay")
    answer = sheet(cleo, "9  new.md\n9  pay/a.md\n0  empty.md\n9  x.exe\n9  Pay/b.md\n")
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
    assert "2 people gain some of these 3 files." in said
    assert "ada, hank" in said
    assert "By role: hr 2" in said
    assert "1 file is not sent" in said
    assert "1 file cannot be read, by its name" in said
    assert "1 file replaces a document" in said
    assert "The folder Pay would be new. pay looks like it and is there already." in said
    assert "Upload 4 files" in said
    assert sheet(cleo, "9  a.md\n", roles=["nobody-knows"]).headers["hx-retarget"] == "#notices"
    refused = cleo.send(
        "POST", "/collections/hr/upload/preview", headers={"Sec-Fetch-Site": "same-origin"},
        files={"file": ("f", b"9  a.md")}, data={"inherits": "true"},
    )  # fmt: skip
    assert refused.status_code == 403


def test_a_failed_upload_stays_with_its_reason_and_is_retried(client: TestClient, hr: Company, cleo: Browser) -> None:
    put(client, hr, "broken.md")
    hr.execute(
        "update ingest_job set state = 'failed', reason = 'The file is damaged.', finished_at = now()"
        " where path = 'broken.md'"
    )
    shown = cleo.send("GET", "/jobs?state=failed").text
    assert "The file is damaged." in shown
    [job] = re.findall(r"/jobs/([0-9a-f-]{36})/retry", shown)
    assert cleo.submit(f"/jobs/{job}/retry").status_code == 303
    waiting = cleo.send("GET", "/jobs", headers=PART).text
    assert 'hx-trigger="every 3s"' in waiting
    assert "retried: see the later one" in waiting
    work_queued(hr.db)
    assert 'hx-trigger="every 3s"' not in cleo.send("GET", "/jobs", headers=PART).text
    assert cleo.submit(f"/jobs/{job}/remove").status_code == 303
    assert "The file is damaged." not in cleo.send("GET", "/jobs").text
    hank = signed_in(client, hr, "hank")
    check_page(hank.submit(f"/jobs/{job}/retry"), 404, "NotFound")


def test_what_somebody_can_read_is_for_who_rules(client: TestClient, hr: Company, cleo: Browser) -> None:
    assert "hr 4 documents" in text_of(cleo, "/reach?user=ada")
    check_page(signed_in(client, hr, "ada").send("GET", "/reach"), 403, "MissingCapability")
    check_page(cleo.send("GET", "/reach?user=nobody-knows"), 404, "NotFound")


def test_paths_out_of_uploads_are_redacted_on_every_page(client: TestClient, hr: Company, cleo: Browser) -> None:
    put(client, hr, f"cards {CARD}/{CARD}.md")
    work_queued(hr.db)
    document = next(str(key) for path, key in ids(hr).items() if CARD in path)
    for page in ("/collections/hr", f"/documents/{document}/access", f"/documents/{document}/delete",
                 f"/documents/{document}/move"):  # fmt: skip
        shown = cleo.send("GET", page)
        assert shown.status_code == 200
        assert CARD not in shown.text, page


def test_every_page_of_the_library_speaks_german(cleo: Browser) -> None:
    """Rules too, but for names."""
    german = {"Accept-Language": "de"}
    for page, said in (
        ("/collections", "Sammlungen"),
        ("/collections/hr", "managers, nicht hank; erbt"),
        ("/collections/hr/access", "Was entscheidet"),
        ("/collections/hr/upload", "Wer sie lesen darf"),
        ("/jobs", "Aufträge"),
        ("/plans", "Pläne"),
        ("/grants", "Zugang, der endet"),
        ("/reach", "Was jemand lesen kann"),
    ):
        assert said in cleo.send("GET", page, headers=german).text, page


def test_what_askers_say_is_shown_to_curators_without_who_says_it(
    client: TestClient, hr: Company, cleo: Browser
) -> None:
    """And with the question where its asker wants it; it is text, whatever it is."""
    asked = "How long is <b>parental</b> leave?"
    body = {"question": "How many weeks of parental leave does an employee get?", "mode": "quote"}
    for share in ("", "yes"):
        answer = client.post("/api/v1/ask", json=body, headers=hr.headers("ada")).json()
        ada = signed_in(client, hr, "ada")
        given = {"token": answer["feedback"], "helpful": "no", "asked": asked}
        assert "let the curators see my question" in ada.submit("/feedback", part=True, **given).text
        assert ada.submit("/feedback", part=True, reason="outdated", share=share, **given).status_code == 200
    page = cleo.get("/collections/handbook/feedback").text
    rows = re.findall(r'<div class="row" data-row>.*?</div>', page, re.DOTALL)
    assert ["outdated" in row for row in rows] == [True, True]
    assert ["&lt;b&gt;parental&lt;/b&gt;" in row for row in rows] == [True, False]
    assert "<b>parental" not in page
    assert re.search(r"\bada\b", page) is None
    assert "Nothing was said yet." in cleo.get("/collections/hr/feedback").text
    check_page(ada.get("/collections/handbook/feedback"), 403, "MissingCapability")
    check_page(cleo.get("/collections/nothing/feedback"), 404, "NotFound")
