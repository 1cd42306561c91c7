"""The parts of `clearance run` that need no server: environments, run.json, the kept sample, the screen."""

import io
import json
import os
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from app.local.environment import (
    APP_URL,
    RuntimeConfig,
    SettingsMissing,
    api_environment,
    delivery_environment,
    model_server_environment,
    require_external,
    sequencer_environment,
    worker_environment,
)
from app.local.instance import Instance, process_start
from app.local.ports import address_of
from app.local.progress import _runnable, print_error, print_welcome, timed_step
from app.local.run import run
from app.local.sample_cache import LoadTarget, SampleUser, SampleWelcome, load_once

WIRING = RuntimeConfig(
    app_url="postgresql+psycopg://clearance_app:APP@h/d",
    ingest_url="postgresql+psycopg://clearance_ingest:INGEST@h/d",
    sequencer_url="postgresql+psycopg://clearance_sequencer:SEQUENCER@h/d",
    delivery_url="postgresql+psycopg://clearance_delivery:DELIVERY@h/d",
    search_url="postgresql+psycopg://clearance_search:LISTS@h/d",
    identity_key="IDENTITY",
    audit_key="AUDIT",
    signing_key="SIGNING",
    metrics_key="METRICS",
    model={"CLEARANCE_MODEL__API_KEY": "MODEL"},
    embedder_cache="/models",
)
SECRETS = {
    *(
        "APP",
        "LISTS",
        "INGEST",
        "SEQUENCER",
        "DELIVERY",
        "IDENTITY",
        "AUDIT",
        "SIGNING",
        "METRICS",
        "MODEL",
        "ADMIN",
        "CLOUD",
    ),
    "PROXY",
}
ENVIRON = {
    "PATH": "/bin",
    "AWS_SECRET_ACCESS_KEY": "CLOUD",
    "https_proxy": "http://PROXY",
    "CLEARANCE_DATABASE__ADMIN_URL": "postgresql+psycopg://postgres:ADMIN@h/d",
    "CLEARANCE_EMBEDDER__THREADS": "1",
    "CLEARANCE_ANSWER__PASSAGES": "3",
    "CLEARANCE_WORKER__CONCURRENCY": "1",
    "CLEARANCE_AUDIT__CLOSE_AFTER_SECONDS": "60",
    "CLEARANCE_AUDIT__KEY": "AUDIT",
}


INSTANCE = Instance(pid=1, born=1, api_url="http://127.0.0.1:8700", model_url="m")


def held(environment: dict[str, str]) -> set[str]:
    """Which secrets stand in an environment."""
    return {secret for secret in SECRETS if any(secret in value for value in environment.values())}


def test_each_process_gets_its_own_secrets_and_no_other() -> None:
    assert held(api_environment(ENVIRON, WIRING)) == {"APP", "LISTS", "IDENTITY", "AUDIT", "METRICS", "MODEL", "PROXY"}
    assert held(worker_environment(ENVIRON, WIRING)) == {"INGEST"}
    assert held(sequencer_environment(ENVIRON, WIRING)) == {"SEQUENCER", "SIGNING"}
    delivery = delivery_environment(ENVIRON | {"CLEARANCE_AUDIT__DELIVERIES": "a folder /a jsonl"}, WIRING)
    assert held(delivery) == {"DELIVERY", "PROXY"}
    assert delivery["CLEARANCE_AUDIT__DELIVERIES"] == "a folder /a jsonl"
    assert held(model_server_environment(ENVIRON, api_key="MODEL")) == {"MODEL"}
    assert held({"repr": repr(WIRING)}) == set()


def test_a_signing_key_of_ones_own_reaches_the_sequencer_alone() -> None:
    own = ENVIRON | {"CLEARANCE_AUDIT__SIGNING_KEY": "OWN", "CLEARANCE_AUDIT__PREVIOUS_SIGNING_KEY": "BEFORE"}
    sequencer = sequencer_environment(own, WIRING)
    assert sequencer["CLEARANCE_AUDIT__SIGNING_KEY"] == "OWN"
    assert sequencer["CLEARANCE_AUDIT__PREVIOUS_SIGNING_KEY"] == "BEFORE"
    for environment in (api_environment(own, WIRING), worker_environment(own, WIRING)):
        assert not {name for name in environment if "SIGNING" in name}


@pytest.mark.parametrize("name", ["CLEARANCE_AUDIT__WITNESSES", "CLEARANCE_AUDIT__TIMESTAMPS"])
def test_who_dates_and_witnesses_the_log_is_reached_through_the_proxy(name: str) -> None:
    sequencer = sequencer_environment(ENVIRON | {name: "https://elsewhere.example"}, WIRING)
    assert sequencer[name] == "https://elsewhere.example"
    assert held(sequencer) == {"SEQUENCER", "SIGNING", "PROXY"}


def test_settings_reach_the_processes_that_have_a_use_for_them() -> None:
    api, worker = api_environment(ENVIRON, WIRING), worker_environment(ENVIRON, WIRING)
    assert api["CLEARANCE_ANSWER__PASSAGES"] == "3"
    assert "CLEARANCE_ANSWER__PASSAGES" not in worker
    assert worker["CLEARANCE_WORKER__CONCURRENCY"] == "1"
    assert sequencer_environment(ENVIRON, WIRING)["CLEARANCE_AUDIT__CLOSE_AFTER_SECONDS"] == "60"
    for environment in (api, worker):
        assert environment["CLEARANCE_EMBEDDER__THREADS"] == "1"
        assert environment["CLEARANCE_EMBEDDER__CACHE"] == "/models"
        assert environment["PATH"] == "/bin"
    own = ENVIRON | {"CLEARANCE_EMBEDDER__CACHE": "/mine", "CLEARANCE_API__METRICS_KEY": "own"}
    assert worker_environment(own, WIRING)["CLEARANCE_EMBEDDER__CACHE"] == "/mine"
    assert api_environment(own, WIRING)["CLEARANCE_API__METRICS_KEY"] == "own"


def test_the_api_has_two_processes_where_there_are_two_cores_unless_it_is_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "CLEARANCE_API__PROCESSES"
    for cores, processes in ((1, "1"), (2, "2"), (64, "2")):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert api_environment(ENVIRON, WIRING)[name] == processes
    assert api_environment(ENVIRON | {name: "5"}, WIRING)[name] == "5"
    assert name not in worker_environment(ENVIRON | {name: "5"}, WIRING)


def test_plans_are_kept_in_a_database_of_ones_own() -> None:
    """Before another one a pooler may stand, where they would get lost."""
    name = "CLEARANCE_DATABASE__PREPARE_STATEMENTS"
    own = {key: value for key, value in ENVIRON.items() if key != APP_URL}
    assert api_environment(own, WIRING)[name] == "true"
    assert api_environment(own | {name: "false"}, WIRING)[name] == "false"
    assert name not in api_environment(own | {APP_URL: "postgresql+psycopg://elsewhere"}, WIRING)


def test_a_target_that_is_none_prevents_a_run(tmp_path: Path) -> None:
    """Before anything is started, not when its process has ended for the sixth time."""
    screen = io.StringIO()
    environ = {"CLEARANCE_AUDIT__DELIVERIES": "a folder log jsonl"}
    assert run(tmp_path / "home", environ=environ, console=Console(file=screen, width=200)) == 1
    said = screen.getvalue()
    assert "CLEARANCE_AUDIT__DELIVERIES: a: name the folder by its whole path" in said
    assert not (tmp_path / "home").exists()


def test_a_database_elsewhere_needs_every_url_and_key() -> None:
    environ = {"CLEARANCE_DATABASE__APP_URL": "x", "CLEARANCE_DATABASE__INGEST_URL": "x"}
    with pytest.raises(SettingsMissing, match="SEQUENCER_URL, CLEARANCE_IDENTITY__KEY, CLEARANCE_AUDIT__KEY must"):
        require_external(environ)
    names = ("DATABASE__SEQUENCER_URL", "IDENTITY__KEY", "AUDIT__KEY")
    given = environ | {f"CLEARANCE_{name}": "x" for name in names}
    require_external(given)
    with pytest.raises(SettingsMissing, match="DELIVERY_URL must"):
        require_external(given | {"CLEARANCE_AUDIT__DELIVERIES": "a folder /a jsonl"})


def test_the_instance_is_believed_only_while_its_process_lives(tmp_path: Path) -> None:
    assert Instance.running(tmp_path) is None
    process = subprocess.Popen(["/bin/sleep", "60"])
    started = process_start(process.pid)
    assert started is not None
    instance = Instance(
        pid=process.pid, born=started, api_url="u", model_url="m", postgres_port=5, processes={"api": 7}
    )
    instance.save(tmp_path)
    assert Instance.running(tmp_path) == instance
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    process.kill()
    process.wait()
    assert Instance.running(tmp_path) is None
    assert Instance.last(tmp_path) == instance
    Instance(pid=os.getpid(), born=started, api_url="u", model_url="m").save(tmp_path)  # a number used again
    assert Instance.running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"unknown": 1}'])
def test_a_damaged_run_file_names_no_instance(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert Instance.last(tmp_path) is None


def test_the_sample_is_loaded_once_and_again_after_a_failure(tmp_path: Path) -> None:
    welcome = SampleWelcome((SampleUser("Ada", "engineering", "KEY"),), ("clearance ask",))
    calls: list[LoadTarget] = []

    def loader(site: LoadTarget) -> SampleWelcome:
        calls.append(site)
        if len(calls) == 1:
            raise OSError("broken off")
        return welcome

    site = LoadTarget("http://127.0.0.1:1", {"clearance_owner": "URL"})
    with pytest.raises(OSError, match="broken off"):
        load_once(tmp_path, site, loader)
    assert load_once(tmp_path, site, loader) == welcome
    assert load_once(tmp_path, site, loader) == welcome
    assert len(calls) == 2
    assert (tmp_path / "sample.json").stat().st_mode & 0o777 == 0o600
    assert "URL" not in repr(site)
    assert "KEY" not in repr(welcome)


def test_the_screen_shows_where_who_and_what_to_try() -> None:
    output = io.StringIO()
    key = "clr_k[1]" + "x" * 40
    welcome = SampleWelcome((SampleUser("Ada", "engineering " * 9, key),), ("clearance ask 'How [1]?'",))
    print_welcome(Console(file=output, width=70), INSTANCE, welcome, Path(".clearance"))
    for text in ("http://127.0.0.1:8700", "Ada", "engineering", ".clearance/people.json", "clearance ask 'How [1]?'"):
        assert text in output.getvalue()
    assert "--home" not in output.getvalue()
    print_welcome(Console(file=output, width=170), INSTANCE, welcome, Path("/srv/other"))
    assert "/srv/other/people.json" in output.getvalue()
    assert "clearance ask 'How [1]?' --home /srv/other\n" in output.getvalue()
    assert key not in output.getvalue()


def test_the_screen_shows_links_whole() -> None:
    """However narrow it is: a link that is broken by a line end is no link."""
    output = io.StringIO()
    link = "http://localhost:8700/sign-in/link?token=cll_abcdefgh_" + "x" * 43
    welcome = SampleWelcome((SampleUser("freya", "engineering", "clr_k"),), ())
    print_welcome(Console(file=output, width=40), INSTANCE, welcome, Path("/srv/other"), [("freya", link)])
    assert f"  freya   {link}\n" in output.getvalue()
    assert "people invite NAME --loopback --as ada --home /srv/other\n" in output.getvalue()


def test_without_a_sample_the_screen_says_how_to_sign_in() -> None:
    output = io.StringIO()
    print_welcome(Console(file=output, width=200), INSTANCE, None, Path(".clearance"))
    assert "clearance people invite NAME" in output.getvalue()


def test_the_screen_says_no_markup() -> None:
    """On the console that the command line has, where text is only text."""
    output = io.StringIO()
    console = Console(file=output, width=80, markup=False)
    with timed_step(console, "a step"):
        pass
    print_error(console, "it [failed]")
    welcome = SampleWelcome((SampleUser("Ada", "engineer", "clr_k"),), ("clearance demo",))
    print_welcome(console, INSTANCE, welcome, Path(".clearance"))
    assert "it [failed]" in output.getvalue()
    assert "[/" not in output.getvalue()


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("fd00::1", "[fd00::1]")],
)
def test_the_url_is_one_that_can_be_reached(host: str, shown: str) -> None:
    assert address_of(host) == shown


def test_a_wrong_port_and_missing_settings_are_named(tmp_path: Path) -> None:
    for environ, message in (
        ({"CLEARANCE_API__PORT": "many"}, "CLEARANCE_API__PORT must be a number"),
        ({"CLEARANCE_DATABASE__APP_URL": "x", "CLEARANCE_API__PORT": "0"}, "CLEARANCE_IDENTITY__KEY"),
    ):
        output = io.StringIO()
        assert run(tmp_path / "home", environ=environ, console=Console(file=output, width=500)) == 1
        assert message in output.getvalue()
    assert json.loads((tmp_path / "home" / "secrets.json").read_text())
    assert not (tmp_path / "home" / "postgres").exists()


def test_commands_to_try_work_as_they_stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With its path from here, unless the shell finds it: a newcomer has not activated anything."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "clearance").touch(mode=0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    assert _runnable("clearance ask 'How?'") == "bin/clearance ask 'How?'"
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert _runnable("clearance ask 'How?'") == "clearance ask 'How?'"
