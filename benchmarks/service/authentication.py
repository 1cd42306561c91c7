"""What a session or a provider's access token costs over a key: `python -m benchmarks.service.authentication`.

The same request, GET /users/me, by each of the three in turn, in one process and one run. A person in ten roles.
Milliseconds of the clock at the caller, and the difference to the key's request of the same round.
"""

import argparse
import json
import time
from dataclasses import replace

import httpx2
from fastapi.testclient import TestClient
from joserfc import jws
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from app.embedding.hashed import HashedEmbedder
from app.main import create
from app.oidc.provider import Provider
from app.settings import ApiSettings, AuditSettings, DatabaseSettings, IdentitySettings, ProviderSettings, Settings
from app.sign_in.sessions import Browser, Proof, start_session
from app.wiring import build
from benchmarks.machine import load
from benchmarks.stats import p50_p95, quantile
from benchmarks.tables import show
from benchmarks.world import AUDIT_KEY, KEY, NO_LIMITS, World, database, server

ISSUER, AUDIENCE, SUBJECT = "https://idp.example", "https://clearance.example", "s-1"
LINK = "insert into sign_in_identity (issuer, subject, user_id) values (%s, %s, %s)"


def provider(key: RSAKey) -> Provider:
    """A provider whose documents are in memory."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        document = {"issuer": ISSUER, **{name: f"{ISSUER}/{name}" for name in names}}
        keys = {"keys": [key.as_dict(private=False)]}
        return httpx2.Response(200, json=keys if request.url.path == "/jwks_uri" else document)

    settings = ProviderSettings(issuer=ISSUER, client_id="clearance", audience=AUDIENCE)
    return Provider("okta", settings, httpx2.Client(transport=httpx2.MockTransport(answer)))


def access_token(key: RSAKey) -> str:
    """A token as RFC 9068 has it, good for an hour."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 3600, "client_id": "chat"}
    header = {"alg": "RS256", "kid": "one", "typ": "at+jwt"}
    return jws.serialize_compact(header, json.dumps(claims), key)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500)
    given = parser.parse_args()
    with server() as running:
        db = database(running)
        world = World(db)
        person = world.person("reader", roles=[world.role(f"r{number}") for number in range(10)])
        signing = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        with db.admin() as connection:
            connection.execute(LINK, [ISSUER, SUBJECT, person])
        settings = Settings(
            database=DatabaseSettings(app_url=SecretStr(db.url("app"))),
            identity=IdentitySettings(key=SecretStr(KEY)),
            audit=AuditSettings(key=SecretStr(AUDIT_KEY)),
            api=ApiSettings.model_validate(NO_LIMITS),
        )
        parts = replace(build(settings), embedder=HashedEmbedder(), providers={"okta": provider(signing)})
        session = start_session(parts.database, settings.sign_in, person, Proof("link"), Browser(None, "")).secret
        shown = {
            "key": {"Authorization": f"Bearer {world.key(person)}"},
            "session": {"Cookie": f"clearance={session}"},
            "token": {"Authorization": f"Bearer {access_token(signing)}"},
        }
        with TestClient(create(parts)) as client:
            times = measure(client, shown, given.rounds)
    rows = [
        (name, p50_p95(found), str(quantile([a - b for a, b in zip(found, times["key"], strict=True)], 0.5)))
        for name, found in times.items()
    ]
    show(f"GET /users/me, {given.rounds} rounds; load {load()}", ("by", "p50 / p95 ms", "over a key, p50 [95 %]"), rows)


def measure(client: TestClient, shown: dict[str, dict[str, str]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds by means; the first rounds, which fill caches, are left out."""
    times: dict[str, list[float]] = {name: [] for name in shown}
    for number in range(rounds + 20):
        for name, headers in shown.items():
            begun = time.perf_counter()
            client.get("/api/v1/users/me", headers=headers).raise_for_status()
            if number >= 20:
                times[name].append(1000 * (time.perf_counter() - begun))
    return times


if __name__ == "__main__":
    main()
