"""Signing in with a provider, over one of the tests' own that also answers dishonestly. Each attack has a name."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from app.oidc.provider import KEYS_SECONDS
from tests.support.browsers import Browser
from tests.support.company import Company, administering
from tests.support.service import app_of, client_of, parts_of
from tests.support.token_issuer import TokenIssuer, rsa_key

OPEN = {"create_people": True, "groups_claim": "groups"}


@dataclass
class Site:
    """The service with a provider, and short ways to sign in."""

    company: Company
    client: TestClient
    okta: TokenIssuer
    others: dict[str, TokenIssuer]

    def browser(self) -> Browser:
        return Browser(self.client)

    def sign_in(self, browser: Browser, subject: str, *, source: str = "okta", path: str = "", **claims: Any) -> Any:
        """The whole way; the answer to the last step."""
        issuer = self.okta if source == "okta" else self.others[source]
        location = browser.get(f"/sign-in/{source}{path}").headers["location"]
        return browser.get(f"/sign-in/{source}/callback", params=issuer.code_for(location, subject, **claims))

    def me(self, browser: Browser) -> dict[str, Any]:
        """Who the browser is to the API."""
        answer = browser.get("/api/v1/users/me")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        return administering(self.client, self.company)(method, path, body)

    def reasons(self) -> list[str]:
        """Why sign-ins were refused, as the log has it."""
        return [record["reason"] for record in self.company.records("signin.refused")]


@contextlib.contextmanager
def site_of(company: Company, okta: TokenIssuer, *others: TokenIssuer, **settings: Any) -> Iterator[Site]:
    providers = [issuer.provider(**{**OPEN, **settings}) for issuer in (okta, *others)]
    with client_of(parts_of(company.db, providers=providers)) as client:
        yield Site(company, client, okta, {issuer.source: issuer for issuer in others})


def keeper(site: Site, source: str = "okta") -> None:
    """Let this source keep its own people."""
    site.admin("POST", "/users", {"name": f"{source}-sign-in", "kind": "service", "provisions": source})


def role(site: Site, name: str, group: str, *inside: str) -> None:
    site.admin("POST", "/roles", {"name": name, "source": "okta", "external_id": group, "inside": list(inside)})


@pytest.fixture
def site(company: Company) -> Iterator[Site]:
    with site_of(company, TokenIssuer()) as made:
        keeper(made)
        yield made


def test_the_first_sign_in_makes_the_person_and_their_groups_are_roles(site: Site) -> None:
    role(site, "engineering", "g-eng", "hr")
    browser = site.browser()
    back = site.sign_in(browser, "s-1", groups=["g-eng", "g-unknown"], preferred_username="Zoë.Tamm", name="Zoë Tamm")
    assert (back.status_code, back.headers["location"]) == (303, "/")
    me = site.me(browser)
    assert (me["name"], me["display_name"], me["source"]) == ("okta:zoe.tamm", "Zoë Tamm", "okta")
    assert me["roles"] == ["okta:engineering"]
    assert (me["clearance"], me["capabilities"]) == ("internal", ["ask"])
    assert "okta:engineering" in browser.get("/me").text
    [started] = site.company.records("session.started")
    assert (started["means"], started["source"], started["roles"]) == ("provider", "okta", "known")
    assert started["actor"]["user"] == started["user"] == me["id"]
    [joined] = [r for r in site.company.records("role.joined") if r["user"] == me["id"]]
    assert joined["actor"]["name"] == "okta-sign-in"


def test_policy_says_whether_a_first_sign_in_makes_anybody(company: Company) -> None:
    with site_of(company, TokenIssuer(), create_people=False) as site:
        keeper(site)
        browser = site.browser()
        assert site.sign_in(browser, "s-1").status_code == 403
        assert browser.session is None
        # One who was set up before comes in.
        site.admin("POST", "/users", {"name": "zoe", "source": "okta", "external_id": "s-2"})
        assert site.sign_in(browser, "s-2").status_code == 303
        assert site.me(browser)["name"] == "okta:zoe"
        assert site.sign_in(browser, "zoe").status_code == 403, "a name is no external id"


def test_another_issuer_for_the_same_source_takes_nobody_over(company: Company) -> None:
    """Somebody who signed in at one issuer is not whom another one calls the same, though the settings say so."""
    with site_of(company, TokenIssuer(), create_people=False) as site:
        keeper(site)
        site.admin("POST", "/users", {"name": "zoe", "source": "okta", "external_id": "s-2"})
        assert site.sign_in(site.browser(), "s-2").status_code == 303
    with site_of(company, TokenIssuer(issuer="https://moved.example"), create_people=False) as moved:
        assert moved.sign_in(moved.browser(), "s-2").status_code == 403


def test_who_is_gone_from_the_source_does_not_come_back_by_signing_in(site: Site) -> None:
    """Whoever is removed is nobody, though the provider still vouches for them; who is sent anew is somebody new."""
    browser = site.browser()
    site.sign_in(browser, "s-1", preferred_username="zoe")
    before = site.me(browser)["id"]
    key = site.admin("POST", "/keys", {"user": "okta-sign-in", "capabilities": ["provision"]})["secret"]
    headers = {"Authorization": f"Bearer {key}"}
    assert site.client.delete(f"/scim/v2/Users/{before}", headers=headers).status_code == 204
    assert browser.get("/api/v1/users/me").status_code == 401
    assert site.sign_in(browser, "s-1").status_code == 403
    assert bearer(site, site.okta.access_token("s-1")).status_code == 401
    anew = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "zoe", "externalId": "s-1"}
    assert site.client.post("/scim/v2/Users", headers=headers, json=anew).status_code == 201
    assert site.sign_in(browser, "s-1").status_code == 303
    assert site.me(browser)["id"] != before


def test_without_a_service_that_keeps_the_source_nobody_is_made(company: Company) -> None:
    with site_of(company, TokenIssuer()) as site:
        told = site.sign_in(site.browser(), "s-1")
        assert told.status_code == 403
        assert "add-service okta-sign-in --provisions okta" in told.text


def test_who_is_switched_off_does_not_come_in(site: Site) -> None:
    browser = site.browser()
    site.sign_in(browser, "s-1", preferred_username="zoe")
    site.admin("PATCH", "/users/okta:zoe", {"active": False})
    assert browser.get("/api/v1/users/me").status_code == 401
    assert site.sign_in(browser, "s-1").status_code == 403
    site.admin("PATCH", "/users/okta:zoe", {"active": True})
    assert browser.get("/api/v1/users/me").status_code == 401, "what was ended stays ended"
    assert site.sign_in(browser, "s-1").status_code == 303


def test_a_group_that_is_gone_takes_its_role_at_the_next_sign_in(site: Site) -> None:
    role(site, "engineering", "g-eng")
    first, second = site.browser(), site.browser()
    site.sign_in(first, "s-1", groups=["g-eng"])
    assert site.me(first)["roles"] == ["okta:engineering"]
    site.sign_in(second, "s-1", groups=[])
    assert site.me(first)["roles"] == site.me(second)["roles"] == []


@pytest.mark.parametrize(
    "claims",
    [{}, {"groups": None, "_claim_names": {"groups": "src1"}}, {"groups": ["g-eng"], "hasgroups": True}, {"groups": 7}],
    ids=["missing", "overage", "overage beside a list", "of another shape"],
)
def test_a_claim_that_does_not_say_gives_no_role(site: Site, claims: dict[str, Any]) -> None:
    """Unknown is neither "as before" nor "all": no role of the source, and a page that says so."""
    role(site, "engineering", "g-eng")
    browser = site.browser()
    site.sign_in(browser, "s-1", groups=["g-eng"])
    back = site.sign_in(browser, "s-1", **claims)
    assert back.headers["location"] == "/me?notice=groups"
    assert "did not say which groups" in browser.get(back.headers["location"]).text
    assert site.me(browser)["roles"] == []
    assert site.company.records("session.started")[-1]["roles"] == "unknown"


def test_roles_of_a_claim_end_by_themselves(site: Site) -> None:
    """Past the bound they count as absent: in what is shown, in search, in the database, and for the past."""
    role(site, "engineering", "g-eng", "hr")
    browser = site.browser()
    site.sign_in(browser, "s-1", groups=["g-eng"], preferred_username="zoe")
    site.admin("PATCH", "/users/okta:zoe", {"clearance": "confidential"})

    def found() -> list[str]:
        answer = browser.send("POST", "/api/v1/search", json={"query": "salary band"})
        return [hit["path"] for hit in answer.json()["hits"]]

    assert "salaries.md" in found()
    site.company.execute("update membership set ends_at = now() - interval '1 second' where ends_at is not null")
    assert "salaries.md" not in found()
    assert site.me(browser)["roles"] == []
    site.sign_in(browser, "s-1", groups=["g-eng"])
    assert "salaries.md" in found()


def test_a_role_that_was_given_directly_is_not_the_claims_to_take(site: Site) -> None:
    role(site, "engineering", "g-eng")
    browser = site.browser()
    site.sign_in(browser, "s-1", groups=["g-eng"], preferred_username="zoe")
    site.admin("PUT", "/roles/hr/members/okta:zoe")
    site.admin("PUT", "/roles/okta:engineering/members/okta:zoe")
    site.sign_in(browser, "s-1", groups=[])
    assert site.me(browser)["roles"] == ["okta:engineering", "hr"]


def test_state_is_good_once(site: Site) -> None:
    browser = site.browser()
    location = browser.get("/sign-in/okta").headers["location"]
    first, second = site.okta.code_for(location, "s-1"), site.okta.code_for(location, "s-1")
    kept = dict(browser.cookies)
    assert browser.get("/sign-in/okta/callback", params=first).status_code == 303
    browser.cookies.update(kept)
    assert browser.get("/sign-in/okta/callback", params=second).status_code == 403


def test_a_code_is_good_once(site: Site) -> None:
    browser = site.browser()
    used = site.okta.code_for(browser.get("/sign-in/okta").headers["location"], "s-1")
    browser.get("/sign-in/okta/callback", params=used)
    other = site.browser()
    again = dict(parse_qsl(urlsplit(other.get("/sign-in/okta").headers["location"]).query))
    told = other.get("/sign-in/okta/callback", params={**used, "state": again["state"]})
    assert (told.status_code, other.session) == (403, None)
    assert "sign-in at okta: the provider refuses the code" in site.reasons()


def test_an_answer_belongs_to_the_browser_that_asked(site: Site) -> None:
    """Somebody hands their own callback address to another: nobody is signed in as somebody else (login CSRF)."""
    mallory, victim = site.browser(), site.browser()
    answer = site.okta.code_for(mallory.get("/sign-in/okta").headers["location"], "s-mallory")
    told = victim.get("/sign-in/okta/callback", params=answer)
    assert (told.status_code, victim.session) == (403, None)
    victim.get("/sign-in/okta")
    assert victim.get("/sign-in/okta/callback", params=answer).status_code == 403


@pytest.mark.parametrize("state", ["", "x", "' or 1=1 --", "%00", "é"])
def test_an_unknown_state_is_refused(site: Site, state: str) -> None:
    browser = site.browser()
    browser.get("/sign-in/okta")
    assert browser.get("/sign-in/okta/callback", params={"code": "x", "state": state}).status_code == 403


def test_a_nonce_of_another_sign_in_is_refused(site: Site) -> None:
    browser = site.browser()
    assert site.sign_in(browser, "s-1", nonce="of another one").status_code == 403
    assert "sign-in at okta: it answers another sign-in" in site.reasons()


def test_mix_up_of_two_providers(company: Company) -> None:
    """A browser that was sent to one comes back as if from the other, with the other's code."""
    evil = TokenIssuer("evil", "https://evil.example")
    with site_of(company, TokenIssuer(), evil) as site:
        keeper(site)
        keeper(site, "evil")
        okta = site.okta
        attacks: dict[str, tuple[str, Callable[[str], dict[str, str]]]] = {
            "okta's code at the other's address": ("evil", lambda to: okta.code_for(to, "s-1")),
            "the other answers in okta's place": ("evil", lambda to: evil.code_for(to, "s-1")),
            "the other's code at okta's address": ("okta", lambda to: evil.code_for(to, "s-1")),
            "okta's code, said to be the other's": (
                "okta",
                lambda to: {**okta.code_for(to, "s-1"), "iss": evil.issuer},
            ),
            "nobody says whose": ("okta", lambda to: {k: v for k, v in okta.code_for(to, "s-1").items() if k != "iss"}),
        }
        for what, (source, answer) in attacks.items():
            browser = site.browser()
            location = browser.get("/sign-in/okta").headers["location"]
            told = browser.get(f"/sign-in/{source}/callback", params=answer(location))
            assert (told.status_code, browser.session) == (403, None), what
        # The same `sub` at both is two people.
        here, there = site.browser(), site.browser()
        site.sign_in(here, "s-1", preferred_username="zoe")
        site.sign_in(there, "s-1", source="evil", preferred_username="zoe")
        assert site.me(here)["id"] != site.me(there)["id"]
        assert {site.me(here)["name"], site.me(there)["name"]} == {"okta:zoe", "evil:zoe"}


def test_a_token_of_another_issuer_at_the_right_endpoint(site: Site) -> None:
    assert site.sign_in(site.browser(), "s-1", iss="https://evil.example").status_code == 403
    assert site.sign_in(site.browser(), "s-1", aud="another").status_code == 403


def test_an_e_mail_that_somebody_else_has_now(site: Site) -> None:
    """Identity is issuer and subject: whoever gets the address of one who left is somebody new."""
    role(site, "engineering", "g-eng")
    old, new = site.browser(), site.browser()
    mail: dict[str, Any] = {
        "preferred_username": "max@corp.example",
        "email": "max@corp.example",
        "email_verified": True,
    }
    site.sign_in(old, "s-old", groups=["g-eng"], **mail)
    site.sign_in(new, "s-new", groups=[], **mail)
    assert site.me(old)["id"] != site.me(new)["id"]
    assert (site.me(old)["name"], site.me(new)["name"]) == ("okta:max@corp.example", "okta:max@corp.example-2")
    assert site.me(new)["roles"] == []
    # Nor is anybody of ours taken over who has that name.
    site.sign_in(new, "s-3", preferred_username="ada", email="ada@corp.example")
    assert site.me(new)["name"] == "okta:ada"
    ada = site.company.rows("select id from app_user where name = 'ada' and source = 'local'")[0]["id"]
    assert uuid.UUID(site.me(new)["id"]) != ada


def test_a_role_and_a_group_with_a_new_name(site: Site) -> None:
    """The group's id counts: a group that takes over a name, or a role that was named like one, gives nothing."""
    role(site, "engineering", "g-eng")
    browser = site.browser()
    site.sign_in(browser, "s-1", groups=["engineering", "okta:engineering", "hr", "local:hr", "everyone"])
    assert site.me(browser)["roles"] == []


def test_a_new_secret_at_each_sign_in(site: Site) -> None:
    """Session fixation: what a browser brings along signs nobody in, and is over when somebody signs in."""
    mallory, victim = site.browser(), site.browser()
    site.sign_in(mallory, "s-mallory", preferred_username="mallory")
    victim.cookies["clearance"] = mallory.session or ""
    site.sign_in(victim, "s-victim", preferred_username="victim")
    assert victim.session != mallory.session
    assert (site.me(victim)["name"], site.me(mallory)["name"]) == ("okta:victim", "okta:mallory")
    before = victim.session
    site.sign_in(victim, "s-victim")
    old = site.browser()
    old.cookies["clearance"] = before or ""
    assert old.get("/api/v1/users/me").status_code == 401
    assert site.company.records("session.ended")[-1]["cause"] == "replaced"


def test_asked_again_means_asked_again(site: Site) -> None:
    """Step-up: the provider has to say that it asked just now, and the session gets a new secret."""
    browser = site.browser()
    location = browser.get("/sign-in/okta?again=true").headers["location"]
    query = dict(parse_qsl(urlsplit(location).query))
    assert (query["prompt"], query["max_age"]) == ("login", "0")
    for stale in (1, None):
        answer = site.okta.code_for(location, "s-1", auth_time=stale)
        assert browser.get("/sign-in/okta/callback", params=answer).status_code == 403
        location = browser.get("/sign-in/okta?again=true").headers["location"]
    assert browser.get("/sign-in/okta/callback", params=site.okta.code_for(location, "s-1")).status_code == 303


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "/\t/evil.example",
     "\\\\evil.example", "/a\r\nSet-Cookie: x=y"],
)  # fmt: skip
def test_no_open_redirect(site: Site, to: str) -> None:
    browser = site.browser()
    location = browser.get("/sign-in/okta", params={"return_to": to}).headers["location"]
    back = browser.get("/sign-in/okta/callback", params=site.okta.code_for(location, "s-1", groups=[]))
    assert back.headers["location"] == "/"
    query = dict(parse_qsl(urlsplit(location).query))
    assert query["redirect_uri"] == "http://localhost:8700/sign-in/okta/callback"


def test_on_to_where_one_was_going(site: Site) -> None:
    browser = site.browser()
    location = browser.get("/sign-in/okta", params={"return_to": "/?notice=x"}).headers["location"]
    back = browser.get("/sign-in/okta/callback", params=site.okta.code_for(location, "s-1", groups=[]))
    assert back.headers["location"] == "/?notice=x"


def test_keys_are_fetched_again_for_a_new_name_and_at_a_bounded_rate(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotation is followed at once; a flood of invented names costs the provider one request a minute."""
    browser = site.browser()
    site.sign_in(browser, "s-1")
    clock = [1_000.0]
    monkeypatch.setattr("app.oidc.provider.time.monotonic", lambda: clock[0] + 1e6)
    site.okta.keys = [rsa_key("new")]
    assert site.sign_in(site.browser(), "s-1").status_code == 303
    before = site.okta.requests.count("/jwks")
    for number in range(50):
        token = site.okta.sign(site.okta.access_claims("s-1"), header={"typ": "at+jwt", "kid": f"invented-{number}"})
        answer = site.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
    assert site.okta.requests.count("/jwks") == before
    clock[0] += KEYS_SECONDS + 1
    for number in range(50):
        token = site.okta.sign(site.okta.access_claims("s-1"), header={"typ": "at+jwt", "kid": f"more-{number}"})
        site.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert site.okta.requests.count("/jwks") == before + 1
    # The last good keys stay where the provider is down.
    site.okta.down = True
    clock[0] += KEYS_SECONDS + 1
    good = {"Authorization": f"Bearer {site.okta.access_token('s-1')}"}
    assert site.client.get("/api/v1/users/me", headers=good).status_code == 200


def test_a_provider_that_is_down_is_said_to_be_down(company: Company) -> None:
    okta = TokenIssuer(down=True)
    with site_of(company, okta) as site:
        told = site.browser().get("/sign-in/okta")
        assert told.status_code == 503
        assert "does not answer" in told.text
        assert site.browser().get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    "document",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://okta.example/token"}, {"jwks_uri": None}],
    ids=["another issuer", "plain http", "no keys"],
)
def test_a_discovery_document_that_cannot_be_believed(company: Company, document: dict[str, Any]) -> None:
    with site_of(company, TokenIssuer(discovery=document)) as site:
        assert site.browser().get("/sign-in/okta").status_code == 503


def bearer(site: Site, token: str) -> Any:
    return site.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})


def test_an_access_token_is_the_person_who_may_ask(site: Site) -> None:
    site.sign_in(site.browser(), "s-1", preferred_username="zoe")
    site.admin("PATCH", "/users/okta:zoe", {"capabilities": ["ask", "curate", "administer"]})
    token = site.okta.access_token("s-1")
    assert bearer(site, token).json()["name"] == "okta:zoe"
    headers = {"Authorization": f"Bearer {token}"}
    assert site.client.post("/api/v1/search", headers=headers, json={"query": "leave"}).status_code == 200
    # It is made for a client that asks: it administers nothing, and makes nothing that outlives it.
    assert site.client.get("/api/v1/users", headers=headers).status_code == 403
    assert (
        site.client.post("/api/v1/keys", headers=headers, json={"expires_at": "2027-01-01T00:00:00Z"}).status_code
        == 403
    )
    delegation = {"service": "okta-sign-in", "expires_in": 60}
    assert site.client.post("/api/v1/delegations", headers=headers, json=delegation).status_code == 403


def test_access_tokens_that_are_refused(site: Site) -> None:
    """The same 401 for each, and the log says why."""
    site.sign_in(site.browser(), "s-1", preferred_username="zoe")
    okta, stranger = site.okta, TokenIssuer(issuer="https://evil.example")
    tokens = {
        "nobody here trusts its issuer": stranger.access_token("s-1"),
        "it was made for somebody else": okta.access_token("s-1", aud="another"),
        "it has expired": okta.access_token("s-1", exp=1),
        "it is a token of another kind": okta.sign(okta.claims("s-1", nonce="n")),
        "no key of the provider has signed it": okta.sign(
            okta.access_claims("s-1"), key=rsa_key("one"), header={"typ": "at+jwt"}
        ),
        "nobody here, or somebody who left": okta.access_token("s-unknown"),
    }
    bodies = {bearer(site, token).content for token in tokens.values()}
    assert len(bodies) == 1
    assert bearer(site, okta.access_token("s-unknown")).status_code == 401
    for reason in tokens:
        assert any(reason in each for each in site.reasons()), reason


@pytest.mark.parametrize("literal", ["{{LIBRECHAT_OPENID_ACCESS_TOKEN}}", "{{ token }}", "${TOKEN}"])
def test_a_placeholder_that_a_client_did_not_fill_in(site: Site, literal: str) -> None:
    assert bearer(site, literal).status_code == 401
    assert "a placeholder that the client did not fill in" in site.reasons()


def test_tokens_from_before_somebody_left_are_dead(site: Site) -> None:
    browser = site.browser()
    site.sign_in(browser, "s-1", preferred_username="zoe")
    token = site.okta.access_token("s-1")
    assert bearer(site, token).status_code == 200
    site.admin("PATCH", "/users/okta:zoe", {"active": False})
    assert bearer(site, token).status_code == 401
    site.admin("PATCH", "/users/okta:zoe", {"active": True})
    assert bearer(site, token).status_code == 401, "switched on again, and the old token is dead"
    later = site.okta.access_token("s-1", iat=int(time.time()) + 5)
    assert bearer(site, later).status_code == 200


def test_where_clients_learn_whose_tokens_are_taken(site: Site, company: Company) -> None:
    """RFC 9728, and nothing of it where no provider's tokens are taken."""
    refused = site.client.get("/api/v1/users/me")
    assert refused.status_code == 401
    where = "http://localhost:8700/.well-known/oauth-protected-resource"
    assert refused.headers["www-authenticate"] == f'Bearer resource_metadata="{where}"'
    document = site.client.get("/.well-known/oauth-protected-resource").json()
    assert document["authorization_servers"] == [site.okta.issuer]
    assert document["resource"] == "http://localhost:8700"
    with site_of(company, TokenIssuer(), audience="") as without:
        assert without.client.get("/.well-known/oauth-protected-resource").status_code == 404
        assert without.client.get("/api/v1/users/me").headers["www-authenticate"] == "Bearer"


def logout(site: Site, **claims: Any) -> Any:
    event: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    token = site.okta.sign(
        site.okta.claims("s-1", **{"events": event, "jti": uuid.uuid4().hex, **claims}), header={"typ": "logout+jwt"}
    )
    return site.client.post("/sign-in/okta/back-channel-logout", data={"logout_token": token}), token


def test_signed_out_at_the_provider(site: Site) -> None:
    """Back-channel logout: by session, by person, once, and for nobody else."""
    one, two, other = site.browser(), site.browser(), site.browser()
    site.sign_in(one, "s-1", sid="a", preferred_username="zoe")
    site.sign_in(two, "s-1", sid="b")
    site.sign_in(other, "s-2", sid="c", preferred_username="max")
    answer, token = logout(site, sub=None, sid="a")
    assert answer.status_code == 200
    assert [b.get("/api/v1/users/me").status_code for b in (one, two, other)] == [401, 200, 200]
    again = site.client.post("/sign-in/okta/back-channel-logout", data={"logout_token": token})
    assert again.status_code == 400
    assert any("taken before" in reason for reason in site.reasons())
    assert logout(site, sid="c")[0].status_code == 200, "a sid of another person, with this sub, means nobody"
    assert other.get("/api/v1/users/me").status_code == 200
    logout(site)
    assert [b.get("/api/v1/users/me").status_code for b in (one, two, other)] == [401, 401, 200]
    assert {r["cause"] for r in site.company.records("session.ended")} == {"signed out at the provider"}


def test_signing_out_goes_on_to_the_provider(site: Site) -> None:
    browser = site.browser()
    site.sign_in(browser, "s-1", preferred_username="zoe")
    secret = browser.session
    page = browser.post("/sign-out", data={"csrf": browser.form_token})
    assert page.status_code == 200
    assert f"{site.okta.issuer}/logout?client_id=clearance" in page.text
    assert browser.session is None
    browser.cookies["clearance"] = secret or ""
    assert browser.get("/api/v1/users/me").status_code == 401
    assert site.company.rows("select id_token from sign_in_session")[0]["id_token"] is None


def test_sign_out_from_another_site_is_refused(site: Site) -> None:
    browser = site.browser()
    site.sign_in(browser, "s-1")
    for headers, csrf in (
        ({"Sec-Fetch-Site": "cross-site"}, browser.form_token),
        ({"Sec-Fetch-Site": "same-site"}, browser.form_token),
        ({"Sec-Fetch-Site": "same-origin"}, "wrong"),
    ):
        assert browser.post("/sign-out", headers=headers, data={"csrf": csrf}).status_code == 403
    assert site.me(browser)


def test_strangers_who_begin_sign_ins_are_limited_and_leave_nothing_for_long(site: Site) -> None:
    for _ in range(5):
        site.browser().get("/sign-in/okta")
    assert site.company.rows("select count(*) from sign_in_attempt")[0]["count"] == 5
    site.company.execute("update sign_in_attempt set expires_at = now() - interval '1 second'")
    site.browser().get("/sign-in/okta")
    assert site.company.rows("select count(*) from sign_in_attempt")[0]["count"] == 1
    assert app_of(site.client).state.cookies.session == "clearance"


def test_a_group_is_mapped_as_foreseen(site: Site) -> None:
    """What a mapping would give to whom is shown before it is made, out of the claims that people signed in with."""
    zoe, max_ = site.browser(), site.browser()
    site.sign_in(zoe, "s-1", groups=["g-fin", "g-all"], preferred_username="zoe")
    site.sign_in(max_, "s-2", groups=["g-all"], preferred_username="max")
    site.admin("PATCH", "/users/okta:zoe", {"clearance": "confidential"})
    role(site, "finance", "g-old", "hr")
    seen = site.admin("GET", "/roles/claimed-groups")
    assert [(g["group"], g["role"], g["people"]) for g in seen] == [("g-all", None, 2), ("g-fin", None, 1)]
    change = {"change": "group", "role": "okta:finance", "group": "g-fin"}
    plan = site.admin("POST", "/access/plans", {"changes": [change]})
    assert plan["steps"] == ["let role okta:finance stand for group 'g-fin' of its source"]
    assert plan["people"] == [{"user": "okta:zoe", "gains": 1, "loses": 0}]
    assert site.me(zoe)["roles"] == []
    site.admin("POST", f"/access/plans/{plan['id']}/apply", {})
    assert (site.me(zoe)["roles"], site.me(max_)["roles"]) == (["okta:finance"], [])
    # Another group for the same role: whom the former one brought leaves.
    site.admin("PUT", "/roles/okta:finance/group", {"group": "g-other"})
    assert site.me(zoe)["roles"] == []
    site.admin("PUT", "/roles/okta:finance/group", {"group": None})
    refused = site.client.put("/api/v1/roles/hr/group", headers=site.company.headers("root"), json={"group": "g-fin"})
    assert refused.status_code == 422
