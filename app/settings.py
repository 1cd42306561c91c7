"""All settings, read from the environment by the wiring alone. `docs/reference.md` lists them (under test)."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LabelName = Literal["public", "internal", "confidential", "restricted"]
SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
LOCAL_SOURCE = "local"


class Section(BaseModel):
    """A group of settings; an unknown name is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")


class DatabaseSettings(Section):
    """Where PostgreSQL is, one URL for each database role (`postgresql+psycopg://role:password@host/name`)."""

    app_url: SecretStr | None = Field(None, description="API: reads documents only under row-level security")
    ingest_url: SecretStr | None = Field(None, description="worker: writes documents, cannot change who may read them")
    sequencer_url: SecretStr | None = Field(None, description="audit sequencer: orders audit records, adds only")
    search_url: SecretStr | None = Field(
        None, description="API: reads the codes of vectors for the scope lists; unset: PostgreSQL searches without them"
    )
    replica_urls: SecretStr | None = Field(
        None, description="API: standbys that searches may go to, as app_url, separated by spaces"
    )
    replica_wait_ms: int = Field(
        50, ge=0, description="how long a search waits for a standby that is behind before it goes to the primary"
    )
    local_uid: int = Field(
        61100,
        gt=0,
        description="`clearance run` by root only: user id that PostgreSQL runs as; nothing else may have it",
    )
    admin_url: SecretStr | None = Field(None, description="`clearance init` only: may create roles and the database")
    backup_url: SecretStr | None = Field(
        None, description="`clearance codebook check` only: reads everything and changes nothing; no service needs it"
    )
    pool_size: int = Field(8, ge=1, description="connections an API process keeps")
    prepare_statements: bool = Field(
        False,
        description="API: keep the plans of searches on its connections to the primary, which saves some milliseconds;"
        " not behind a pooler that gives each transaction another connection and keeps no prepared statements",
    )
    statement_timeout_ms: int = Field(15_000, ge=100, description="longest statement")

    def standbys(self) -> list[str]:
        """The URLs of the standbys; they hold passwords."""
        return self.replica_urls.get_secret_value().split() if self.replica_urls else []


class WorkerOptions(Section):
    """The ingest worker."""

    concurrency: int = Field(2, ge=1, description="files worked on at the same time: one is parsed, one embedded")
    attempts: int = Field(5, ge=1, description="tries of a file when a part of ours fails; a bad file has one")
    stalled_after_seconds: int = Field(
        30, ge=3, description="a worker silent for this long has died: others take up its files"
    )
    keep_jobs_days: int = Field(30, ge=1, description="days after which uploads that have ended are forgotten")
    log_json: bool = Field(True, description="JSON log lines; false for a person at a terminal")
    parser_uid: int = Field(
        61101, gt=0, description="started by root only: user id that parsers run as; nothing else may have it"
    )
    allow_unconfined_parsing: bool = Field(
        False,
        description="true: read files also where the kernel cannot confine a parser; a hostile file may then reach all"
        " that the worker reaches, its database role included",
    )


class ListsSettings(Section):
    """Scope lists in search processes of their own (`python -m app.search_process`) instead of in the API's memory."""

    servers: str = Field(
        "",
        description="API: search processes in the order of their shards, with commas between: paths of Unix sockets, or"
        " host:port; empty: the lists are in this process",
    )
    certificate: str = Field(
        "",
        description="API and search processes: PEM file with a private key and its certificate, the same for all;"
        " required with host:port, unused with Unix sockets",
    )
    seconds: float = Field(1.0, gt=0, le=60, description="API: PostgreSQL answers when a search process takes longer")
    listen: str = Field(
        "", description="search process: path of a Unix socket in a folder of its user alone, or host:port"
    )
    shard: str = Field(
        "1/1", description="search process: which part of the scopes it holds; 2/4 is the second of four"
    )
    dimensions: int = Field(384, ge=4, description="search process: length of the embedder's vectors")
    log_json: bool = Field(True, description="search process: JSON log lines; false for a person at a terminal")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The search processes, in the order of their shards."""
        return tuple(address.strip() for address in self.servers.split(",")) if self.servers.strip() else ()


class ModelSettings(Section):
    """The language model: any OpenAI-compatible endpoint."""

    base_url: str = Field("http://127.0.0.1:8737/v1", description="the endpoint's base URL, with its /v1")
    api_key: SecretStr = Field(SecretStr("none"), description="sent as a bearer token")
    name: str = Field("SmolLM2-135M-Instruct", description="model name sent in each request")
    internal: bool | None = Field(
        None,
        description="true: text may go there up to max_label; unset or empty: loopback and internal_hosts are internal",
    )
    internal_hosts: str = Field(
        "", description="hosts that are internal while internal is unset: exact names as in base_url, commas between"
    )
    allow_restricted_text_on_public_host: bool = Field(
        False,
        description="true confirms that text above 'public' may go to a host that is on the public internet by its name"
        " or address; otherwise such settings keep the service from starting",
    )
    max_label: LabelName | None = Field(
        None, description="highest label it may see; unset: restricted if internal, else public"
    )
    context_tokens: int = Field(
        1_600, ge=100, description="most passage tokens it is shown, within answer.context_tokens"
    )
    max_tokens: int = Field(400, ge=1, description="longest answer in tokens")
    context_length: int | None = Field(
        None, ge=1, description="tokens that it holds for a question and its answer; unset: the endpoint is asked"
    )
    prompt: Literal["large", "small"] = Field(
        "large", description="how it is told what to do: `small` for models of less than about a billion weights"
    )
    frequency_penalty: float = Field(0.0, ge=0, le=2, description="sent if not 0: keeps small models out of circles")
    connect_seconds: float = Field(3.0, gt=0, description="limit for the connection")
    first_token_seconds: float = Field(60.0, gt=0, description="limit between two pieces of the stream")

    @field_validator("internal", "context_length", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        """A compose file can pass a variable on only as an empty one."""
        return None if value == "" else value

    def hosts(self) -> frozenset[str]:
        """The names in `internal_hosts`, in lower case."""
        return frozenset(name.strip().lower() for name in self.internal_hosts.split(",") if name.strip())


class EmbedderSettings(Section):
    """What turns text into vectors."""

    kind: Literal["onnx", "sentence-transformers", "hashed"] = Field(
        "onnx", description="`hashed` is for tests: it knows no meaning"
    )
    name: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2", description="model name or folder (sentence-transformers only)"
    )
    threads: int = Field(2, ge=1, description="threads per process")
    cache: Path = Field(
        Path(".clearance/models"), description="where sentence-transformers models lie; the default needs none"
    )
    languages: str = Field(
        "en",
        pattern=r"^\s*(every|[a-z]{2}(\s*,\s*[a-z]{2})*)\s*$",
        description="languages that the model knows, as codes with commas between, or `every`; for questions in others"
        " words weigh more (sentence-transformers only)",
    )


class RerankerSettings(Section):
    """A cross-encoder that orders the best of each search anew; none by default."""

    name: str = Field(
        "",
        description="cross-encoder: a folder, or its name in embedder.cache; needs the sentence-transformers extra;"
        " empty: none",
    )
    candidates: int = Field(20, ge=2, le=50, description="best passages of a search that it looks at, one by one")


class EntailmentSettings(Section):
    """A model that judges, behind the rules of grounding, whether passages entail a sentence; none by default."""

    name: str = Field(
        "",
        description="cross-encoder with an output named entailment: a folder, or its name in embedder.cache; needs the"
        " sentence-transformers extra; empty: none",
    )
    sentences: int = Field(12, ge=1, le=100, description="most sentences of an answer that it judges")
    seconds: float = Field(
        1.0,
        gt=0,
        le=10,
        description="longest for a sentence; after one that takes longer, rules judge the answer alone",
    )


class IdentitySettings(Section):
    """The signed identity that row-level security demands on each transaction."""

    key: SecretStr = Field(description="HMAC key, 32 bytes in hex; the database holds the same one")
    seconds: int = Field(60, ge=1, description="how long one signature holds; one is made for each transaction")


class AuditSettings(Section):
    """The audit log."""

    key: SecretStr = Field(description="wraps the per-person keys, 32 bytes in hex")
    close_after_seconds: int = Field(600, ge=1, description="a trail still open after this is closed as abandoned")


class ApiSettings(Section):
    """The HTTP service."""

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless you say otherwise")
    port: int = Field(8700, description="port to listen on")
    max_body_mb: int = Field(50, ge=1, description="largest upload; every other request may have 64 KB")
    max_uploads: int = Field(
        4, ge=1, description="uploads in progress at the same time, of everybody; each may fill max_body_mb of /tmp"
    )
    request_seconds: float = Field(60.0, gt=0, description="limit for a request that does not stream")
    rate_per_minute: int = Field(120, ge=1, description="requests a minute for one key")
    bulk_rate_per_minute: int = Field(3000, ge=1, description="uploads, and looks at their jobs, a minute for one key")
    page_rate_per_minute: int = Field(
        600, ge=1, description="pages of the console a minute for one session, with what is found while somebody types"
    )
    burst: int = Field(60, ge=1, description="requests one key may send at once before the rate counts")
    concurrent: int = Field(8, ge=1, description="requests of one key in progress at the same time")
    stranger_rate_per_minute: int = Field(
        60, ge=1, description="requests a minute without a valid key, wrong keys among them, from one address"
    )
    stranger_burst: int = Field(40, ge=1, description="such requests from one address at once before the rate counts")
    header_seconds: float = Field(10.0, gt=0, description="limit for the head of a request to arrive")
    max_connections: int = Field(1_000, ge=1, description="connections of this process at the same time")
    max_connections_per_address: int = Field(
        200, ge=1, description="of one address, but for trusted proxies; the longest idle one gives way to a new one"
    )
    trusted_proxies: str = Field(
        "",
        description="networks of your own proxies, with commas between, such as 10.0.0.0/8; their proxy_header alone is"
        " believed; empty: no such header is read",
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for", description="the header in which trusted proxies name the client"
    )
    delegation_seconds: int = Field(86_400, ge=1, description="longest that a person may let a service act for them")
    metrics_key: SecretStr | None = Field(None, description="bearer token for /metrics; unset: /metrics is off")
    log_json: bool = Field(True, description="JSON log lines; false for a person at a terminal")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            ipaddress.ip_network(part)
        return value


class ProviderSettings(Section):
    """One identity provider (OpenID Connect). Its name is the source of the people and roles that it vouches for."""

    issuer: str = Field(description="the provider's issuer, exactly as its tokens say it; discovery starts there")
    client_id: str = Field(description="what the provider knows Clearance by")
    client_secret: SecretStr | None = Field(None, description="unset: a public client, which PKCE alone protects")
    label: str = Field("", max_length=60, description="what the sign-in page calls it; empty: the source's name")
    scopes: str = Field("openid profile", pattern=r"(^|.* )openid( .*|$)", description="what is asked for at sign-in")
    subject_claim: Literal["sub", "oid"] = Field(
        "sub", description="the claim that names a person for ever; `oid` for Entra ID, with `tenant`"
    )
    tenant_claim: Literal["tid", "hd"] = Field(
        "tid", description="the claim that names the company at the provider: `tid` of Entra ID, `hd` of Google"
    )
    tenant: str = Field(
        "", description="what that claim must be; empty: not looked at, for providers that have your people alone"
    )
    name_claim: str = Field("preferred_username", description="the claim from which a new person's name is made")
    groups_claim: str = Field("", description="the claim that lists groups; empty: sign-ins change no role")
    groups_hours: float = Field(24.0, gt=0, le=720, description="how long roles of a claim hold without a new sign-in")
    create_people: bool = Field(
        False, description="true: a first sign-in makes the person; false: only people who were provisioned come in"
    )
    audience: str = Field(
        "", description="the `aud` of access tokens that are taken as a key; empty: none are; never the client_id"
    )
    access_token_type: Literal["at+jwt", "jwt"] = Field(
        "at+jwt", description="`typ` of access tokens: `jwt` for Entra ID and Keycloak, which do not follow RFC 9068"
    )
    clients: str = Field(
        "", description="clients whose access tokens are taken (azp or client_id), commas between; empty: any"
    )
    algorithms: str = Field("RS256,ES256,EdDSA,PS256", description="signatures that are taken, with commas between")

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        """Keys that come over plain HTTP could be anybody's, but for those of this machine."""
        return require_safe_url(value, "an issuer")

    @field_validator("algorithms")
    @classmethod
    def _are_asymmetric(cls, value: str) -> str:
        allowed = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
        if not (given := {name.strip() for name in value.split(",")}) <= allowed:
            raise ValueError(f"{', '.join(sorted(given - allowed))}: only signatures with a private key can be taken")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.subject_claim == "oid" and not (self.tenant and self.tenant_claim == "tid"):
            raise ValueError("`oid` is unique within its tenant alone: give `tenant` too")
        if urlsplit(self.issuer).hostname == "accounts.google.com" and not self.tenant:
            raise ValueError("everybody has a Google account: give `tenant_claim` hd, and your domain as `tenant`")
        if self.audience and self.audience == self.client_id:
            raise ValueError("`audience` must not be the client_id: an ID token would pass for an access token")
        return self

    def split(self, name: Literal["clients", "algorithms"]) -> tuple[str, ...]:
        """A list with commas between."""
        return tuple(part.strip() for part in str(getattr(self, name)).split(",") if part.strip())


class SampleSettings(Section):
    """The sample company of `clearance run`, which has no real people in it."""

    people_file: Path | None = Field(
        None,
        description="set by `clearance run` alone: the sample company's people with their keys, as whom a browser of"
        " this machine that is signed in as one of them may go on; unset: nobody goes on as anybody else",
    )


class SignInSettings(Section):
    """Signing in from a browser."""

    public_url: str = Field(
        "", description="address by which people reach this service, without a path; empty: http://localhost and port"
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="longest that a browser stays signed in")
    idle_minutes: float = Field(60.0, ge=2, le=43_200, description="a session that is not used for this long is over")
    link_hours: float = Field(72.0, gt=0, le=720, description="how long a sign-in link is good that nobody has used")
    own_key_days: int = Field(
        90, ge=0, le=3650, description="longest that a key lasts which people make for themselves; 0: they make none"
    )

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(require_safe_url(value, "the public address"))
        if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
            raise ValueError("give the public address without a path, as in https://clearance.example")
        return f"{parts.scheme}://{parts.netloc}".lower()


def require_safe_url(value: str, what: str) -> str:
    """The URL, if it is HTTPS, or HTTP of this machine; raises ValueError."""
    parts = urlsplit(value)
    host = parts.hostname or ""
    loopback = host in {"127.0.0.1", "::1", "localhost"}
    if (parts.scheme != "https" and not (parts.scheme == "http" and loopback)) or not host:
        raise ValueError(f"{what} begins with https://, or with http:// on this machine alone")
    return value


class SearchSettings(Section):
    """How far search looks."""

    depth: int = Field(
        200,
        ge=60,
        le=5_000,
        description="nearest passages by code that are compared exactly, among up to 100,000 that the asker sees; among"
        " more, more of them; `clearance codebook check` says what a corpus needs",
    )


class AnswerSettings(Section):
    """How an answer is made."""

    mode: Literal["generate", "quote"] = Field("generate", description="used when a request names no mode")
    passages: int = Field(8, ge=1, le=50, description="most passages in a context")
    context_tokens: int = Field(1_600, ge=100, description="token budget of the passages in a context")
    history_tokens: int = Field(
        400, ge=0, description="token budget of a conversation's earlier turns in a prompt; 0: the model sees none"
    )
    max_seconds: float = Field(300.0, gt=0, description="longest streamed answer")
    grounding: Literal["drop", "strict", "quote", "mark"] = Field(
        "drop",
        description="what becomes of a model's sentences: drop: those that change or contradict what the passages say"
        " are left out, those not found there are marked; strict: both are left out; quote: one such sentence, and"
        " quotes come instead of the whole answer; mark: nothing is left out",
    )


class AccessSettings(Section):
    """How changes of access are made."""

    second_administrator: bool = Field(
        True,
        description="a plan that gives its author something to read: another one may apply it; false: it is refused",
    )


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
