"""Checks the identity providers by what a sign-in needs of each: its documents, its keys, and who keeps its people."""

from collections.abc import Iterator

import psycopg
from sqlalchemy import make_url

from app.admin.health.check_result import CheckResult
from app.db.bootstrap import libpq
from app.oidc.provider import Provider, ProviderUnavailable
from app.settings import ProviderSettings, Settings

KEEPER = (
    "select exists (select from app_user where provisions = %s and active and kind = 'service'"
    " and 'provision' = any (capabilities))"
)


def check_providers(settings: Settings, url: str) -> Iterator[CheckResult]:
    """One result for each provider; none where none is set. `url` is the database's, for who keeps its people."""
    for source, chosen in settings.providers.items():
        part = f"provider {source}"
        provider = Provider(source, chosen)
        try:
            # Any name: the provider's keys are fetched to look for it.
            provider.keys("none of these")
        except ProviderUnavailable as error:
            mend = f"does {chosen.issuer}/.well-known/openid-configuration answer from here, and as this issuer?"
            yield CheckResult(part, "fail", str(error), mend)
        else:
            says = f"{chosen.issuer} publishes what a sign-in needs; it sends people back to {settings.public_url}"
            yield _of_people(url, says, source, chosen)
        finally:
            provider.close()


def _of_people(url: str, says: str, source: str, settings: ProviderSettings) -> CheckResult:
    part = f"provider {source}"
    if not (settings.create_people or settings.groups_claim):
        return CheckResult(part, "ok", says)
    with psycopg.connect(libpq(make_url(url)), connect_timeout=5) as connection:
        row = connection.execute(KEEPER, [source]).fetchone()
    if row and row[0]:
        return CheckResult(part, "ok", says)
    return CheckResult(
        part,
        "warn",
        "nobody keeps its people: a first sign-in makes nobody, and groups change no role",
        f"'clearance people add-service {source}-sign-in --provisions {source}'",
    )
