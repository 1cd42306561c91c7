"""Asking through the page: whose conversations, collections and running answers one reaches, and what is recorded."""

import re
import uuid
from typing import Any

from fastapi.testclient import TestClient

from app.identity.feedback_tokens import MAX_DOCUMENTS, WHOLE_ANSWER, FeedbackTokens
from tests.api.problems import ABSENT, check_page, error_code
from tests.support.browsers import Browser, signed_in
from tests.support.cluster import IDENTITY_KEY
from tests.support.company import SECRETS, Company

QUESTION = "How many weeks of parental leave does an employee get?"


def begin(browser: Browser, **fields: str) -> str:
    """The id of an answer that was begun."""
    turn = browser.submit("/ask", part=True, **{"question": QUESTION, "mode": "quote", **fields})
    assert turn.status_code == 200, turn.text
    found = re.search(r'id="turn-([0-9a-f-]{36})"', turn.text)
    assert found is not None
    return found[1]


def without_nonce(html: str) -> str:
    return re.sub(r'nonce="[\w-]{22}"', "", html)


def test_an_answer_is_its_askers_alone(client: TestClient, company: Company) -> None:
    """Somebody else's looks like none at all, on each of its three addresses."""
    ada, ben = signed_in(client, company, "ada"), signed_in(client, company, "ben")
    answer = begin(ada)
    for path, method in (("", "GET"), ("/events", "GET"), ("/stop", "POST")):
        hidden, absent = (
            ben.send("GET", f"/answers/{each}{path}") if method == "GET" else ben.submit(f"/answers/{each}{path}")
            for each in (answer, ABSENT)
        )
        check_page(hidden, 404, "NotFound")
        assert without_nonce(hidden.text) == without_nonce(absent.text)
    whole = ada.send("GET", f"/answers/{answer}", headers={"HX-Request": "true"})
    assert "twenty-six weeks" in re.sub(r"<[^>]+>", "", whole.text)


def test_what_is_not_ones_own_or_not_there_cannot_be_asked_in(client: TestClient, company: Company) -> None:
    ada, ben = signed_in(client, company, "ada"), signed_in(client, company, "ben")
    conversation = ada.submit("/ask", question=QUESTION, mode="quote").headers["location"].split("/")[2].split("#")[0]
    for field, hidden, absent in (("conversation", conversation, str(ABSENT)), ("collections", "hr", "zz")):
        asked: list[dict[str, Any]] = [
            {"question": QUESTION, "mode": "quote", field: value} for value in (hidden, absent)
        ]
        answers = [ben.submit("/ask", **fields) for fields in asked]
        check_page(answers[0], 404, "NotFound")
        assert without_nonce(answers[0].text) == without_nonce(answers[1].text)


def test_chosen_collections_bound_what_an_answer_is_made_from(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    page = ada.submit("/ask", question="What is the salary band of level five?", mode="quote", collections="handbook")
    assert page.status_code == 303
    assert not [word for word in SECRETS if word in ada.send("GET", page.headers["location"]).text]


def test_each_answer_is_opened_and_closed_in_the_log(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    answers = [begin(ada) for _ in range(2)]
    for answer in answers:
        ada.send("GET", f"/answers/{answer}", headers={"HX-Request": "true"})
    for kind in ("answer.opened", "answer.closed"):  # both are made at once: either may be the first
        assert sorted(record["trail"] for record in company.records(kind)) == sorted(answers)


def test_a_thumb_is_kept_once_it_is_ones_own(client: TestClient, company: Company) -> None:
    ada, ben = signed_in(client, company, "ada"), signed_in(client, company, "ben")
    answer = begin(ada)
    html = ada.send("GET", f"/answers/{answer}", headers={"HX-Request": "true"}).text
    token = re.findall(r'name="token" value="([^"]+)"', html)[0]
    check_page(ben.submit("/feedback", token=token, helpful="yes"), 404, "NotFound")
    kept = ada.submit("/feedback", part=True, token=token, helpful="no")
    assert (kept.status_code, error_code(kept)) == (200, None)
    assert [record["helpful"] for record in company.records("answer.feedback")] == [False]
    [said] = company.records("answer.feedback")
    assert (uuid.UUID(said["trail"]), said["block"]) == (uuid.UUID(answer), WHOLE_ANSWER)


def test_an_answer_that_a_model_wrote_has_a_thumb_too(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    answer = begin(ada, mode="generate")
    html = ada.send("GET", f"/answers/{answer}", headers={"HX-Request": "true"}).text
    [token, *_] = re.findall(r'name="token" value="([^"]+)"', html)
    assert ada.submit("/feedback", part=True, token=token, helpful="yes").status_code == 200
    # As long as a token can be: of an answer made from as many documents as it names.
    longest = FeedbackTokens(bytes.fromhex(IDENTITY_KEY)).issue(
        uuid.UUID(ada.me().json()["id"]), uuid.UUID(answer), WHOLE_ANSWER, [uuid.uuid4() for _ in range(MAX_DOCUMENTS)]
    )
    assert ada.submit("/feedback", part=True, token=longest, helpful="no").status_code == 200
