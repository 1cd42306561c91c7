"""`clearance run`: everything on one machine, from secrets to a ready API, until Ctrl-C."""

import contextlib
import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx2
import psycopg
from pydantic import ValidationError
from rich.console import Console

from app.client.errors import UserError
from app.db.bootstrap import UnknownRevision, prepare
from app.hardening import forbid_inspection
from app.local import environment, model_server
from app.local.environment import Wiring
from app.local.instance import Instance, born
from app.local.ownership import require_own
from app.local.postgres import SUPERUSER, EmbeddedPostgres
from app.local.progress import show, step, trouble
from app.local.sample_cache import SampleLoader, Site, Welcome, load_once
from app.local.secrets import LocalSecrets
from app.local.supervisor import Program, StopRequested, Supervisor
from app.settings import ApiSettings, DatabaseSettings

DATABASE = "clearance"
MODEL_PORT = 8737  # the default of CLEARANCE_MODEL__BASE_URL


class CannotRun(UserError):
    """Something that a run needs is not as it must be."""


def run(
    folder: Path, *, environ: Mapping[str, str], sample: SampleLoader | None = None, console: Console | None = None
) -> int:
    """Run until SIGINT or SIGTERM (gives 0) or until something that must run ends (gives 1, and says why).

    `folder` (`.clearance`) keeps all state; `environ` is the person's environment. A database or a model that it names
    is used, else one is started here. `sample` is called once, for a database started here. Main thread only.
    """
    forbid_inspection()  # it knows every secret
    screen = console or Console()
    home = folder.absolute()
    try:
        _require_ready(home, environ)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(home), Supervisor(home / "logs", report=lambda text: trouble(screen, text)) as supervisor:
            _Start(home, environ, screen, supervisor).everything(sample)
            supervisor.run()
    except StopRequested:
        screen.print("Stopped.")
        return 0
    except UserError as failure:
        trouble(screen, str(failure))
        return 1
    return 0


class _Start:
    """The steps of a start, in order."""

    def __init__(self, home: Path, environ: Mapping[str, str], screen: Console, supervisor: Supervisor) -> None:
        self.home, self.environ, self.screen, self.supervisor = home, environ, screen, supervisor
        self.secrets = LocalSecrets.open(home)
        self.api = _api_settings(environ)
        self.embedded = not environ.get(environment.APP_URL)

    def everything(self, sample: SampleLoader | None) -> None:
        """Start all, write run.json, load the sample, and show what to do next."""
        api_url = f"http://{_address(self.api.host)}:{self.api.port}"
        instance = Instance(pid=os.getpid(), born=born(os.getpid()) or 0, api_url=api_url, model_url="")
        if self.embedded:
            instance = self._database(instance)
        else:
            environment.require_external(self.environ)
        urls = self._database_urls(instance)
        model, model_url = self._model()
        wiring = self._wiring(urls, model)
        for program in self._programs(wiring, instance.api_url):
            with step(self.screen, program.name):
                self.supervisor.start(program)
        instance = replace(instance, model_url=model_url, processes=self.supervisor.pids)
        instance.save(self.home)
        welcome: Welcome | None = None
        if self.embedded and sample is not None:
            with step(self.screen, "sample company"):
                welcome = load_once(self.home, Site(instance.api_url, urls), sample)
        show(self.screen, instance, welcome, self.home)

    def _database(self, instance: Instance) -> Instance:
        """Start PostgreSQL, on its former port where that is free, and bring the database up to date."""
        last = Instance.last(self.home)
        port = last.postgres_port if last and last.postgres_port and _is_free("127.0.0.1", last.postgres_port) else 0
        server = EmbeddedPostgres(
            self.home / "postgres", password=self.secrets.superuser_password, port=port, uid=_postgres_uid(self.environ)
        )
        with step(self.screen, "postgres"):
            server.start()
            self.supervisor.adopt(
                "postgres", alive=lambda: server.pid is not None, stop=server.stop, log=server.log_path
            )
        with step(self.screen, "database"):
            _prepare(
                server.url(SUPERUSER, self.secrets.superuser_password, "postgres"), self.secrets, self._identity_key()
            )
        return replace(instance, postgres_port=server.port, socket_dir=str(server.socket_dir))

    def _database_urls(self, instance: Instance) -> dict[str, str]:
        """A URL for each database role."""
        if instance.postgres_port is None:
            return {
                "clearance_app": self.environ[environment.APP_URL],
                "clearance_ingest": self.environ[environment.INGEST_URL],
                "clearance_sequencer": self.environ[environment.SEQUENCER_URL],
                "clearance_search": self.environ.get(environment.SEARCH_URL, ""),
            }
        return {
            role: f"postgresql+psycopg://{role}:{password}@127.0.0.1:{instance.postgres_port}/{DATABASE}"
            for role, password in self.secrets.role_passwords().items()
        }

    def _model(self) -> tuple[dict[str, str], str]:
        """Settings for the API and the model's URL; starts the small model unless the environment names another."""
        if url := self.environ.get(environment.MODEL_URL):
            return {}, url
        port = MODEL_PORT if _is_free("127.0.0.1", MODEL_PORT) else _free_port()
        root = f"http://127.0.0.1:{port}"
        program = Program(
            "model",
            [sys.executable, "-m", "app.local.model_server", "--port", str(port)],
            environment.of_model_server(self.environ, api_key=self.secrets.model_api_key),
            ready=lambda: _answers(f"{root}/health"),
        )
        with step(self.screen, "model"):
            self.supervisor.start(program)
        url = f"{root}/v1"
        settings = {
            environment.MODEL_URL: url,
            environment.MODEL_KEY: self.secrets.model_api_key,
            environment.MODEL_NAME: model_server.MODEL_NAME,
        }
        return settings, url

    def _identity_key(self) -> str:
        return self.environ.get(environment.IDENTITY_KEY) or self.secrets.identity_key

    def _wiring(self, urls: Mapping[str, str], model: Mapping[str, str]) -> Wiring:
        return Wiring(
            app_url=urls["clearance_app"],
            ingest_url=urls["clearance_ingest"],
            sequencer_url=urls["clearance_sequencer"],
            search_url=urls["clearance_search"],
            identity_key=self._identity_key(),
            audit_key=self.environ.get(environment.AUDIT_KEY) or self.secrets.audit_key,
            metrics_key=self.secrets.metrics_key,
            model=model,
            embedder_cache=str(self.home / "models"),
        )

    def _programs(self, wiring: Wiring, api_url: str) -> list[Program]:
        """The worker and the sequencer may end and start again; without the API there is nothing to run for."""
        api = [sys.executable, "-m", "app"]
        env = self.environ
        return [
            Program("api", api, environment.of_api(env, wiring), ready=lambda: _answers(f"{api_url}/readyz"),
                    ready_seconds=120.0),
            Program("sequencer", [sys.executable, "-m", "app.sequencer_process"], environment.of_sequencer(env, wiring),
                    restart=True),
            # Last: it takes both cores for seconds to load its parsers, which the API has better use for.
            Program("worker", [sys.executable, "-m", "ingest"], environment.of_worker(env, wiring), restart=True),
        ]  # fmt: skip


def _require_ready(home: Path, environ: Mapping[str, str]) -> None:
    """Raise CannotRun for what keeps a run from here, before anything is started or changed."""
    require_own(home)
    if instance := Instance.running(home):
        raise CannotRun(_runs_already(home, instance))
    api = _api_settings(environ)
    _require_free(api.host, api.port)


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
def _alone(home: Path) -> Iterator[None]:
    """Hold the folder for this run; the kernel lets go of it when the process ends."""
    with (home / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(_runs_already(home, Instance.running(home))) from None
        yield


def _runs_already(home: Path, instance: Instance | None) -> str:
    where = f" as process {instance.pid} at {instance.api_url}" if instance else ""
    return (
        f"Clearance already runs from {home}{where}: use that one, end it with Ctrl-C in its terminal, or start "
        "another with a folder and a port of its own (CLEARANCE_API__PORT=8701 clearance run --home OTHER)"
    )


def _address(host: str) -> str:
    """How this machine reaches a server that listens on `host`, as it stands in a URL."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # the setting's meaning, not our choice
    return f"[{host}]" if ":" in host else host


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5.0, trust_env=False).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def _require_free(host: str, port: int) -> None:
    """Raise CannotRun unless the API can listen there; says who does already, if that is another Clearance."""
    problem = _binding(host, port)
    if problem is None:
        return
    another = f"set another port: CLEARANCE_API__PORT={port + 1 if 1024 <= port < 65535 else 8701} make run"
    if problem.errno == errno.EADDRINUSE:
        url, taken = f"http://{_address(host)}:{port}", f"port {port} on {host} is taken by another"
        if _is_clearance(url):
            raise CannotRun(f"{taken} Clearance: use that one (--url {url}), or {another}")
        raise CannotRun(f"{taken} program ('ss -ltnp' shows which): end it, or {another}")
    if problem.errno == errno.EACCES:
        raise CannotRun(f"port {port} is for root alone: {another}")
    raise CannotRun(
        f"cannot listen on {host} ({problem.strerror}): set CLEARANCE_API__HOST to an address of this machine"
    )


def _is_clearance(url: str) -> bool:
    """Whether what answers there refuses a stranger as we do."""
    try:
        answer = httpx2.get(f"{url}/api/v1/users/me", timeout=2.0, trust_env=False)
        return bool(answer.json()["type"].startswith("urn:clearance:"))
    except (httpx2.TransportError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_free(host: str, port: int) -> bool:
    return _binding(host, port) is None


def _binding(host: str, port: int) -> OSError | None:
    """What keeps a server from listening there; None if nothing does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: ended connections do not count
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
