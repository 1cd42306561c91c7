"""`clearance run`: starts everything on one machine, from secrets to a ready API, and runs it until Ctrl-C."""

import contextlib
import fcntl
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
from pydantic import ValidationError
from rich.console import Console

from app.client.errors import UserError
from app.db.bootstrap import prepare
from app.db.revisions import UnknownRevision
from app.hardening import forbid_inspection
from app.local import bundled_model, environment
from app.local.environment import RuntimeConfig
from app.local.instance import Instance, process_start
from app.local.ownership import require_own_home
from app.local.ports import address_of, is_free, require_free, responds
from app.local.postgres import SUPERUSER, EmbeddedPostgres
from app.local.programs import Program
from app.local.progress import print_error, print_welcome, timed_step
from app.local.sample_cache import LoadTarget, SampleLoader, SampleWelcome, load_once
from app.local.sample_links import links_for
from app.local.sample_people import PEOPLE_FILE
from app.local.secrets import LocalSecrets
from app.local.signing_key import open_signing_key
from app.local.supervisor import StopRequested, Supervisor
from app.settings import ApiSettings, DatabaseSettings

DATABASE = "clearance"
MODEL_PORT = 8737  # the default of CLEARANCE_MODEL__BASE_URL


class CannotRun(UserError):
    """Something prevents a run; the message says what to do."""


def run(
    folder: Path, *, environ: Mapping[str, str], sample: SampleLoader | None = None, console: Console | None = None
) -> int:
    """Run until SIGINT or SIGTERM (returns 0) or until a program of it keeps ending (prints why and returns 1).

    `folder` (`.clearance`) holds all state. The database and the model that `environ` names are used, or else started
    here. `sample` is called once for a database started here. Main thread only.
    """
    forbid_inspection()  # this process knows every secret
    screen = console or Console()
    home = folder.absolute()
    try:
        _require_ready(home, environ)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock_home(home), Supervisor(home / "logs", report=lambda text: print_error(screen, text)) as supervisor:
            _Startup(home, environ, screen, supervisor).start_all(sample)
            supervisor.run()
    except StopRequested:
        screen.print("Stopped.")
        return 0
    except UserError as failure:
        print_error(screen, str(failure))
        return 1
    return 0


class _Startup:
    """Starts the programs of an instance in order."""

    def __init__(self, home: Path, environ: Mapping[str, str], screen: Console, supervisor: Supervisor) -> None:
        self.home, self.environ, self.screen, self.supervisor = home, environ, screen, supervisor
        self.secrets = LocalSecrets.open(home)
        self.api = _api_settings(environ)
        self.embedded = not environ.get(environment.APP_URL)

    def start_all(self, sample: SampleLoader | None) -> None:
        """Start all programs, write run.json, load the sample, and print what to do next."""
        api_url = f"http://{address_of(self.api.host)}:{self.api.port}"
        instance = Instance(pid=os.getpid(), born=process_start(os.getpid()) or 0, api_url=api_url, model_url="")
        if self.embedded:
            instance = self._start_database(instance)
        else:
            environment.require_external(self.environ)
        urls = self._database_urls(instance)
        model, model_url = self._start_model()
        config = self._config(urls, model, with_sample=self.embedded and sample is not None)
        for program in self._programs(config, instance.api_url):
            with timed_step(self.screen, program.name):
                self.supervisor.start(program)
        instance = replace(instance, model_url=model_url, processes=self.supervisor.pids)
        instance.save(self.home)
        welcome: SampleWelcome | None = None
        if self.embedded and sample is not None:
            with timed_step(self.screen, "sample company"):
                welcome = load_once(self.home, LoadTarget(instance.api_url, urls), sample)
        links = links_for(instance.api_url, welcome) if welcome else ()
        print_welcome(self.screen, instance, welcome, self.home, links)

    def _start_database(self, instance: Instance) -> Instance:
        """Start PostgreSQL, on its last port if that is free, and bring the database up to date."""
        last = Instance.last(self.home)
        port = last.postgres_port if last and last.postgres_port and is_free("127.0.0.1", last.postgres_port) else 0
        server = EmbeddedPostgres(
            self.home / "postgres", password=self.secrets.superuser_password, port=port, uid=_postgres_uid(self.environ)
        )
        with timed_step(self.screen, "postgres"):
            server.start()
            self.supervisor.adopt(
                "postgres",
                alive=lambda: server.pid is not None,
                start=server.start_again,
                stop=server.stop,
                log=server.log_path,
            )
        with timed_step(self.screen, "database"):
            _prepare(
                server.url(SUPERUSER, self.secrets.superuser_password, "postgres"), self.secrets, self._identity_key()
            )
        return replace(instance, postgres_port=server.port, socket_dir=str(server.socket_dir))

    def _database_urls(self, instance: Instance) -> dict[str, str]:
        if instance.postgres_port is None:
            return {
                "clearance_app": self.environ[environment.APP_URL],
                "clearance_ingest": self.environ[environment.INGEST_URL],
                "clearance_sequencer": self.environ[environment.SEQUENCER_URL],
                "clearance_search": self.environ.get(environment.SEARCH_URL, ""),
                "clearance_delivery": self.environ.get(environment.DELIVERY_URL, ""),
            }
        return role_urls(self.secrets.role_passwords(), instance.postgres_port)

    def _start_model(self) -> tuple[dict[str, str], str]:
        """Settings for the API and the model's URL: the bundled one's, unless the environment names another.

        It starts with the first question for a model; whoever answers by quotes alone does without its memory.
        """
        if url := self.environ.get(environment.MODEL_URL):
            return {}, url
        lock = self.home / "model.lock"
        lock.touch(mode=0o600)
        listener = socket.create_server(("127.0.0.1", MODEL_PORT if is_free("127.0.0.1", MODEL_PORT) else 0))
        program = Program(
            "model",
            [sys.executable, "-m", "app.local.model_server", "--listener", str(listener.fileno()), "--lock", str(lock)],
            environment.model_server_environment(self.environ, api_key=self.secrets.model_api_key),
            listener=listener,
        )
        self.supervisor.start_on_demand(program)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        settings = {
            environment.MODEL_URL: url,
            environment.MODEL_KEY: self.secrets.model_api_key,
            environment.MODEL_NAME: bundled_model.MODEL_NAME,
            # As the model server has it; asking would start it.
            environment.MODEL_LOCK: str(lock),
            environment.MODEL_CONTEXT: str(bundled_model.CONTEXT_TOKENS),
        }
        return settings, url

    def _identity_key(self) -> str:
        return self.environ.get(environment.IDENTITY_KEY) or self.secrets.identity_key

    def _config(self, urls: Mapping[str, str], model: Mapping[str, str], *, with_sample: bool) -> RuntimeConfig:
        return RuntimeConfig(
            app_url=urls["clearance_app"],
            ingest_url=urls["clearance_ingest"],
            sequencer_url=urls["clearance_sequencer"],
            delivery_url=urls["clearance_delivery"],
            search_url=urls["clearance_search"],
            identity_key=self._identity_key(),
            audit_key=self.environ.get(environment.AUDIT_KEY) or self.secrets.audit_key,
            signing_key=open_signing_key(self.home).secret(),
            metrics_key=self.secrets.metrics_key,
            model=model,
            embedder_cache=str(self.home / "models"),
            sample_people=str(self.home / PEOPLE_FILE) if with_sample else "",
        )

    def _programs(self, config: RuntimeConfig, api_url: str) -> list[Program]:
        """The API, the sequencer, what delivers the log where that is wanted, and the worker."""
        env, python = self.environ, sys.executable
        api = Program("api", [python, "-m", "app"], environment.api_environment(env, config),
                      ready=lambda: responds(f"{api_url}/readyz"), ready_seconds=120.0)  # fmt: skip
        sequencer_env = environment.sequencer_environment(env, config)
        worker_env = environment.worker_environment(env, config)
        deliveries = []
        if env.get(environment.DELIVERIES):
            delivery_env = environment.delivery_environment(env, config)
            deliveries.append(Program("delivery", [python, "-m", "app.delivery_process"], delivery_env))
        return [
            api,
            Program("sequencer", [python, "-m", "app.sequencer_process"], sequencer_env),
            *deliveries,
            # Last, since loading its parsers takes both cores for seconds.
            Program("worker", [python, "-m", "ingest"], worker_env),
        ]


def role_urls(passwords: Mapping[str, str], port: int | None) -> dict[str, str]:
    """A URL of the embedded database for each database role in `passwords`."""
    return {
        role: f"postgresql+psycopg://{role}:{password}@127.0.0.1:{port}/{DATABASE}"
        for role, password in passwords.items()
    }


def _require_ready(home: Path, environ: Mapping[str, str]) -> None:
    """Raise CannotRun or ForeignHome if a run is impossible, before anything is started or changed."""
    require_own_home(home)
    if instance := Instance.running(home):
        raise CannotRun(_already_running(home, instance))
    api = _api_settings(environ)
    _require_targets(environ.get(environment.DELIVERIES, ""))
    require_free(api.host, api.port)


def _require_targets(deliveries: str) -> None:
    if not deliveries:
        return
    from app.audit.delivery.addresses import DeliveryAddress  # noqa: PLC0415  # few runs deliver

    try:
        DeliveryAddress.parse_all(deliveries)
    except ValueError as error:
        raise CannotRun(f"{environment.DELIVERIES}: {error}") from error


def _api_settings(environ: Mapping[str, str]) -> ApiSettings:
    names = {"host": "CLEARANCE_API__HOST", "port": "CLEARANCE_API__PORT"}
    try:
        return ApiSettings.model_validate({key: environ[name] for key, name in names.items() if name in environ})
    except ValidationError as error:
        raise CannotRun("CLEARANCE_API__PORT must be a number") from error


def _postgres_uid(environ: Mapping[str, str]) -> int:
    name = "CLEARANCE_DATABASE__LOCAL_UID"
    try:
        return DatabaseSettings.model_validate({"local_uid": environ[name]} if name in environ else {}).local_uid
    except ValidationError as error:
        raise CannotRun(f"{name} must be a user id above 0") from error


def _prepare(admin_url: str, secrets: LocalSecrets, identity_key: str) -> None:
    try:
        prepare(admin_url=admin_url, database=DATABASE, passwords=secrets.role_passwords(), identity_key=identity_key)
    except UnknownRevision as unknown:
        raise CannotRun(
            f"{unknown}. Run the version that made it, or move the folder postgres away to begin anew"
        ) from None
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        raise CannotRun(
            "the database was made with another password than the one in secrets.json: "
            "bring back that file from a backup, or move the folder postgres away to begin anew"
        ) from None


@contextlib.contextmanager
def _lock_home(home: Path) -> Iterator[None]:
    """Lock the folder for this run; the kernel unlocks it when the process ends."""
    with (home / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(_already_running(home, Instance.running(home))) from None
        yield


def _already_running(home: Path, instance: Instance | None) -> str:
    where = f" as process {instance.pid} at {instance.api_url}" if instance else ""
    return (
        f"Clearance already runs from {home}{where}: use that one, end it with Ctrl-C in its terminal, or start "
        "another with a folder and a port of its own (CLEARANCE_API__PORT=8701 clearance run --home OTHER)"
    )
