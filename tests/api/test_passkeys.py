"""Passkeys: added in a session, good for signing in without a name; and the ways to come in with somebody else's."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi.testclient import TestClient

from app.db.session import Database
from app.errors import SignInNotAllowed
from app.settings import SignInSettings
from app.sign_in.attempts import begin_attempt, take_attempt
from tests.api.problems import ABSENT, check_problem
from tests.support.authenticator import Authenticator, HeldPasskey, decode, encode
from tests.support.browsers import SAME_ORIGIN, SESSION, Browser, signed_in
from tests.support.company import Company, administering
from tests.support.service import client_of, parts_of

PASSKEYS = "/api/v1/passkeys"


def add(browser: Browser, device: Authenticator, label: str = "laptop", **lies: Any) -> Any:
    """The answer to adding a passkey of this device."""
    options = browser.send("POST", f"{PASSKEYS}/options").json()["options"]
    return browser.send("POST", PASSKEYS, json={"credential": device.create(options, **lies), "label": label})


def options_for(browser: Browser, return_to: str = "/") -> dict[str, Any]:
    answer = browser.send("POST", "/sign-in/passkey/options", json={"return_to": return_to}, headers=SAME_ORIGIN)
    assert answer.status_code == 200, answer.text
    options: dict[str, Any] = answer.json()["options"]
    return options


def use(browser: Browser, credential: dict[str, Any]) -> Any:
    return browser.send("POST", "/sign-in/passkey", json={"credential": credential}, headers=SAME_ORIGIN)


def sign_in(client: TestClient, device: Authenticator, passkey: HeldPasskey | None = None, **lies: Any) -> Any:
    """The answer to signing in from a new browser."""
    browser = Browser(client)
    return use(browser, device.get(options_for(browser), passkey, **lies))


def refusals(company: Company) -> set[str]:
    return {record["reason"] for record in company.records("signin.refused")}


@pytest.fixture
def ada(client: TestClient, company: Company) -> Browser:
    return signed_in(client, company, "ada")


@pytest.fixture
def device(ada: Browser) -> Authenticator:
    """A device with a passkey of ada's."""
    made = Authenticator()
    answer = add(ada, made)
    assert answer.status_code == 201, answer.text
    return made


def test_a_passkey_signs_in_without_a_name(client: TestClient, company: Company, ada: Browser) -> None:
    device = Authenticator()
    made = add(ada, device).json()
    assert (made["user"], made["label"], made["last_used_at"]) == ("ada", "laptop", None)
    browser = Browser(client)
    options = options_for(browser, "/docs?page=2")
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert not options.get("allowCredentials"), "the options name somebody"
    answer = use(browser, device.get(options))
    assert (answer.status_code, answer.json()) == (200, {"return_to": "/docs?page=2"})
    assert browser.me().json()["name"] == "ada"
    [record] = company.records("passkey.made")
    assert (record["passkey"], record["actor"]["name"]) == (made["id"], "ada")
    assert company.unsealed(record, "label") == "laptop"
    assert company.records("session.started")[-1]["means"] == "passkey"
    assert browser.send("GET", PASSKEYS).json()[0]["last_used_at"] is not None
    assert browser.send("GET", "/api/v1/sessions").json()[-1]["means"] == "passkey"


def test_the_options_ask_for_what_we_need(ada: Browser, device: Authenticator) -> None:
    options = ada.send("POST", f"{PASSKEYS}/options").json()["options"]
    assert options["rp"] == {"id": "localhost", "name": "Clearance"}
    assert options["attestation"] == "none"
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["requireResidentKey"], chosen["userVerification"]) == (
        "required", True, "required",
    )  # fmt: skip
    assert [decode(each["id"]) for each in options["excludeCredentials"]] == [device.held[0].id]


@pytest.mark.parametrize(
    "lies",
    [
        {"origin": "http://localhost:8701"},
        {"origin": "https://localhost:8700"},
        {"rp_id": "evil.example"},
        {"verified": False},
        {"present": False},
        {"cross_origin": True},
    ],
    ids=str,
)
def test_what_does_not_verify_is_not_added(ada: Browser, company: Company, lies: dict[str, Any]) -> None:
    check_problem(add(ada, Authenticator(), **lies), 422, "InvalidInput")
    assert company.rows("select 1 from passkey") == []


def test_a_registration_is_good_once_and_in_its_session(client: TestClient, company: Company, ada: Browser) -> None:
    options = ada.send("POST", f"{PASSKEYS}/options").json()["options"]
    credential = Authenticator().create(options)
    # Neither another person's session nor another one of the same person.
    for other in (signed_in(client, company, "ben"), signed_in(client, company, "ada")):
        check_problem(other.send("POST", PASSKEYS, json={"credential": credential}), 422, "InvalidInput")
    assert ada.send("POST", PASSKEYS, json={"credential": credential}).status_code == 201
    check_problem(ada.send("POST", PASSKEYS, json={"credential": credential}), 422, "InvalidInput")
    assert len(company.rows("select 1 from passkey")) == 1


def test_a_failed_registration_spends_its_challenge(ada: Browser, company: Company) -> None:
    options = ada.send("POST", f"{PASSKEYS}/options").json()["options"]
    for lies in ({"verified": False}, {}):
        sent = {"credential": Authenticator().create(options, **lies)}
        check_problem(ada.send("POST", PASSKEYS, json=sent), 422, "InvalidInput")


def test_no_key_adds_a_passkey(client: TestClient, company: Company, ada: Browser) -> None:
    """Whoever steals a key must not leave a way in behind."""
    options = ada.send("POST", f"{PASSKEYS}/options").json()["options"]
    for who in ("ada", "root"):
        by_key = company.headers(who)
        check_problem(client.post(f"{PASSKEYS}/options", headers=by_key), 403, "MissingCapability")
        sent = {"credential": Authenticator().create(options)}
        check_problem(client.post(PASSKEYS, json=sent, headers=by_key), 403, "MissingCapability")
    assert company.rows("select 1 from passkey") == []


def test_a_known_passkey_is_not_added_again(client: TestClient, company: Company, ada: Browser) -> None:
    """Not even by somebody else, who would take it over."""
    device = Authenticator()
    add(ada, device)
    ben = signed_in(client, company, "ben")
    options = ben.send("POST", f"{PASSKEYS}/options").json()["options"]
    other = Authenticator()
    credential = other.create(options)
    raw = bytearray(decode(credential["response"]["attestationObject"]))
    at = bytes(raw).index(other.held[0].id)
    raw[at : at + 32] = device.held[0].id
    credential["response"]["attestationObject"] = encode(bytes(raw))
    credential["id"] = credential["rawId"] = encode(device.held[0].id)
    check_problem(ben.send("POST", PASSKEYS, json={"credential": credential}), 409, "Conflict")
    assert sign_in(client, device).status_code == 200


def test_twenty_are_enough(client: TestClient, company: Company, ada: Browser) -> None:
    device = Authenticator()
    for _ in range(20):
        assert add(ada, device).status_code == 201
    check_problem(add(ada, device), 409, "Conflict")


def test_a_challenge_is_good_once(client: TestClient, company: Company, device: Authenticator) -> None:
    browser = Browser(client)
    credential = device.get(options_for(browser))
    kept = dict(browser.cookies)
    assert use(browser, credential).status_code == 200
    check_problem(use(Browser(client, kept), credential), 403, "SignInNotAllowed")
    assert "passkey: no challenge of this browser" in refusals(company)


def test_a_refused_try_spends_its_challenge(client: TestClient, device: Authenticator) -> None:
    browser = Browser(client)
    options = options_for(browser)
    check_problem(use(browser, device.get(options, verified=False)), 403, "SignInNotAllowed")
    check_problem(use(browser, device.get(options)), 403, "SignInNotAllowed")


def test_a_challenge_is_of_its_browser_alone(client: TestClient, device: Authenticator) -> None:
    """Somebody who made a victim's authenticator sign their challenge would be the victim; and the other way round."""
    attacker, victim = Browser(client), Browser(client)
    credential = device.get(options_for(attacker))
    options_for(victim)
    for browser in (victim, Browser(client)):
        check_problem(use(browser, credential), 403, "SignInNotAllowed")
    assert use(attacker, credential).status_code == 200


def test_a_challenge_ends_after_minutes(client: TestClient, company: Company, device: Authenticator) -> None:
    browser = Browser(client)
    options = options_for(browser)
    company.execute("update sign_in_attempt set expires_at = now()")
    check_problem(use(browser, device.get(options)), 403, "SignInNotAllowed")


def test_a_challenge_for_adding_signs_nobody_in(client: TestClient, ada: Browser, device: Authenticator) -> None:
    options = ada.send("POST", f"{PASSKEYS}/options").json()["options"]
    check_problem(use(ada, device.get(options)), 403, "SignInNotAllowed")


def test_a_challenge_is_of_its_kind(database: Database) -> None:
    """What was begun at a provider, or to add a passkey, is finished as that alone, also by the same browser."""
    kinds = ("provider", "passkey", "passkey.new")
    for kind in kinds:
        with database.anonymous() as session:
            new = begin_attempt(session, kind, {})
            for other in set(kinds) - {kind}:
                with pytest.raises(SignInNotAllowed):
                    take_attempt(session, other, new.state, new.browser)
            assert take_attempt(session, kind, new.state, new.browser) == {}


@pytest.mark.parametrize(
    "lies",
    [
        {"origin": "http://localhost:8701"},
        {"origin": "http://127.0.0.1:8700"},
        {"origin": "http://localhost:8700.evil.example"},
        {"rp_id": "evil.example"},
        {"verified": False},
        {"present": False},
    ],
    ids=str,
)
def test_what_does_not_verify_signs_nobody_in(
    client: TestClient, company: Company, device: Authenticator, lies: dict[str, Any]
) -> None:
    check_problem(sign_in(client, device, **lies), 403, "SignInNotAllowed")
    assert "passkey: it does not verify (InvalidAuthenticationResponse)" in refusals(company)


def test_another_site_around_ours_signs_nobody_in(client: TestClient, device: Authenticator) -> None:
    check_problem(sign_in(client, device, cross_origin=True), 403, "SignInNotAllowed")


def forged(device: Authenticator) -> HeldPasskey:
    """The name of its passkey with another key."""
    return dataclasses.replace(device.held[0], key=ec.generate_private_key(ec.SECP256R1()), count=100)


def test_a_signature_of_another_key(client: TestClient, company: Company, device: Authenticator) -> None:
    check_problem(sign_in(client, device, forged(device)), 403, "SignInNotAllowed")
    # And its count was not believed.
    assert sign_in(client, device).status_code == 200


def test_a_passkey_of_another_person(client: TestClient, company: Company, device: Authenticator) -> None:
    """Signed rightly by its own key, and shown as somebody else's."""
    mia = signed_in(client, company, "mia")
    own = Authenticator()
    add(mia, own)
    posing = dataclasses.replace(own.held[0], user=device.held[0].user)
    check_problem(sign_in(client, own, posing), 403, "SignInNotAllowed")
    assert "passkey: it names another person than its owner" in refusals(company)
    swapped = dataclasses.replace(own.held[0], id=device.held[0].id)
    check_problem(sign_in(client, own, swapped), 403, "SignInNotAllowed")
    nobody = dataclasses.replace(own.held[0], user=b"")
    check_problem(sign_in(client, own, nobody), 403, "SignInNotAllowed")


def test_a_count_that_goes_back(client: TestClient, company: Company, device: Authenticator) -> None:
    """Two authenticators hold one key: the copy is refused, and which passkey it was stands in the log."""
    copy = dataclasses.replace(device.held[0])
    assert sign_in(client, device).status_code == 200
    assert sign_in(client, device).status_code == 200
    check_problem(sign_in(client, device, copy), 403, "SignInNotAllowed")
    [cloned] = [r for r in company.records("signin.refused") if "count went back" in r["reason"]]
    assert cloned["prefix"].startswith("passkey:")
    assert cloned["actor"]["address"] == "testclient"
    check_problem(sign_in(client, device, copy, counts=False), 403, "SignInNotAllowed")
    assert sign_in(client, device).status_code == 200


def test_authenticators_that_do_not_count_stay_good(client: TestClient, device: Authenticator) -> None:
    for _ in range(2):
        assert sign_in(client, device, counts=False).status_code == 200


def test_revoked_unknown_and_switched_off_are_told_the_same(
    client: TestClient, company: Company, ada: Browser, device: Authenticator
) -> None:
    send = administering(client, company)
    stranger = Authenticator(held=[HeldPasskey(b"x" * 32, ec.generate_private_key(ec.SECP256R1()), b"y" * 16)])
    answers = [sign_in(client, stranger)]
    [passkey] = ada.send("GET", PASSKEYS).json()
    send("PATCH", "/users/ada", {"active": False})
    answers.append(sign_in(client, device))
    send("PATCH", "/users/ada", {"active": True})
    # Switched on again, they need a new one: nothing of before comes back.
    answers.append(sign_in(client, device))
    again = signed_in(client, company, "ada")
    check_problem(again.send("DELETE", f"{PASSKEYS}/{passkey['id']}"), 404, "NotFound")
    other = Authenticator()
    made = add(again, other).json()
    assert sign_in(client, other).status_code == 200
    assert again.send("DELETE", f"{PASSKEYS}/{made['id']}").status_code == 204
    answers.append(sign_in(client, other))
    answers.append(sign_in(client, device, forged(device)))
    for answer in answers:
        check_problem(answer, 403, "SignInNotAllowed")
    assert len({answer.content for answer in answers}) == 1
    assert {"passkey: unknown", "passkey: revoked"} <= refusals(company)
    assert [r["passkey"] for r in company.records("passkey.revoked")] == [made["id"]]


def test_switched_off_alone_is_enough(client: TestClient, company: Company, device: Authenticator) -> None:
    """Whatever else ends a passkey, somebody who is switched off does not come in."""
    company.execute(
        "alter table app_user disable trigger ends_credentials; update app_user set active = false where name = 'ada'"
    )
    check_problem(sign_in(client, device), 403, "SignInNotAllowed")
    assert "passkey: of somebody who is switched off" in refusals(company)


def test_nothing_is_made_for_who_is_switched_off(company: Company) -> None:
    """By whatever path, also at the same moment: the database refuses it."""
    for table, fields in {
        "passkey": "credential_id, public_key",
        "sign_in_link": "prefix, hash, created_by, expires_at",
        "sign_in_session": "prefix, hash, means, idle_seconds, idle_until, expires_at",
    }.items():
        values = {
            "credential_id, public_key": "'x', 'x'",
            "prefix, hash, created_by, expires_at": "'x', 'x', id, now()",
            "prefix, hash, means, idle_seconds, idle_until, expires_at": "'x', 'x', 'link', 1, now(), now()",
        }[fields]
        for active in (True, False):
            script = (
                f"begin; update app_user set active = {active} where name = 'ada';"
                f"insert into {table} (user_id, {fields}) select id, {values} from app_user where name = 'ada';"
                "rollback"
            )
            if active:
                company.execute(script)
            else:
                with pytest.raises(Exception, match="switched off"):
                    company.execute(script)


def test_what_is_revoked_stays_revoked(company: Company, device: Authenticator) -> None:
    company.execute("update passkey set revoked_at = now()")
    with pytest.raises(Exception, match="stays revoked"):
        company.execute("update passkey set revoked_at = null")


def test_owners_and_administrators_list_and_revoke(
    client: TestClient, company: Company, ada: Browser, device: Authenticator
) -> None:
    [passkey] = ada.send("GET", PASSKEYS).json()
    path = f"{PASSKEYS}/{passkey['id']}"
    by_ben, by_root = company.headers("ben"), company.headers("root")
    assert client.get(PASSKEYS, headers=by_ben).json() == []
    for name in ("ada", "nobody"):
        check_problem(client.get(PASSKEYS, params={"user": name}, headers=by_ben), 403, "MissingCapability")
    hidden, absent = (client.delete(p, headers=by_ben) for p in (path, f"{PASSKEYS}/{ABSENT}"))
    check_problem(hidden, 404, "NotFound")
    assert hidden.content == absent.content
    assert client.get(PASSKEYS, headers=by_root).json() == []
    assert client.get(PASSKEYS, params={"user": "ada"}, headers=by_root).json() == [passkey]
    assert client.delete(path, headers=by_root).status_code == 204
    check_problem(client.delete(path, headers=by_root), 404, "NotFound")
    assert ada.send("GET", PASSKEYS).json() == []
    assert company.records("passkey.revoked")[0]["actor"]["name"] == "admin"


def test_requests_of_another_site_are_refused(client: TestClient, company: Company, device: Authenticator) -> None:
    """Else somebody could be signed in as somebody else without knowing."""
    browser = Browser(client)
    credential = device.get(options_for(browser))
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil"}):
        sent = browser.send("POST", "/sign-in/passkey", json={"credential": credential}, headers=headers)
        check_problem(sent, 403, "CrossSiteRequest")
        asked = browser.send("POST", "/sign-in/passkey/options", json={}, headers=headers)
        check_problem(asked, 403, "CrossSiteRequest")
    assert use(browser, credential).status_code == 200


def test_the_session_of_before_is_over(client: TestClient, ada: Browser, device: Authenticator) -> None:
    """A new secret at each sign-in."""
    before = ada.secret
    assert use(ada, device.get(options_for(ada))).status_code == 200
    assert ada.secret != before
    check_problem(Browser(client, {SESSION: before}).me(), 401, "NotSignedIn")


@pytest.mark.parametrize("return_to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_it_leads_nowhere_else(client: TestClient, device: Authenticator, return_to: str) -> None:
    browser = Browser(client)
    answer = use(browser, device.get(options_for(browser, return_to)))
    assert answer.json() == {"return_to": "/"}


def _mangled(credential: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The credential with each part missing, of another type, empty, or full of what is no part."""
    deep = "[" * 20_000
    wrong: list[Any] = [None, 7, "", "!", [], {}, encode(b"\xff" * 40), encode(deep.encode()), encode(b"\x9f" * 2_000)]
    for name in credential:
        yield {key: value for key, value in credential.items() if key != name}
        yield from ({**credential, name: value} for value in wrong)
    response = credential["response"]
    for name in response:
        yield {**credential, "response": {key: value for key, value in response.items() if key != name}}
        yield from ({**credential, "response": {**response, name: value}} for value in wrong)


def test_what_makes_no_sense_is_refused(client: TestClient, company: Company, ada: Browser) -> None:
    """Never by an error of our own."""
    device = Authenticator()
    add(ada, device)
    shapes: list[tuple[Callable[[], dict[str, Any]], Callable[[dict[str, Any]], Any]]] = [
        (lambda: device.get(options_for(ada)), lambda c: use(ada, c)),
        (
            lambda: Authenticator().create(ada.send("POST", f"{PASSKEYS}/options").json()["options"]),
            lambda c: ada.send("POST", PASSKEYS, json={"credential": c}),
        ),
    ]
    for make, send in shapes:
        for number in range(len(list(_mangled(make())))):
            mangled = list(_mangled(make()))[number]
            status = send(mangled).status_code
            # `clientExtensionResults` and the like may be left out; what is signed may not.
            assert status in {403, 422}, (status, json.dumps(mangled)[:300])


def test_where_the_address_is_a_number_there_are_no_passkeys(company: Company) -> None:
    """Browsers make none for an IP address; the pages and the answers say so."""
    parts = parts_of(company.db)
    settings = parts.settings.model_copy(update={"sign_in": SignInSettings(public_url="http://127.0.0.1:8700")})
    with client_of(dataclasses.replace(parts, settings=settings)) as client:
        browser = Browser(client)
        answer = browser.send("POST", "/sign-in/passkey/options", json={})
        check_problem(answer, 422, "InvalidInput")
        assert "CLEARANCE_SIGN_IN__PUBLIC_URL" in answer.json()["detail"]
        assert "passkey" not in browser.send("GET", "/sign-in").text.replace("passkeys.js", "").replace(
            "passkey-status", ""
        )
