"""What the doctor checks: the installation that the environment names, or the one in the folder of `clearance run`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from app.client.errors import UserError
from app.local.bundled_model import CONTEXT_TOKENS
from app.local.bundled_model import MODEL_NAME as LOCAL_MODEL
from app.local.environment import (
    APP_URL,
    AUDIT_KEY,
    BACKUP_URL,
    DELIVERY_URL,
    IDENTITY_KEY,
    INGEST_URL,
    MODEL_CONTEXT,
    MODEL_KEY,
    MODEL_NAME,
    MODEL_URL,
    SEARCH_URL,
    SEQUENCER_URL,
    SMALL_MODEL,
)
from app.local.instance import Instance
from app.local.run import role_urls
from app.local.secrets import FILE as SECRETS_FILE
from app.local.secrets import LocalSecrets
from app.settings import Settings

URL_SETTINGS = {
    "clearance_app": APP_URL,
    "clearance_ingest": INGEST_URL,
    "clearance_sequencer": SEQUENCER_URL,
    "clearance_search": SEARCH_URL,
    "clearance_delivery": DELIVERY_URL,
    "clearance_backup": BACKUP_URL,
}


class SetupUnusable(UserError):
    """There is no installation to check, or its settings are invalid."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An installation's settings and addresses. `urls` has one for each database role whose password is known here."""

    settings: Settings = field(repr=False)
    urls: Mapping[str, str] = field(repr=False)
    api_url: str
    home: Path
    instance: Instance | None
    embedded: bool

    @classmethod
    def of(cls, home: Path, environ: Mapping[str, str]) -> "Installation":
        """The environment's installation if it names a database, else the folder's; raises SetupUnusable."""
        if environ.get(APP_URL):
            instance = Instance.running(home)
            return cls(
                settings=_settings({}),
                urls={role: environ[name] for role, name in URL_SETTINGS.items() if environ.get(name)},
                api_url=environ.get("CLEARANCE_URL") or (instance.api_url if instance else ""),
                home=home,
                instance=instance,
                embedded=False,
            )
        return cls._of_folder(home, environ)

    @classmethod
    def _of_folder(cls, home: Path, environ: Mapping[str, str]) -> "Installation":
        last = Instance.last(home)
        if not (home / SECRETS_FILE).exists() or last is None:
            raise SetupUnusable(f"{APP_URL} is not set, and nothing was started from {home}: 'clearance run'")
        secrets = LocalSecrets.open(home)
        urls = role_urls(secrets.role_passwords(), last.postgres_port)
        settings = {
            APP_URL: urls["clearance_app"],
            SEARCH_URL: urls["clearance_search"],
            IDENTITY_KEY: secrets.identity_key,
            AUDIT_KEY: secrets.audit_key,
        }
        if MODEL_URL not in environ:
            settings |= {
                **SMALL_MODEL,
                MODEL_URL: last.model_url,
                MODEL_KEY: secrets.model_api_key,
                MODEL_NAME: LOCAL_MODEL,
                MODEL_CONTEXT: str(CONTEXT_TOKENS),
            }
        return cls(
            settings=_settings({name: value for name, value in settings.items() if not environ.get(name)}),
            urls=urls,
            api_url=environ.get("CLEARANCE_URL") or last.api_url,
            home=home,
            instance=Instance.running(home),
            embedded=True,
        )

    def host(self, role: str) -> str:
        """Host, port and database of this role's URL, without its password."""
        parts = urlsplit(self.urls[role])
        return f"{parts.hostname}:{parts.port or 5432}{parts.path}"


def _settings(overrides: Mapping[str, str]) -> Settings:
    """The service's settings: those in `overrides`, named as in the environment, and else those of the environment."""
    sections: dict[str, Any] = {}
    for name, value in overrides.items():
        section, _, key = name.removeprefix("CLEARANCE_").lower().partition("__")
        sections.setdefault(section, {})[key] = value
    try:
        return Settings(**sections)
    except ValidationError as error:
        problems = "; ".join(
            f"CLEARANCE_{'__'.join(str(part).upper() for part in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise SetupUnusable(problems) from error
