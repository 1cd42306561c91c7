"""One identity provider: what it publishes about itself and its keys, and the requests that a sign-in makes to it."""

import base64
import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from app import log
from app.oidc.tokens import InvalidToken, Key
from app.settings import ProviderSettings, require_safe_url

METADATA_SECONDS = 3_600
# After a failure nobody waits for the provider again for so long.
FAILURE_SECONDS = 10
# Keys are fetched again for a name that is not known, though never more often than this, whatever strangers send.
KEYS_SECONDS = 60
MAX_DOCUMENT = 1_000_000
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderUnavailable(Exception):
    """The provider does not answer, or answers what cannot be used; the message says which, for the log."""


class Provider:
    """A provider with what is known of it. Thread-safe; each document is fetched once and kept for a while."""

    def __init__(self, source: str, settings: ProviderSettings, http: httpx2.Client | None = None) -> None:
        self.source = source
        self.settings = settings
        self.label = settings.label or source
        local = (urlsplit(settings.issuer).hostname or "") in {"127.0.0.1", "localhost", "::1"}
        self._http = http or httpx2.Client(timeout=5.0, follow_redirects=False, trust_env=not local)
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._metadata_until = 0.0
        self._failed_at = float("-inf")
        self._keys: Sequence[Key] = ()
        self._keys_at = float("-inf")

    def close(self) -> None:
        self._http.close()

    def metadata(self) -> Mapping[str, Any]:
        """The discovery document. Raises ProviderUnavailable, also if it is another issuer's."""
        with self._lock:
            if time.monotonic() < self._metadata_until:
                return self._metadata
            if time.monotonic() - self._failed_at < FAILURE_SECONDS:
                raise ProviderUnavailable("it did not answer a moment ago")
            self._failed_at = time.monotonic()
            found = self._fetch(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.settings.issuer:
                raise ProviderUnavailable("its discovery document names another issuer")
            for name in ENDPOINTS:
                try:
                    require_safe_url(str(found.get(name)), name)
                except ValueError as error:
                    raise ProviderUnavailable(str(error)) from None
            self._metadata, self._metadata_until = found, time.monotonic() + METADATA_SECONDS
            self._failed_at = float("-inf")
            return found

    def keys(self, kid: str | None) -> Sequence[Key]:
        """The keys that may have signed a token which names this key: that one alone, or all if it names none.

        Fetches them anew for a name that is not known, at most once in KEYS_SECONDS; the last good ones stay otherwise.
        """
        found = self._named(kid)
        if found or time.monotonic() - self._keys_at < KEYS_SECONDS:
            return found
        uri = str(self.metadata()["jwks_uri"])
        with self._lock:
            # Another thread may have fetched them while this one waited.
            if time.monotonic() - self._keys_at >= KEYS_SECONDS:
                self._keys_at = time.monotonic()
                try:
                    self._keys = _signing_keys(self._fetch(uri))
                except ProviderUnavailable as error:
                    if not self._keys:
                        raise
                    log.get().warning("oidc.keys_not_fetched", source=self.source, reason=str(error))
        return self._named(kid)

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str, again: bool) -> str:
        """Where the browser goes to sign in. `again`: the provider is to ask, though somebody is signed in there."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if again else {}),
        }
        endpoint = str(self.metadata()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> str:
        """The ID token for this code. Raises InvalidToken where the provider refuses it, ProviderUnavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }
        auth = None
        if self.settings.client_secret is not None:
            secret = self.settings.client_secret.get_secret_value()
            methods = self.metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in methods:
                auth = httpx2.BasicAuth(self.settings.client_id, secret)
            else:
                form["client_secret"] = secret
        try:
            answer = self._http.post(str(self.metadata()["token_endpoint"]), data=form, auth=auth or httpx2.Auth())
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from None
        if httpx2.codes.is_server_error(answer.status_code):
            raise ProviderUnavailable(f"its token endpoint answers {answer.status_code}")
        if answer.status_code != httpx2.codes.OK:
            raise InvalidToken("the provider refuses the code")
        token = _json(answer).get("id_token")
        if not isinstance(token, str):
            raise ProviderUnavailable("its token endpoint gives no ID token")
        return token

    def logout_url(self, *, id_token: str | None, back_to: str) -> str | None:
        """Where the browser goes to be signed out there too; None if the provider has no such place."""
        endpoint = self.metadata().get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return None
        require_safe_url(endpoint, "end_session_endpoint")
        query = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back_to}
        if id_token is not None:
            query["id_token_hint"] = id_token
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def _named(self, kid: str | None) -> Sequence[Key]:
        if kid is not None:
            return [key for key in self._keys if key.get("kid") == kid]
        # Without a name there is no choice to make: one key, or it is refused.
        return self._keys if len(self._keys) == 1 else ()

    def _fetch(self, url: str) -> dict[str, Any]:
        try:
            answer = self._http.get(url)
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from None
        if answer.status_code != httpx2.codes.OK:
            raise ProviderUnavailable(f"{urlsplit(url).path} answers {answer.status_code}")
        return _json(answer)


def _json(answer: httpx2.Response) -> dict[str, Any]:
    if len(answer.content) > MAX_DOCUMENT:
        raise ProviderUnavailable("its answer is too large")
    try:
        value = answer.json()
    except ValueError:
        raise ProviderUnavailable("its answer is no JSON") from None
    if not isinstance(value, dict):
        raise ProviderUnavailable("its answer is no JSON object")
    return value


def _signing_keys(document: Mapping[str, Any]) -> Sequence[Key]:
    """The public keys that sign; what is of another use, of a kind that we do not take or not readable is left out."""
    found: list[Key] = []
    for entry in document.get("keys", ()):
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry or "k" in entry:
            continue
        try:
            key = KeySet.import_key_set({"keys": [entry]}).keys[0]
        except (JoseError, ValueError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found.append(key)
    return tuple(found)
