"""The environment of each process, which holds only the secrets that the process needs."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.client.errors import UserError
from app.settings import Settings

PREFIX = "CLEARANCE_"
# What every process inherits from the user's environment.
INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
APP_URL, INGEST_URL = "CLEARANCE_DATABASE__APP_URL", "CLEARANCE_DATABASE__INGEST_URL"
PREPARE = "CLEARANCE_DATABASE__PREPARE_STATEMENTS"
SEARCH_URL, BACKUP_URL = "CLEARANCE_DATABASE__SEARCH_URL", "CLEARANCE_DATABASE__BACKUP_URL"
DELIVERY_URL, DELIVERIES = "CLEARANCE_DATABASE__DELIVERY_URL", "CLEARANCE_AUDIT__DELIVERIES"
SEQUENCER_URL, TIMEOUT = "CLEARANCE_DATABASE__SEQUENCER_URL", "CLEARANCE_DATABASE__STATEMENT_TIMEOUT_MS"
IDENTITY_KEY, AUDIT_KEY = "CLEARANCE_IDENTITY__KEY", "CLEARANCE_AUDIT__KEY"
SIGNING_KEY, PREVIOUS_SIGNING_KEY = "CLEARANCE_AUDIT__SIGNING_KEY", "CLEARANCE_AUDIT__PREVIOUS_SIGNING_KEY"
WITNESSES, TIMESTAMPS = "CLEARANCE_AUDIT__WITNESSES", "CLEARANCE_AUDIT__TIMESTAMPS"
# Of the section AUDIT.
SEQUENCERS = ("CLOSE_AFTER_SECONDS", "SIGNING_KEY", "PREVIOUS_SIGNING_KEY", "CHECKPOINT_", "WITNESSES", "TIMESTAMPS")
MODEL_URL, MODEL_KEY, MODEL_NAME = "CLEARANCE_MODEL__BASE_URL", "CLEARANCE_MODEL__API_KEY", "CLEARANCE_MODEL__NAME"
MODEL_CONTEXT, MODEL_LOCK = "CLEARANCE_MODEL__CONTEXT_LENGTH", "CLEARANCE_MODEL__LOCK"
# The bundled model reads some 100 tokens a second and answers badly: it gets short prompts, and the default mode is
# quote.
SMALL_MODEL = {
    "CLEARANCE_MODEL__CONTEXT_TOKENS": "600",
    "CLEARANCE_MODEL__MAX_TOKENS": "160",
    "CLEARANCE_MODEL__FREQUENCY_PENALTY": "0.8",
    "CLEARANCE_MODEL__PROMPT": "small",
    "CLEARANCE_ANSWER__MODE": "quote",
}
SAMPLE_PEOPLE = "CLEARANCE_SAMPLE__PEOPLE_FILE"
METRICS_KEY, EMBEDDER_CACHE = "CLEARANCE_API__METRICS_KEY", "CLEARANCE_EMBEDDER__CACHE"
PROCESSES = "CLEARANCE_API__PROCESSES"
# API processes of a run that is not told: one more takes 120 MB, and a laptop has other things to do as well.
MAX_USUAL_PROCESSES = 2


class SettingsMissing(UserError):
    """The database runs elsewhere, and a setting that it needs is missing."""


@dataclass(frozen=True, kw_only=True)
class RuntimeConfig:
    """URLs and keys of a run; each goes to the processes that need it."""

    app_url: str = field(repr=False)
    ingest_url: str = field(repr=False)
    sequencer_url: str = field(repr=False)
    delivery_url: str = field(repr=False)  # empty: nothing is delivered
    search_url: str = field(repr=False)  # empty: no scope index
    identity_key: str = field(repr=False)
    audit_key: str = field(repr=False)
    signing_key: str = field(repr=False)
    metrics_key: str = field(repr=False)
    model: Mapping[str, str] = field(repr=False)  # settings of the bundled model; empty: those of the environment
    embedder_cache: str
    sample_people: str = ""  # the file of the sample company's people; empty: there is none


def require_external(environ: Mapping[str, str]) -> None:
    """Raise SettingsMissing unless the environment has all settings that a database elsewhere needs."""
    required: tuple[str, ...] = (INGEST_URL, SEQUENCER_URL, IDENTITY_KEY, AUDIT_KEY)
    if environ.get(DELIVERIES):
        required += (DELIVERY_URL,)
    if missing := [name for name in required if not environ.get(name)]:
        raise SettingsMissing(f"{APP_URL} is set, so {', '.join(missing)} must be set too")


def api_environment(environ: Mapping[str, str], wiring: RuntimeConfig) -> dict[str, str]:
    """For the API: URLs of its two database roles, both keys, the model, and every section of its settings."""
    # Whether there is a sample company is not for the environment to say.
    sections = [f"{name.upper()}__" for name in Settings.model_fields if name not in {"database", "sample"}]
    settings = _with_prefixes(
        environ, *sections, "DATABASE__POOL_SIZE", "DATABASE__PREPARE_STATEMENTS", "DATABASE__REPLICA_"
    )
    settings = {name: value for name, value in settings.items() if name not in {SIGNING_KEY, PREVIOUS_SIGNING_KEY}}
    proxies = _inherited(environ, PROXIES)  # for a model elsewhere
    return (
        _base(environ)
        | proxies
        | {METRICS_KEY: wiring.metrics_key, EMBEDDER_CACHE: wiring.embedder_cache}
        | {PROCESSES: str(min(MAX_USUAL_PROCESSES, len(os.sched_getaffinity(0))))}
        | (SMALL_MODEL if wiring.model else {})
        # There is no pooler in front of an embedded database.
        | ({} if APP_URL in environ else {PREPARE: "true"})
        | settings
        | ({SEARCH_URL: wiring.search_url} if wiring.search_url else {})
        | ({SAMPLE_PEOPLE: wiring.sample_people} if wiring.sample_people else {})
        | {APP_URL: wiring.app_url, IDENTITY_KEY: wiring.identity_key, AUDIT_KEY: wiring.audit_key}
        | dict(wiring.model)
    )


def worker_environment(environ: Mapping[str, str], wiring: RuntimeConfig) -> dict[str, str]:
    """For the worker: its database URL and the embedder. It opens hostile files, so it gets no key."""
    cache = {EMBEDDER_CACHE: wiring.embedder_cache}
    return _base(environ) | cache | _with_prefixes(environ, "EMBEDDER__", "WORKER__") | {INGEST_URL: wiring.ingest_url}


def sequencer_environment(environ: Mapping[str, str], wiring: RuntimeConfig) -> dict[str, str]:
    """For the audit sequencer: its database URL, and the key that signs the log's heads, which nobody else gets."""
    own = _with_prefixes(environ, *(f"AUDIT__{name}" for name in SEQUENCERS))
    proxies = _inherited(environ, PROXIES) if own.keys() & {WITNESSES, TIMESTAMPS} else {}  # they are elsewhere
    return _base(environ) | proxies | {SIGNING_KEY: wiring.signing_key} | own | {SEQUENCER_URL: wiring.sequencer_url}


def delivery_environment(environ: Mapping[str, str], wiring: RuntimeConfig) -> dict[str, str]:
    """For the process that delivers the log: its database URL, and where to. Secrets of targets are in files."""
    given = {DELIVERIES: environ[DELIVERIES], DELIVERY_URL: wiring.delivery_url}
    return _base(environ) | _inherited(environ, PROXIES) | given


def model_server_environment(environ: Mapping[str, str], *, api_key: str) -> dict[str, str]:
    """For the model server: its key."""
    return _inherited(environ) | {MODEL_KEY: api_key, "OMP_WAIT_POLICY": "passive"}


def _base(environ: Mapping[str, str]) -> dict[str, str]:
    return _inherited(environ) | ({TIMEOUT: environ[TIMEOUT]} if TIMEOUT in environ else {})


def _inherited(environ: Mapping[str, str], names: Iterable[str] = INHERITED) -> dict[str, str]:
    return {name: environ[name] for name in names if name in environ}


def _with_prefixes(environ: Mapping[str, str], *sections: str) -> dict[str, str]:
    prefixes = tuple(PREFIX + section for section in sections)
    return {name: value for name, value in environ.items() if name.startswith(prefixes)}
