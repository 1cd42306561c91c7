"""An identity provider of the tests' own, in memory: it signs whatever it is told, honest or not."""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from app.oidc.provider import Provider
from app.settings import ProviderSettings

CLIENT = "clearance"
SECRET = "the-client-secret"
AUDIENCE = "https://clearance.example/api"


def encoded(value: Any) -> str:
    """JSON as a token's part has it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@dataclass
class TokenIssuer:
    """A provider with keys of its own. `codes` are those that it gave out, with their challenge and claims."""

    source: str = "okta"
    issuer: str = "https://okta.example"
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [rsa_key("one")])
    codes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    down: bool = False
    sends_issuer: bool = True
    discovery: dict[str, Any] = field(default_factory=dict)

    def settings(self, **given: Any) -> ProviderSettings:
        """As an operator would set it up."""
        values = {"issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET, "audience": AUDIENCE, **given}
        return ProviderSettings.model_validate(values)

    def provider(self, **given: Any) -> Provider:
        """What the service knows of it; requests are answered here."""
        http = httpx2.Client(transport=httpx2.MockTransport(self.answer))
        return Provider(self.source, self.settings(**given), http)

    def claims(self, subject: str, **given: Any) -> dict[str, Any]:
        """The claims of an honest ID token; None takes one away."""
        now = int(time.time())
        honest = {"iss": self.issuer, "sub": subject, "aud": CLIENT, "iat": now, "exp": now + 300, "auth_time": now}
        return {name: value for name, value in (honest | given).items() if value is not None}

    def access_claims(self, subject: str, **given: Any) -> dict[str, Any]:
        """The claims of an honest access token (RFC 9068)."""
        honest = {"aud": AUDIENCE, "client_id": "open-webui", "jti": "1", "auth_time": None}
        return self.claims(subject, **{**honest, **given})

    def sign(self, claims: dict[str, Any], *, header: dict[str, Any] | None = None, key: Any = None) -> str:
        """A token with these claims; `header` adds to an honest header, where None takes a field away."""
        key = key or self.keys[0]
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        honest = {"alg": algorithm, "kid": key.get("kid"), "typ": "JWT"}
        given = {name: value for name, value in (honest | (header or {})).items() if value is not None}
        algorithms = [*jws.JWSRegistry.recommended, "EdDSA", "HS512"]
        return jws.serialize_compact(given, json.dumps(claims), key, algorithms=algorithms)

    def access_token(self, subject: str, **given: Any) -> str:
        """An honest access token, or one with other claims."""
        return self.sign(self.access_claims(subject, **given), header={"typ": "at+jwt"})

    def code_for(self, location: str, subject: str, **given: Any) -> dict[str, str]:
        """What the browser brings back when this person signed in at the address that it was sent to."""
        query = dict(parse_qsl(urlsplit(location).query))
        code = secrets.token_urlsafe(8)
        self.codes[code] = (query["code_challenge"], self.claims(subject, **{"nonce": query["nonce"], **given}))
        return {"code": code, "state": query["state"], **({"iss": self.issuer} if self.sends_issuer else {})}

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """The provider's side of each request."""
        path = request.url.path
        self.requests.append(path)
        if self.down:
            raise httpx2.ConnectError("down")
        if path.endswith("/.well-known/openid-configuration"):
            return httpx2.Response(200, json=self.document())
        if path == "/jwks":
            return httpx2.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})
        if path == "/token":
            return self._exchange({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        return httpx2.Response(404)

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": self.sends_issuer,
            **self.discovery,
        }

    def _exchange(self, form: dict[str, str]) -> httpx2.Response:
        """A code is good once, and for who began with its verifier."""
        challenge, claims = self.codes.pop(form["code"], ("", {}))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        return httpx2.Response(200, json={"id_token": self.sign(claims), "access_token": "a", "token_type": "Bearer"})


def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def ec_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})
