"""The doctor's look at identity providers: what is wrong is said, with what to do."""

from pathlib import Path

import pytest

from app.cli.doctor import providers
from app.cli.doctor.installation import Installation
from app.oidc.provider import Provider, ProviderUnavailable
from app.settings import AuditSettings, DatabaseSettings, IdentitySettings, ProviderSettings, Settings


def installation(**given: object) -> Installation:
    settings = Settings(
        database=DatabaseSettings.model_validate({"app_url": "postgresql+psycopg://a:b@127.0.0.1/c"}),
        identity=IdentitySettings.model_validate({"key": "00" * 32}),
        audit=AuditSettings.model_validate({"key": "00" * 32}),
        providers={
            "okta": ProviderSettings.model_validate({"issuer": "https://okta.example", "client_id": "c", **given})
        },
    )
    return Installation(settings=settings, urls={}, api_url="", home=Path(), instance=None, embedded=False)


def test_a_provider_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provider, "keys", lambda *_: ())
    [found] = providers.check_providers(installation())
    assert (found.part, found.state) == ("provider okta", "ok")


def test_a_provider_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise ProviderUnavailable("its discovery document names another issuer")

    monkeypatch.setattr(Provider, "keys", down)
    [found] = providers.check_providers(installation())
    assert (found.state, found.says) == ("fail", "its discovery document names another issuer")
    assert "https://okta.example/.well-known/openid-configuration" in found.mend
