"""Going on as somebody else: of the sample company alone, on this machine alone, with the keys of its file alone."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.settings import SampleSettings
from tests.api.problems import check_page
from tests.support.browsers import Browser, signed_in
from tests.support.company import Company
from tests.support.service import client_of, parts_of


@pytest.fixture
def people_file(tmp_path: Path, company: Company) -> Path:
    """As `clearance run` keeps it."""
    file = tmp_path / "people.json"
    file.write_text(json.dumps({name: {"title": "T", "key": company.keys[name]} for name in ("ada", "ben")}))
    return file


@pytest.fixture
def client(company: Company, people_file: Path) -> Iterator[TestClient]:
    parts = parts_of(company.db)
    settings = parts.settings.model_copy(update={"sample": SampleSettings(people_file=people_file)})
    here = dataclasses.replace(parts, settings=settings)
    with client_of(here) as made:
        yield made


def who(browser: Browser) -> str:
    return str(browser.me().json()["name"])


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests come from this machine: the client in process has no address."""
    monkeypatch.setattr("app.web.console.viewer.address_of", lambda _: "127.0.0.1")
    monkeypatch.setattr("app.web.http.session_cookies.address_of", lambda _: "127.0.0.1")


@pytest.mark.usefixtures("at_home")
def test_one_of_the_sample_goes_on_as_another(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    assert "See it as" in ada.send("GET", "/me").text
    before = ada.secret
    assert ada.submit("/sample/person", person="ben").status_code == 303
    assert who(ada) == "ben"
    assert [r["means"] for r in company.records("session.started")][-1] == "sample"
    assert Browser(client, {"clearance": before}).me().status_code == 401, "one session of a browser at a time"


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("person", ["mia", "root", "", "nobody"])
def test_nobody_goes_on_as_who_is_not_in_the_file(client: TestClient, company: Company, person: str) -> None:
    ada = signed_in(client, company, "ada")
    answer = ada.submit("/sample/person", person=person)
    assert answer.status_code in {404, 422}
    assert who(ada) == "ada"


@pytest.mark.usefixtures("at_home")
def test_nobody_else_goes_on_as_one_of_the_sample(client: TestClient, company: Company) -> None:
    mia = signed_in(client, company, "mia")
    assert "See it as" not in mia.send("GET", "/me").text
    check_page(mia.submit("/sample/person", person="ada"), 404, "NotFound")


@pytest.mark.usefixtures("at_home")
def test_a_key_that_is_over_opens_nothing(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    company.execute("update api_key set revoked_at = now() where revoked_at is null")
    check_page(ada.submit("/sample/person", person="ben"), 404, "NotFound")


def test_from_another_machine_nobody_goes_on_as_anybody(client: TestClient, company: Company) -> None:
    ada = signed_in(client, company, "ada")
    assert "See it as" not in ada.send("GET", "/me").text
    check_page(ada.submit("/sample/person", person="ben"), 404, "NotFound")


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("content", [None, "", "[]", '{"ada": 1}', '{"ada": {}, "ben": {}}', "x" * 2_000_000])
def test_a_file_that_is_none_of_the_sample_opens_nothing(
    client: TestClient, company: Company, people_file: Path, content: str | None
) -> None:
    ada = signed_in(client, company, "ada")
    people_file.unlink() if content is None else people_file.write_text(content)
    check_page(ada.submit("/sample/person", person="ben"), 404, "NotFound")


def test_without_the_setting_there_is_no_sample(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with client_of(parts_of(company.db)) as plain:
        monkeypatch.setattr("app.web.console.viewer.address_of", lambda _: "127.0.0.1")
        ada = signed_in(plain, company, "ada")
        assert "See it as" not in ada.send("GET", "/me").text
        check_page(ada.submit("/sample/person", person="ben"), 404, "NotFound")
