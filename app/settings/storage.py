"""The database, and the processes that hold lists of its codes."""

from pydantic import Field, SecretStr

from app.settings.section import Section


class DatabaseSettings(Section):
    """Where PostgreSQL is, one URL for each database role (`postgresql+psycopg://role:password@host/name`)."""

    app_url: SecretStr | None = Field(None, description="API: reads documents only under row-level security")
    ingest_url: SecretStr | None = Field(None, description="worker: writes documents, cannot change who may read them")
    sequencer_url: SecretStr | None = Field(None, description="audit sequencer: orders audit records, adds only")
    delivery_url: SecretStr | None = Field(None, description="delivery: reads the log's records, sealed as they are")
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


class WorkerOptions(Section):
    """The ingest worker."""

    concurrency: int = Field(2, ge=1, description="files worked on at the same time: one is parsed, one embedded")
    attempts: int = Field(5, ge=1, description="tries of a file when a part of ours fails; a bad file has one")
    stalled_after_seconds: int = Field(
        30, ge=3, description="a worker silent for this long has died: others take up its files"
    )
    keep_jobs_days: int = Field(30, ge=1, description="days after which uploads that have ended are forgotten")
    keep_conversations_days: int = Field(
        0,
        ge=0,
        description="days without a question after which a conversation goes; 0: when its asker says",
    )
    log_json: bool = Field(True, description="JSON log lines; false for a person at a terminal")
    parser_uid: int = Field(
        61101, gt=0, description="started by root only: user id that parsers run as; nothing else may have it"
    )
    allow_unconfined_parsing: bool = Field(
        False,
        description="true: read files also where the kernel cannot confine a parser; a hostile file may then reach all"
        " that the worker reaches, its database role included",
    )
