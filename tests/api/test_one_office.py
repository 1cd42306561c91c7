"""Many people behind one address, as of an office: they come at once, and none of them is taken for a stranger."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from app.identity.api_keys import make_key
from app.settings import ApiSettings, SignInSettings
from app.sign_in.sessions import Browser as SeenBrowser
from app.sign_in.sessions import Proof, start_session
from app.web.console.assets import SCRIPT, STYLE
from tests.support.browsers import SAME_ORIGIN, SESSION, Browser, follow, make_link
from tests.support.company import Company
from tests.support.service import client_of, parts_of, serve, subject_named

PEOPLE = 32
ME = "/api/v1/users/me"
# No request comes back by waiting.
FEW = ApiSettings(stranger_burst=4, stranger_rate_per_minute=1, concurrent=PEOPLE)


@pytest.fixture
def office(company: Company) -> Iterator[TestClient]:
    """The service as people of one office reach it, which few requests of strangers may come from."""
    with client_of(parts_of(company.db, api=FEW)) as client:
        yield client


def test_sessions_that_this_process_has_not_seen_come_in_at_once(company: Company) -> None:
    """After a restart, while somebody of the same address has used up its requests."""
    parts = parts_of(company.db, api=FEW)
    ben = subject_named(parts, "ben").user_id
    secrets = [
        start_session(parts.database, SignInSettings(), ben, Proof("link"), SeenBrowser("127.0.0.1", "")).secret
        for _ in range(PEOPLE)
    ]
    wrong = {"Authorization": f"Bearer {make_key().secret}"}
    with serve(parts) as url, httpx.Client(trust_env=False, timeout=60) as client, ThreadPoolExecutor(PEOPLE) as people:
        codes = [client.get(url + ME, headers=wrong).status_code for _ in range(FEW.stranger_burst + 1)]
        assert codes[-1] == 429
        assert list(people.map(lambda secret: _me(client, url, secret), secrets)) == [200] * PEOPLE
        assert client.get(url + ME, headers=wrong).status_code == 429


def _me(client: httpx.Client, url: str, secret: str) -> int:
    return client.get(url + ME, headers={**SAME_ORIGIN, "Cookie": f"{SESSION}={secret}"}).status_code


def test_who_signs_in_was_no_stranger(office: TestClient, company: Company) -> None:
    for _ in range(3 * FEW.stranger_burst):
        token = make_link(office, company, "ada")
        browser = Browser(office)
        assert browser.get("/sign-in/link", params={"token": token}).status_code == 200
        assert follow(browser, token).status_code == 303
        assert browser.me().json()["name"] == "ada"


def test_who_fails_to_sign_in_remains_one(office: TestClient, company: Company) -> None:
    token = make_link(office, company, "ada")
    assert follow(Browser(office), token).status_code == 303
    codes = [follow(Browser(office), token).status_code for _ in range(FEW.stranger_burst + 1)]
    assert codes == [403] * FEW.stranger_burst + [429]


def test_what_pages_load_is_hardly_counted_but_bounded(office: TestClient) -> None:
    codes = [office.get(file.url).status_code for file in (STYLE, SCRIPT) * 5 * FEW.stranger_burst]
    assert codes == [200] * len(codes)
    assert office.get(STYLE.url).status_code == 429
