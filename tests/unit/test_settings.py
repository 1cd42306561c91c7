"""Settings: from the environment alone, unknown names refused, secrets shown nowhere."""

import os

import pytest
from pydantic import SecretStr, ValidationError

from app.settings import SettingMissing, Settings, WorkerSettings, required

NEEDED = {
    "CLEARANCE_DATABASE__APP_URL": "postgresql+psycopg://clearance_app:hunter2@127.0.0.1/clearance",
    "CLEARANCE_IDENTITY__KEY": "1f" * 32,
    "CLEARANCE_AUDIT__KEY": "2e" * 32,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of ours but those that are needed."""
    for name in [n for n in os.environ if n.startswith("CLEARANCE_")]:
        monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_values_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLEARANCE_API__MAX_BODY_MB", "7")
    environment.setenv("CLEARANCE_MODEL__MAX_LABEL", "internal")
    assert Settings().api.max_body_mb == 7
    assert Settings().model.max_label == "internal"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEARANCE_API__MAX_BODY", "7"),
        ("CLEARANCE_API__BURST", "0"),
        ("CLEARANCE_API__RATE_PER_MINUTE", "many"),
        ("CLEARANCE_MODEL__MAX_LABEL", "secret"),
        ("CLEARANCE_ANSWER__MODE", "guess"),
        ("CLEARANCE_EMBEDDER__KIND", "magic"),
    ],
)
def test_what_is_misspelt_or_senseless_is_refused(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_secrets_are_shown_nowhere(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLEARANCE_MODEL__API_KEY", "sk-hunter2")
    shown = f"{Settings()!r} {Settings()} {Settings().model_dump()}"
    assert [secret for secret in ("hunter2", "1f1f", "2e2e") if secret in shown] == []


@pytest.mark.parametrize(
    ("name", "value", "named", "secret"),
    [("API__PORT", "hunter2", "api.port", "1f1f"), ("AUDIT__KEYS", "5f" * 32, "audit.keys", "5f5f")],
    ids=["of another setting", "under another name"],
)
def test_an_error_does_not_repeat_a_secret(
    environment: pytest.MonkeyPatch, name: str, value: str, named: str, secret: str
) -> None:
    environment.setenv("CLEARANCE_AUDIT__KEY", "")
    environment.setenv(f"CLEARANCE_{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert named in str(refused.value)
    assert secret not in str(refused.value)


def test_the_worker_needs_no_key_of_the_api(environment: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        environment.delenv(name)
    environment.setenv("CLEARANCE_DATABASE__INGEST_URL", "postgresql+psycopg://clearance_ingest@127.0.0.1/clearance")
    settings = WorkerSettings()
    assert settings.worker.stalled_after_seconds == 30
    assert set(WorkerSettings.model_fields) == {"database", "embedder", "worker"}


def test_settings_do_not_change_while_they_are_used(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        Settings().api = Settings().api


@pytest.mark.parametrize("value", [None, SecretStr("")])
def test_what_is_missing_is_named(value: SecretStr | None) -> None:
    with pytest.raises(SettingMissing, match="CLEARANCE_DATABASE__APP_URL"):
        required(value, "CLEARANCE_DATABASE__APP_URL")
    assert required(SecretStr("x"), "X") == "x"
