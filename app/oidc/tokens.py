"""Tokens of a provider: the signature by joserfc, every claim by us, since joserfc decodes without checking any.

Each kind is refused in the place of each other: an ID token is made for us to know who signed in, an access token for
others to come in with, a logout token to end what the first began.
"""

import base64
import binascii
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.settings import ProviderSettings

Key = RSAKey | ECKey | OKPKey
Claims = Mapping[str, Any]
# The clocks of two machines may differ by this much, and no more.
LEEWAY_SECONDS = 60
# A logout token is taken while it is fresh, and remembered for as long.
LOGOUT_SECONDS = 300
MAX_TOKEN = 16_384
MAX_GROUPS = 2_000
MAX_TEXT = 255
JWT_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
RFC_9068 = "at+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
# What only ID tokens carry, whatever they call themselves.
OF_ID_TOKENS = ("nonce", "at_hash", "c_hash")


class InvalidToken(Exception):
    """A token that is not to be believed; the message says why, for the log, and repeats nothing of it."""


def looks_like_jwt(text: str) -> bool:
    """Whether it has the shape of a signed token, so that anything else costs nothing."""
    return len(text) <= MAX_TOKEN and JWT_SHAPE.fullmatch(text) is not None


def claimed_issuer(token: str) -> str:
    """The issuer that a token names, not checked: to choose whose keys to check it with. Raises InvalidToken."""
    return str(_part(token, 1).get("iss"))


def verify_id_token(
    token: str, provider: ProviderSettings, keys: Callable[[str | None], Sequence[Key]], *, nonce: str
) -> Claims:
    """The claims of the ID token that a sign-in with this nonce brought. Raises InvalidToken."""
    claims = _verified(token, provider, keys, types={"jwt", ""})
    _require_audience(claims, provider.client_id)
    if "azp" in claims and claims["azp"] != provider.client_id:
        raise InvalidToken("it was made for another client")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise InvalidToken("it has several audiences and does not say for whom it was made")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise InvalidToken("it answers another sign-in")
    _require_person(claims, provider)
    return claims


def verify_access_token(token: str, provider: ProviderSettings, keys: Callable[[str | None], Sequence[Key]]) -> Claims:
    """The claims of an access token that was made for us (RFC 9068). Raises InvalidToken."""
    if not provider.audience:
        raise InvalidToken("access tokens of this provider are not taken")
    types = {"at+jwt", "application/at+jwt"} if provider.access_token_type == RFC_9068 else {"jwt", "at+jwt", ""}
    claims = _verified(token, provider, keys, types=types)
    _require_audience(claims, provider.audience)
    # Keycloak says in the claims what the header does not.
    if any(name in claims for name in OF_ID_TOKENS) or str(claims.get("typ", "Bearer")).lower() not in {
        "bearer",
        "at+jwt",
    }:
        raise InvalidToken("it is no access token")
    client = claims.get("azp", claims.get("client_id", claims.get("appid")))
    if (allowed := provider.split("clients")) and client not in allowed:
        raise InvalidToken("it was made for a client that may not come in")
    _require_person(claims, provider)
    return claims


def verify_logout_token(token: str, provider: ProviderSettings, keys: Callable[[str | None], Sequence[Key]]) -> Claims:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0). Raises InvalidToken."""
    claims = _verified(token, provider, keys, types={"logout+jwt", "application/logout+jwt", "jwt", ""})
    _require_audience(claims, provider.client_id)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise InvalidToken("it is no logout token")
    if "nonce" in claims:
        raise InvalidToken("a logout token has no nonce")
    if claims["iat"] < time.time() - LOGOUT_SECONDS:
        raise InvalidToken("it is too old")
    if not _is_text(claims.get("jti")) or not (_is_text(claims.get("sub")) or _is_text(claims.get("sid"))):
        raise InvalidToken("it names neither a person nor a session, or has no number of its own")
    return claims


def subject_of_claims(claims: Claims, provider: ProviderSettings) -> str:
    """Who the token is about, by the claim that never changes."""
    return str(claims[provider.subject_claim])


def groups_of_claims(claims: Claims, provider: ProviderSettings) -> frozenset[str] | None:
    """The groups that the claim lists; None where it does not say: missing, of another shape, or too many to list.

    Entra ID leaves the claim out above 200 groups and says in `_claim_names` or `hasgroups` that it did. None is never
    taken for "no groups", and never for "all".
    """
    name = provider.groups_claim
    elsewhere = claims.get("_claim_names")
    overflows = claims.get("hasgroups") or (isinstance(elsewhere, dict) and name in elsewhere)
    given = claims.get(name) if name else None
    if overflows or not isinstance(given, list) or len(given) > MAX_GROUPS or not all(map(_is_text, given)):
        return None
    return frozenset(given)


def _verified(
    token: str, provider: ProviderSettings, keys: Callable[[str | None], Sequence[Key]], *, types: set[str]
) -> Claims:
    """The claims, where signature, type, issuer and times hold."""
    if not looks_like_jwt(token):
        raise InvalidToken("it is no signed token")
    header = _part(token, 0)
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in provider.split("algorithms"):
        raise InvalidToken("its signature is of a kind that is not taken")
    if "crit" in header or "jwk" in header or "jku" in header or "x5u" in header or "x5c" in header:
        raise InvalidToken("it brings along what it is to be checked with")
    if str(header.get("typ", "")).lower() not in types:
        raise InvalidToken("it is a token of another kind")
    if kid is not None and not _is_text(kid):
        raise InvalidToken("its key has no name")
    claims = _decode(token, str(algorithm), keys(kid))
    if claims.get("iss") != provider.issuer:
        raise InvalidToken("it is of another issuer")
    _require_times(claims)
    return claims


def _decode(token: str, algorithm: str, keys: Sequence[Key]) -> Claims:
    """What is signed by one of these keys, with this algorithm and no other; the key has to be of its kind."""
    kinds: type[Key] | tuple[type[Key], ...] = RSAKey if algorithm[:2] in {"RS", "PS"} else (ECKey, OKPKey)
    for key in keys:
        named = key.get("alg")
        if not isinstance(key, kinds) or (named and named != algorithm):
            continue
        try:
            return jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError):
            continue
    raise InvalidToken("no key of the provider has signed it")


def _require_times(claims: Claims) -> None:
    now = time.time()
    given = [claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)]
    times = [value for value in given if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(times) < len(given):
        raise InvalidToken("it does not say from when and until when it holds")
    expires, issued, begins = times
    if expires <= now - LEEWAY_SECONDS:
        raise InvalidToken("it has expired")
    if issued > now + LEEWAY_SECONDS or begins > now + LEEWAY_SECONDS:
        raise InvalidToken("it holds later only")


def _require_audience(claims: Claims, audience: str) -> None:
    given = claims.get("aud")
    if not (given == audience or (isinstance(given, list) and audience in given)):
        raise InvalidToken("it was made for somebody else")


def _require_person(claims: Claims, provider: ProviderSettings) -> None:
    if provider.tenant and claims.get(provider.tenant_claim) != provider.tenant:
        raise InvalidToken("it is of another tenant")
    if not _is_text(claims.get(provider.subject_claim)):
        raise InvalidToken("it does not say who")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= MAX_TEXT


def _part(token: str, number: int) -> dict[str, Any]:
    """The header (0) or the claims (1) of a token, not checked."""
    if not looks_like_jwt(token):
        raise InvalidToken("it is no signed token")
    part = token.split(".")[number]
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidToken("it cannot be read") from None
    if not isinstance(value, dict):
        raise InvalidToken("it cannot be read")
    return value
