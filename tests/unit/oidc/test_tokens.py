"""Tokens that are not to be believed: each attack has a name, and each is refused for its own reason.

Every test begins with the honest token of its kind, so that what is refused is refused for the one thing it changes.
"""

import base64
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from app.oidc.tokens import (
    LOGOUT_EVENT,
    Claims,
    InvalidToken,
    groups_of_claims,
    verify_access_token,
    verify_id_token,
    verify_logout_token,
)
from tests.support.token_issuer import AUDIENCE, CLIENT, TokenIssuer, ec_key, encoded, rsa_key

NONCE = "the nonce of this sign-in"
NOW = int(time.time())


@pytest.fixture(scope="module")
def issuer() -> TokenIssuer:
    return TokenIssuer(keys=[rsa_key("one"), ec_key("two")])


def as_id(issuer: TokenIssuer, token: str, **settings: Any) -> Claims:
    provider = issuer.provider(**settings)
    return verify_id_token(token, provider.settings, provider.keys, nonce=NONCE)


def as_access(issuer: TokenIssuer, token: str, **settings: Any) -> Claims:
    provider = issuer.provider(**settings)
    return verify_access_token(token, provider.settings, provider.keys)


def as_logout(issuer: TokenIssuer, token: str) -> Claims:
    provider = issuer.provider()
    return verify_logout_token(token, provider.settings, provider.keys)


def id_claims(issuer: TokenIssuer, **given: Any) -> dict[str, Any]:
    return issuer.claims("freya", **{"nonce": NONCE, **given})


def logout_claims(issuer: TokenIssuer, **given: Any) -> dict[str, Any]:
    return issuer.claims("freya", **{"jti": "1", "events": {LOGOUT_EVENT: {}}, "sid": "s", **given})


@pytest.mark.parametrize("number", [0, 1])
def test_honest_tokens_pass(issuer: TokenIssuer, number: int) -> None:
    key = issuer.keys[number]
    assert as_id(issuer, issuer.sign(id_claims(issuer), key=key))["sub"] == "freya"
    assert as_id(issuer, issuer.sign(id_claims(issuer, azp=CLIENT, aud=[CLIENT, "other"]), key=key))
    access = issuer.sign(issuer.access_claims("freya"), header={"typ": "at+jwt"}, key=key)
    assert as_access(issuer, access)["sub"] == "freya"
    assert as_access(issuer, access, clients="open-webui, librechat")
    assert as_logout(issuer, issuer.sign(logout_claims(issuer), header={"typ": "logout+jwt"}, key=key))["sid"] == "s"


def test_algorithm_none(issuer: TokenIssuer) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        header = encoded({"alg": algorithm, "typ": "JWT", "kid": "one"})
        for signature in ("", "x", "AAAA"):
            with pytest.raises(InvalidToken):
                as_id(issuer, f"{header}.{encoded(id_claims(issuer))}.{signature}")


def test_a_public_key_taken_for_a_shared_secret(issuer: TokenIssuer) -> None:
    """HS256 under the bytes of the RSA key that everybody can fetch."""
    public = issuer.keys[0].as_pem(private=False)
    for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512")):
        signed = f"{encoded({'alg': algorithm, 'kid': 'one', 'typ': 'JWT'})}.{encoded(id_claims(issuer))}"
        mac = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), digest)).decode().rstrip("=")
        with pytest.raises(InvalidToken, match="kind that is not taken"):
            as_id(issuer, f"{signed}.{mac}")


def test_a_key_of_another_kind_than_the_algorithm(issuer: TokenIssuer) -> None:
    """RS256 in the header of a token that an EC key of the same provider signed, and the other way."""
    for key, algorithm in ((issuer.keys[1], "RS256"), (issuer.keys[0], "ES256")):
        token = issuer.sign(id_claims(issuer), key=key)
        _, claims, signature = token.split(".")
        header = encoded({"alg": algorithm, "kid": key.get("kid"), "typ": "JWT"})
        with pytest.raises(InvalidToken, match="no key"):
            as_id(issuer, f"{header}.{claims}.{signature}")


def test_a_key_that_is_for_another_algorithm(issuer: TokenIssuer) -> None:
    """A provider that publishes what its key signs with is held to it."""
    free = rsa_key("three")
    held = TokenIssuer(keys=[RSAKey.import_key({**free.as_dict(private=True), "alg": "PS256"})])
    with pytest.raises(InvalidToken, match="no key"):
        as_id(held, held.sign(id_claims(held), key=free))


@pytest.mark.parametrize("field", ["jwk", "jku", "x5u", "x5c", "crit"])
def test_a_token_that_brings_its_own_key(issuer: TokenIssuer, field: str) -> None:
    own = rsa_key("one")
    value: Any = {"jwk": own.as_dict(private=False), "crit": ["exp"], "x5c": ["AA"]}.get(field, "https://evil.example/")
    header = encoded({"alg": "RS256", "kid": "one", "typ": "JWT", field: value})
    claims = encoded(id_claims(issuer))
    signed = jws.serialize_compact({"alg": "RS256"}, json.dumps(id_claims(issuer)), own).split(".")[2]
    with pytest.raises(InvalidToken, match="brings along"):
        as_id(issuer, f"{header}.{claims}.{signed}")


def test_a_key_of_somebody_else_under_the_same_name(issuer: TokenIssuer) -> None:
    with pytest.raises(InvalidToken, match="no key"):
        as_id(issuer, issuer.sign(id_claims(issuer), key=rsa_key("one")))


@pytest.mark.parametrize(
    "kid", ["../../dev/null", "one' or '1'='1", "one\x00", "http://evil.example/jwks", "", 7, ["one"], "x" * 5000]
)
def test_names_of_keys_are_looked_up_and_nothing_else(issuer: TokenIssuer, kid: Any) -> None:
    """`kid` injection: no file, no query, no address; only a name among those that the provider published."""
    issuer.requests.clear()
    with pytest.raises(InvalidToken):
        as_id(issuer, with_kid(issuer, kid))
    assert set(issuer.requests) <= {"/.well-known/openid-configuration", "/jwks"}


def with_kid(issuer: TokenIssuer, kid: Any) -> str:
    _, claims, signature = issuer.sign(id_claims(issuer)).split(".")
    return f"{encoded({'alg': 'RS256', 'typ': 'JWT', 'kid': kid})}.{claims}.{signature}"


def test_without_a_name_only_a_provider_of_one_key_is_believed(issuer: TokenIssuer) -> None:
    unnamed = {"kid": None}
    with pytest.raises(InvalidToken, match="no key"):
        as_id(issuer, issuer.sign(id_claims(issuer), header=unnamed))
    alone = TokenIssuer(keys=[issuer.keys[0]])
    assert as_id(alone, alone.sign(id_claims(alone), header=unnamed))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": "https://okta.example/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "another-client"}, "somebody else"),
        ({"aud": ["another-client"]}, "somebody else"),
        ({"aud": None}, "somebody else"),
        ({"aud": f"{CLIENT},other"}, "somebody else"),
        ({"aud": [CLIENT, "other"]}, "several audiences"),
        ({"azp": "another-client"}, "another client"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another client"),
        ({"nonce": "another nonce"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"nonce": [NONCE]}, "another sign-in"),
        ({"exp": NOW - 61}, "expired"),
        ({"exp": None}, "until when"),
        ({"exp": "9999999999"}, "until when"),
        ({"exp": True}, "until when"),
        ({"iat": None}, "until when"),
        ({"iat": NOW + 3600}, "later only"),
        ({"nbf": NOW + 3600}, "later only"),
        ({"sub": None}, "who"),
        ({"sub": ""}, "who"),
        ({"sub": 7}, "who"),
        ({"sub": "x" * 256}, "who"),
    ],
)
def test_claims_of_an_id_token(issuer: TokenIssuer, claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidToken, match=reason):
        as_id(issuer, issuer.sign(id_claims(issuer, **claims)))


def test_clocks_may_differ_by_a_minute(issuer: TokenIssuer) -> None:
    assert as_id(issuer, issuer.sign(id_claims(issuer, exp=time.time() - 30)))
    assert as_id(issuer, issuer.sign(id_claims(issuer, iat=time.time() + 30, nbf=time.time() + 30)))


@pytest.mark.parametrize(
    ("claims", "typ", "reason"),
    [
        ({}, "JWT", "another kind"),
        ({}, None, "another kind"),
        ({}, "id+jwt", "another kind"),
        ({"aud": CLIENT}, "at+jwt", "somebody else"),
        ({"nonce": "n"}, "at+jwt", "no access token"),
        ({"at_hash": "h"}, "at+jwt", "no access token"),
        ({"typ": "ID"}, "at+jwt", "no access token"),
        ({"typ": "Refresh"}, "at+jwt", "no access token"),
        ({"iss": "https://evil.example"}, "at+jwt", "another issuer"),
        ({"exp": NOW - 61}, "at+jwt", "expired"),
    ],
)
def test_what_is_no_access_token_for_us(
    issuer: TokenIssuer, claims: dict[str, Any], typ: str | None, reason: str
) -> None:
    with pytest.raises(InvalidToken, match=reason):
        as_access(issuer, issuer.sign(issuer.access_claims("freya", **claims), header={"typ": typ}))


def test_an_id_token_is_no_access_token(issuer: TokenIssuer) -> None:
    """Also where a provider calls both of them JWT."""
    token = issuer.sign(id_claims(issuer))
    for settings in ({}, {"access_token_type": "jwt"}):
        with pytest.raises(InvalidToken):
            as_access(issuer, token, **settings)
    forged = issuer.sign(id_claims(issuer, aud=[CLIENT, AUDIENCE]))
    with pytest.raises(InvalidToken, match="no access token"):
        as_access(issuer, forged, access_token_type="jwt")
    with pytest.raises(InvalidToken):
        as_id(issuer, issuer.sign(issuer.access_claims("freya"), header={"typ": "at+jwt"}))


def test_access_tokens_are_taken_only_where_an_audience_is_set(issuer: TokenIssuer) -> None:
    token = issuer.access_token("freya")
    with pytest.raises(InvalidToken, match="not taken"):
        as_access(issuer, token, audience="")
    with pytest.raises(InvalidToken, match="may not come in"):
        as_access(issuer, token, clients="librechat")
    with pytest.raises(InvalidToken, match="may not come in"):
        as_access(issuer, issuer.access_token("freya", client_id=None), clients="librechat")


def test_of_another_tenant(issuer: TokenIssuer) -> None:
    """Entra ID: `oid` names a person within `tid` alone. Google: everybody has an account, `hd` says whose."""
    google = {"tenant_claim": "hd", "tenant": "corp.example"}
    assert as_id(issuer, issuer.sign(id_claims(issuer, hd="corp.example")), **google)
    for claims in ({}, {"hd": "gmail.example"}, {"tid": "corp.example"}):
        with pytest.raises(InvalidToken, match="another tenant"):
            as_id(issuer, issuer.sign(id_claims(issuer, **claims)), **google)
    entra = {"subject_claim": "oid", "tenant": "t-1"}
    assert as_id(issuer, issuer.sign(id_claims(issuer, tid="t-1", oid="o")), **entra)
    for claims in ({"tid": "t-2", "oid": "o"}, {"oid": "o"}, {"tid": "t-1"}):
        with pytest.raises(InvalidToken):
            as_id(issuer, issuer.sign(id_claims(issuer, **claims)), **entra)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"events": None}, "no logout token"),
        ({"events": {}}, "no logout token"),
        ({"events": {LOGOUT_EVENT: True}}, "no logout token"),
        ({"events": [LOGOUT_EVENT]}, "no logout token"),
        ({"nonce": "n"}, "no nonce"),
        ({"iat": NOW - 3600, "exp": NOW + 3600}, "too old"),
        ({"jti": None}, "number of its own"),
        ({"sid": None, "sub": None}, "neither"),
        ({"aud": "another-client"}, "somebody else"),
        ({"iss": "https://evil.example"}, "another issuer"),
    ],
)
def test_what_is_no_logout_token(issuer: TokenIssuer, claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidToken, match=reason):
        as_logout(issuer, issuer.sign(logout_claims(issuer, **claims), header={"typ": "logout+jwt"}))


def test_an_id_token_signs_nobody_out(issuer: TokenIssuer) -> None:
    with pytest.raises(InvalidToken, match="no logout token"):
        as_logout(issuer, issuer.sign(id_claims(issuer)))


def test_groups_are_known_or_unknown_and_never_guessed(issuer: TokenIssuer) -> None:
    settings = issuer.settings(groups_claim="groups")
    assert groups_of_claims({"groups": ["a", "b"]}, settings) == frozenset({"a", "b"})
    assert groups_of_claims({"groups": []}, settings) == frozenset()
    overage = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph"}}}
    unknown: list[dict[str, Any]] = [
        {},
        overage,
        {"groups": ["a"], **overage},
        {"hasgroups": True},
        {"groups": ["a"], "hasgroups": True},
        {"groups": "a"},
        {"groups": {"a": 1}},
        {"groups": ["a", 7]},
        {"groups": ["a", ""]},
        {"groups": ["g"] * 2_001},
        {"groups": None},
    ]
    for claims in unknown:
        assert groups_of_claims(claims, settings) is None, claims
    assert groups_of_claims({"groups": ["a"]}, issuer.settings()) is None


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d.e", "a.b.c", "ä.b.c", "." * 3, "x" * 20_000, "e30.e30.e30"])
def test_what_is_no_token_at_all(issuer: TokenIssuer, text: str) -> None:
    with pytest.raises(InvalidToken):
        as_access(issuer, text)


def test_settings_that_would_open_a_door_are_refused(issuer: TokenIssuer) -> None:
    """What would make a wrong token pass is no setting."""
    for wrong in (
        {"audience": CLIENT},
        {"algorithms": "HS256"},
        {"algorithms": "RS256,none"},
        {"subject_claim": "oid"},
        {"subject_claim": "email"},
        {"issuer": "https://accounts.google.com"},
        {"issuer": "http://okta.example"},
        {"scopes": "profile"},
    ):
        with pytest.raises(ValueError, match="validation error"):
            issuer.settings(**wrong)
