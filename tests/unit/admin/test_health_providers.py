"""What is wrong with an identity provider is said, with what to do."""

import pytest

from app.admin.health.providers import check_providers
from app.oidc.provider import Provider, ProviderUnavailable
from app.settings import AuditSettings, DatabaseSettings, IdentitySettings, ProviderSettings, Settings


def settings_with(**given: object) -> Settings:
    return Settings(
        database=DatabaseSettings.model_validate({"app_url": "postgresql+psycopg://a:b@127.0.0.1/c"}),
        identity=IdentitySettings.model_validate({"key": "00" * 32}),
        audit=AuditSettings.model_validate({"key": "00" * 32}),
        providers={
            "okta": ProviderSettings.model_validate({"issuer": "https://okta.example", "client_id": "c", **given})
        },
    )


def test_a_provider_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provider, "keys", lambda *_: ())
    [found] = check_providers(settings_with(), "")
    assert (found.part, found.state) == ("provider okta", "ok")


def test_a_provider_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise ProviderUnavailable("its discovery document names another issuer")

    monkeypatch.setattr(Provider, "keys", down)
    [found] = check_providers(settings_with(), "")
    assert (found.state, found.says) == ("fail", "its discovery document names another issuer")
    assert "https://okta.example/.well-known/openid-configuration" in found.mend
