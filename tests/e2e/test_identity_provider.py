"""Two real identity providers (Canaille) and the whole way between them, a browser and the service.

What no other test holds: the forms, redirects, tokens and keys of a provider that somebody else wrote.
"""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from lxml import html  # type: ignore[import-untyped]  # ships no types

from app.oidc import provider as oidc_provider
from tests.support.browsers import Browser
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, administering, found
from tests.support.identity_provider import API, CLIENT, IdentityProvider, identity_provider
from tests.support.service import client_of, parts_of
from tests.support.token_issuer import TokenIssuer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IdentityProvider, IdentityProvider]]:
    folder = tmp_path_factory.mktemp("idp")
    with identity_provider(folder / "one", "corp") as one, identity_provider(folder / "two", "partner") as two:
        one.person("zoe", full_name="Zoë Tamm")
        one.person("max")
        one.group("engineering", "zoe", "max")
        two.person("zoe", full_name="Another Zoë")
        yield one, two


@pytest.fixture
def company(cluster: Cluster) -> Iterator[Company]:
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


@pytest.fixture
def client(company: Company, providers: tuple[IdentityProvider, IdentityProvider]) -> Iterator[TestClient]:
    made = [providers[0].provider(audience=API, access_token_type="jwt"), providers[1].provider()]
    with client_of(parts_of(company.db, providers=made)) as client:
        send = administering(client, company)
        for source in ("corp", "partner"):
            send("POST", "/users", {"name": f"{source}-sign-in", "kind": "service", "provisions": source})
        role = {"name": "engineering", "source": "corp", "external_id": "engineering", "inside": ["hr"]}
        send("POST", "/roles", role)
        yield client


def sign_in(client: TestClient, provider: IdentityProvider, name: str, http: httpx2.Client | None = None) -> Browser:
    """A browser in which this person has signed in."""
    browser = Browser(client)
    away = browser.get(f"/sign-in/{provider.source}")
    back = provider.sign_in(away.headers["location"], name, http)
    answer = browser.get(f"/sign-in/{provider.source}/callback", params=back)
    assert answer.status_code == 303, answer.text
    return browser


def me(browser: Browser) -> dict[str, Any]:
    answer = browser.get("/api/v1/users/me")
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def reads_salaries(browser: Browser) -> bool:
    answer = browser.send("POST", "/api/v1/search", json={"query": "salary band of level five"})
    return "salaries.md" in [hit["path"] for hit in answer.json()["hits"]]


def test_two_providers_roles_and_a_group_that_is_taken_away(
    client: TestClient, company: Company, providers: tuple[IdentityProvider, IdentityProvider]
) -> None:
    one, two = providers
    send = administering(client, company)
    here, there = sign_in(client, one, "zoe"), sign_in(client, two, "zoe")
    assert me(here)["display_name"] == "Zoë Tamm"
    assert me(there)["display_name"] == "Another Zoë"
    assert me(here)["id"] != me(there)["id"]
    assert (me(here)["roles"], me(there)["roles"]) == (["corp:engineering"], [])
    send("PATCH", f"/users/{me(here)['name']}", {"clearance": "confidential"})
    send("PATCH", f"/users/{me(there)['name']}", {"clearance": "confidential"})
    assert (reads_salaries(here), reads_salaries(there)) == (True, False)
    # The group loses her; from her next sign-in on no browser of hers sees what it gave.
    one.group("engineering", "max")
    again = sign_in(client, one, "zoe")
    late = [reads_salaries(browser) for _ in range(10) for browser in (here, again)]
    assert sum(late) == 0
    one.group("engineering", "zoe", "max")
    assert reads_salaries(sign_in(client, one, "zoe"))
    assert reads_salaries(here), "it is one person, whatever browser she uses"


def test_the_provider_has_a_new_key(
    client: TestClient, providers: tuple[IdentityProvider, IdentityProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = providers[0]
    sign_in(client, one, "max")
    # Keys are asked for once a minute at most: the minute is over.
    monkeypatch.setattr(oidc_provider, "KEYS_SECONDS", 0)
    old = one.keys[0]
    one.rotate()
    browser = sign_in(client, one, "max")
    assert me(browser)["name"] == "corp:max"
    forged = TokenIssuer(issuer=one.issuer, keys=[old])
    token = forged.access_token(one.people["max"], aud=API)
    answer = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401, "what the provider publishes no more signs nothing"


def test_an_access_token_by_the_providers_key(
    client: TestClient, providers: tuple[IdentityProvider, IdentityProvider]
) -> None:
    """Canaille's own access tokens do not say whose they are, and are refused; one that does passes by its keys."""
    one = providers[0]
    browser = sign_in(client, one, "max")
    own = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {one.access_token('max')}"})
    assert own.status_code == 401
    token = TokenIssuer(issuer=one.issuer, keys=list(one.keys)).access_token(one.people["max"], aud=API)
    answer = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["id"] == me(browser)["id"]


def test_signed_out_both_ways(
    client: TestClient, company: Company, providers: tuple[IdentityProvider, IdentityProvider]
) -> None:
    one = providers[0]
    with httpx2.Client(trust_env=False, timeout=30) as at_provider:
        browser = sign_in(client, one, "zoe", at_provider)
        # Out here, and on to the provider, which knows us and sends the browser back.
        page = browser.post("/sign-out", data={"csrf": browser.form_token})
        [link] = html.fromstring(page.text).xpath("//main//a/@href")
        assert link.startswith(f"{one.issuer}/oauth/end_session")
        back = at_provider.get(link)
        assert back.headers["location"] == "http://localhost:8700/sign-in"
        # It asks for the name again.
        away = Browser(client).get("/sign-in/corp").headers["location"]
        asked = at_provider.get(away, follow_redirects=True)
        assert "login" in {name for form in html.fromstring(asked.text).forms for name in form.fields}
    # Signed out there: the provider tells us, signed with its key.
    browser = sign_in(client, one, "zoe")
    now = int(time.time())
    event: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    claims = {"iss": one.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "jti": "j", "events": event}
    signer = TokenIssuer(issuer=one.issuer, keys=list(one.keys))
    token = signer.sign({**claims, "sub": one.people["zoe"]}, header={"typ": "logout+jwt"})
    answer = client.post("/sign-in/corp/back-channel-logout", data={"logout_token": token})
    assert answer.status_code == 200
    assert browser.get("/api/v1/users/me").status_code == 401
    causes = [record["cause"] for record in company.records("session.ended")]
    assert causes == ["signed out", "signed out at the provider"]


def test_nothing_secret_is_in_the_log(
    client: TestClient, company: Company, providers: tuple[IdentityProvider, IdentityProvider]
) -> None:
    browser = sign_in(client, providers[0], "zoe")
    rows = company.rows("select body from audit_leaf")
    text = json.dumps([row["body"] for row in rows])
    assert browser.session is not None
    for secret in (browser.session, browser.session[len("cls_12345678_") :], "client-secret", "eyJ"):
        assert secret not in text
    assert base64.b64encode(b"client-secret").decode() not in text
