"""All settings, read from the environment by the wiring alone. `docs/reference.md` lists them (under test)."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings.models import EmbedderSettings, EntailmentSettings, ModelSettings, RerankerSettings
from app.settings.people import AuditSettings, IdentitySettings, ProviderSettings, SampleSettings, SignInSettings
from app.settings.section import LOCAL_SOURCE, LabelName, Section, SourceName, require_safe_url
from app.settings.service import (
    AccessSettings,
    AnswerSettings,
    ApiSettings,
    GuardrailSettings,
    RefusalsSettings,
    SearchSettings,
)
from app.settings.storage import DatabaseSettings, ListsSettings, WorkerOptions

__all__ = [
    "FROM_ENVIRONMENT",
    "LOCAL_SOURCE",
    "AccessSettings",
    "AnswerSettings",
    "ApiSettings",
    "AuditSettings",
    "DatabaseSettings",
    "EmbedderSettings",
    "EntailmentSettings",
    "GuardrailSettings",
    "IdentitySettings",
    "LabelName",
    "ListsSettings",
    "ModelSettings",
    "ProviderSettings",
    "RefusalsSettings",
    "RerankerSettings",
    "SampleSettings",
    "SearchProcessSettings",
    "SearchSettings",
    "Section",
    "SettingMissing",
    "Settings",
    "SignInSettings",
    "SourceName",
    "WorkerOptions",
    "WorkerSettings",
    "require_safe_url",
    "required",
]

# A secret under a misspelt name is not repeated in the error about it.
FROM_ENVIRONMENT = SettingsConfigDict(
    env_prefix="CLEARANCE_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
)


class Settings(BaseSettings):
    """What the API reads, as `CLEARANCE_<SECTION>__<NAME>` in the environment."""

    model_config = FROM_ENVIRONMENT

    database: DatabaseSettings
    identity: IdentitySettings
    audit: AuditSettings
    model: ModelSettings = Field(default_factory=ModelSettings)
    embedder: EmbedderSettings = Field(default_factory=EmbedderSettings)
    reranker: RerankerSettings = Field(default_factory=RerankerSettings)
    entailment: EntailmentSettings = Field(default_factory=EntailmentSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    guardrail: GuardrailSettings = Field(default_factory=GuardrailSettings)
    refusals: RefusalsSettings = Field(default_factory=RefusalsSettings)
    access: AccessSettings = Field(default_factory=AccessSettings)
    lists: ListsSettings = Field(default_factory=ListsSettings)
    sign_in: SignInSettings = Field(default_factory=SignInSettings)
    sample: SampleSettings = Field(default_factory=SampleSettings)
    providers: dict[SourceName, ProviderSettings] = Field(
        default_factory=dict, description="identity providers by the source that each vouches for"
    )

    @property
    def public_url(self) -> str:
        """Where people reach this service: scheme, host and port. A name by itself: passkeys need one."""
        return self.sign_in.public_url or f"http://localhost:{self.api.port}"

    @model_validator(mode="after")
    def _signed_elsewhere(self) -> Self:
        if self.audit.signing_key is not None or self.audit.previous_signing_key is not None:
            raise ValueError("the keys that sign the log are the sequencer's alone: take them from this environment")
        return self

    @model_validator(mode="after")
    def _issuers_differ(self) -> Self:
        issuers = [provider.issuer for provider in self.providers.values()]
        if len(set(issuers)) < len(issuers):
            raise ValueError("two providers have one issuer: a person would be of two sources")
        if LOCAL_SOURCE in self.providers:
            raise ValueError("'local' are the people made here; give the provider's source another name")
        return self


class WorkerSettings(BaseSettings):
    """What the worker reads: no key and no other process's database role."""

    model_config = FROM_ENVIRONMENT

    database: DatabaseSettings
    embedder: EmbedderSettings = Field(default_factory=EmbedderSettings)
    worker: WorkerOptions = Field(default_factory=WorkerOptions)


class SearchProcessSettings(BaseSettings):
    """What a search process reads: the database role that sees codes, and where it listens."""

    model_config = FROM_ENVIRONMENT

    database: DatabaseSettings
    lists: ListsSettings = Field(default_factory=ListsSettings)


class SettingMissing(RuntimeError):
    """A setting without which this process cannot start."""


def required(value: SecretStr | None, name: str) -> str:
    """The secret's value; raises SettingMissing naming the variable."""
    if value is None or not value.get_secret_value():
        raise SettingMissing(f"{name} is not set; docs/reference.md says what it is")
    return value.get_secret_value()
