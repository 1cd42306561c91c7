"""The environment of each process, written out: none gets a secret that it does not need."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.client.errors import UserError

PREFIX = "CLEARANCE_"
# From the person's environment: how programs find things and name them; never more.
PLAIN = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
APP_URL, INGEST_URL = "CLEARANCE_DATABASE__APP_URL", "CLEARANCE_DATABASE__INGEST_URL"
PREPARE = "CLEARANCE_DATABASE__PREPARE_STATEMENTS"
SEARCH_URL, BACKUP_URL = "CLEARANCE_DATABASE__SEARCH_URL", "CLEARANCE_DATABASE__BACKUP_URL"
SEQUENCER_URL, TIMEOUT = "CLEARANCE_DATABASE__SEQUENCER_URL", "CLEARANCE_DATABASE__STATEMENT_TIMEOUT_MS"
IDENTITY_KEY, AUDIT_KEY = "CLEARANCE_IDENTITY__KEY", "CLEARANCE_AUDIT__KEY"
MODEL_URL, MODEL_KEY, MODEL_NAME = "CLEARANCE_MODEL__BASE_URL", "CLEARANCE_MODEL__API_KEY", "CLEARANCE_MODEL__NAME"
# The small model that comes along reads some 100 tokens a second and is no good at answering: it is shown little, and
# questions that name no mode are answered by quote.
SMALL_MODEL = {
    "CLEARANCE_MODEL__CONTEXT_TOKENS": "600",
    "CLEARANCE_MODEL__MAX_TOKENS": "160",
    "CLEARANCE_MODEL__FREQUENCY_PENALTY": "0.8",
    "CLEARANCE_ANSWER__MODE": "quote",
}
METRICS_KEY, EMBEDDER_CACHE = "CLEARANCE_API__METRICS_KEY", "CLEARANCE_EMBEDDER__CACHE"


class SettingsMissing(UserError):
    """The database runs elsewhere and not all that is needed to use it is set."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What was found or made at start; each value goes to the processes that need it."""

    app_url: str = field(repr=False)
    ingest_url: str = field(repr=False)
    sequencer_url: str = field(repr=False)
    search_url: str = field(repr=False)  # empty: without scope lists
    identity_key: str = field(repr=False)
    audit_key: str = field(repr=False)
    metrics_key: str = field(repr=False)
    model: Mapping[str, str] = field(
        repr=False
    )  # settings of the local model; empty: those of the person's environment
    embedder_cache: str


def require_external(environ: Mapping[str, str]) -> None:
    """Raise SettingsMissing unless all that a database elsewhere needs is set."""
    wanted = (INGEST_URL, SEQUENCER_URL, IDENTITY_KEY, AUDIT_KEY)
    if missing := [name for name in wanted if not environ.get(name)]:
        raise SettingsMissing(f"{APP_URL} is set, so {', '.join(missing)} must be set too")


def of_api(environ: Mapping[str, str], wiring: Wiring) -> dict[str, str]:
    """The API: the database roles of the application and of its scope lists, both keys, the model."""
    given = _given(
        environ,
        "MODEL__",
        "EMBEDDER__",
        "RERANKER__",
        "IDENTITY__",
        "AUDIT__",
        "API__",
        "SEARCH__",
        "ANSWER__",
        "DATABASE__POOL_SIZE",
        "DATABASE__PREPARE_STATEMENTS",
        "DATABASE__REPLICA_",
        "LISTS__",
    )
    proxies = {name: environ[name] for name in PROXIES if name in environ}  # for a model elsewhere
    return (
        _base(environ)
        | proxies
        | {METRICS_KEY: wiring.metrics_key, EMBEDDER_CACHE: wiring.embedder_cache}
        | (SMALL_MODEL if wiring.model else {})
        # No pooler stands before a database of this instance's own.
        | ({} if APP_URL in environ else {PREPARE: "true"})
        | given
        | ({SEARCH_URL: wiring.search_url} if wiring.search_url else {})
        | {APP_URL: wiring.app_url, IDENTITY_KEY: wiring.identity_key, AUDIT_KEY: wiring.audit_key}
        | dict(wiring.model)
    )


def of_worker(environ: Mapping[str, str], wiring: Wiring) -> dict[str, str]:
    """The worker: its database role and the embedder. It opens hostile files, so no key is near it."""
    cache = {EMBEDDER_CACHE: wiring.embedder_cache}
    return _base(environ) | cache | _given(environ, "EMBEDDER__", "WORKER__") | {INGEST_URL: wiring.ingest_url}


def of_sequencer(environ: Mapping[str, str], wiring: Wiring) -> dict[str, str]:
    """The audit sequencer: its database role alone."""
    return _base(environ) | _given(environ, "AUDIT__CLOSE_AFTER_SECONDS") | {SEQUENCER_URL: wiring.sequencer_url}


def of_model_server(environ: Mapping[str, str], *, api_key: str) -> dict[str, str]:
    """The model server: its own key alone."""
    return _plain(environ) | {MODEL_KEY: api_key, "OMP_WAIT_POLICY": "passive"}


def _base(environ: Mapping[str, str]) -> dict[str, str]:
    return _plain(environ) | ({TIMEOUT: environ[TIMEOUT]} if TIMEOUT in environ else {})


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in PLAIN if name in environ}


def _given(environ: Mapping[str, str], *sections: str) -> dict[str, str]:
    starts = tuple(PREFIX + section for section in sections)
    return {name: value for name, value in environ.items() if name.startswith(starts)}
