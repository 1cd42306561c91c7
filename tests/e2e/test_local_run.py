"""`clearance run` on the real database and the real model, with stand-ins for API, worker and sequencer."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from app.local.environment import DELIVERIES
from app.local.instance import Instance
from app.local.ports import responds
from app.local.secrets import LocalSecrets
from tests.support.environment import REPOSITORY, free_port
from tests.support.http_stub import http_stub, status
from tests.support.waiting import alive, wait_for

# Each stand-in writes its environment to NAME.env in the folder above the home folder and stays.
DRIVER = """
import os, sys
from dataclasses import replace
from pathlib import Path
from rich.console import Console
from app.local import run as module
from app.local.sample_cache import SampleUser, SampleWelcome

home = Path(sys.argv[1])
note = "import json, os, pathlib, time; pathlib.Path({!r}).write_text(json.dumps(dict(os.environ))); "
serve = (
    "import http.server, socketserver\\n"
    "class H(http.server.BaseHTTPRequestHandler):\\n"
    "  def do_GET(self): self.send_response(200 if self.path == '/readyz' else 404); self.end_headers()\\n"
    "http.server.HTTPServer(('127.0.0.1', PORT), H).serve_forever()"
)
original = module._Startup._programs

def stand_ins(self, wiring, api_url):
    for program in original(self, wiring, api_url):
        body = serve.replace("PORT", str(self.api.port)) if program.name == "api" else "time.sleep(600)"
        code = note.format(str(home.parent / f"{program.name}.env")) + "\\n" + body
        yield replace(program, argv=[sys.executable, "-c", code])

def sample(site):
    print("sample loaded through", site.base_url, sorted(site.database_urls), flush=True)
    return SampleWelcome((SampleUser("Ada", "engineering", "the-key"),), ("clearance ask",))

module._Startup._programs = stand_ins
sys.exit(module.run(home, environ=os.environ, sample=sample, console=Console(width=200)))
"""

TARGET = "archive folder /var/lib/log jsonl"


@contextlib.contextmanager
def running(home: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A run in a process of its own, and what it shows."""
    output, own = home.parent / "output", {"CLEARANCE_API__PORT": str(port), "OTHER_SECRET": "x", DELIVERIES: TARGET}
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), **own}
    with output.open("w") as file:
        process = subprocess.Popen([sys.executable, "-c", DRIVER, str(home)], stdout=file, stderr=file, env=environ)
    try:
        yield process, output
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()


def ready(home: Path, process: subprocess.Popen[bytes], output: Path) -> Instance:
    """The instance, as soon as it says so."""
    wait_for(lambda: "clearance ask" in output.read_text(), seconds=60, message=output.read_text, child=process)
    instance = Instance.running(home)
    assert instance is not None
    return instance


def test_a_first_run_a_second_run_and_lost_secrets(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    with running(home, port) as (process, output):
        instance = ready(home, process, output)
        assert "Clearance runs at" in output.read_text()
        assert instance.pid == process.pid
        assert httpx2.get(f"{instance.api_url}/readyz", trust_env=False).status_code == 200
        secrets = LocalSecrets.open(home)
        headers = {"Authorization": f"Bearer {secrets.model_api_key}"}
        assert httpx2.get(f"{instance.model_url}/models", headers=headers, trust_env=False).status_code == 200
        owner = f"postgresql://clearance_owner:{secrets.owner_password}@127.0.0.1:{instance.postgres_port}/clearance"
        with psycopg.connect(owner) as db:
            assert db.execute("SELECT count(*) FROM pg_extension WHERE extname = 'vector'").fetchone() == (1,)
        assert "sample loaded through" in output.read_text()
        check_environments(tmp_path, secrets)
        said = refused(home, free_port())
        assert f"already runs from {home} as process {process.pid} at http://127.0.0.1:{port}" in said
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert not any(alive(pid) for pid in instance.processes.values())
        assert Instance.running(home) is None
        shown = output.read_text()
        assert not any(value in shown for value in (*secrets.role_passwords().values(), secrets.superuser_password))
    with running(home, port) as (process, output):
        assert ready(home, process, output).postgres_port == instance.postgres_port
        assert "sample loaded through" not in output.read_text()
    (home / "secrets.json").unlink()
    with running(home, port) as (process, output):
        assert process.wait(60) == 1
        assert "another password than the one in secrets.json" in output.read_text()
    assert (home / "postgres" / "data" / "PG_VERSION").exists()


def check_environments(folder: Path, secrets: LocalSecrets) -> None:
    """No process has a password or key that is not its own."""
    for name, wanted in (
        ("api", {"app_password", "search_password", "identity_key", "audit_key", "metrics_key", "model_api_key"}),
        ("worker", {"ingest_password"}),
        ("sequencer", {"sequencer_password"}),
        ("delivery", {"delivery_password"}),
    ):
        file = folder / f"{name}.env"
        # Only the API is awaited by a start, the others may still be on their way.
        text = wait_for(lambda file=file: file.exists() and file.read_text().endswith("}") and file.read_text())  # type: ignore[misc]
        assert {key for key, value in vars(secrets).items() if value in text} == wanted, name
        assert "OTHER_SECRET" not in text


def test_a_run_killed_by_force_leaves_nothing_and_the_next_outlives_its_api(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    with running(home, port) as (process, output):
        started = list(ready(home, process, output).processes.values())
        process.kill()
        process.wait()
        wait_for(lambda: not any(map(alive, started)))
    with running(home, port) as (process, output):
        instance = ready(home, process, output)
        os.kill(instance.processes["worker"], signal.SIGKILL)
        wait_for(lambda: "worker ended by SIGKILL" in output.read_text(), message=output.read_text)
        assert process.poll() is None
        os.kill(instance.processes["api"], signal.SIGKILL)
        wait_for(lambda: "api is started again" in output.read_text(), message=output.read_text)
        wait_for(lambda: responds(f"{instance.api_url}/readyz"), seconds=20, message=output.read_text)
        assert process.poll() is None
        assert "model" not in instance.processes, "nobody has asked for it"


def refused(home: Path, port: int, *, user: int = 0) -> str:
    """What a run says that ends before it begins."""
    argv = [sys.executable, "-m", "app.cli", "run", "--home", str(home)]
    if user:
        # This Python may lie where only its owner can start it: the user is changed by the process itself.
        code = "import os, sys; import app.cli.app, app.local.run, app.local.sample; "
        code += f"os.setgroups([]); os.setgid({user}); os.setuid({user}); "
        code += f"sys.argv = ['clearance', 'run', '--home', {str(home)!r}]; app.cli.app.main()"
        argv = [sys.executable, "-c", code]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CLEARANCE_API__PORT": str(port)}
    ended = subprocess.run(argv, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return " ".join((ended.stdout + ended.stderr).split())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"hello", "by another program"),
        (b'{"type": "urn:clearance:error:NotSignedIn"}', "by another Clearance: use that"),
    ],
)
def test_a_taken_port_is_named_before_anything_is_made(tmp_path: Path, answer: bytes, says: str) -> None:
    """Another program and another Clearance, told apart; no folder, no secret, no database is left behind."""
    with http_stub(status(401, answer)) as url:
        port = int(url.rpartition(":")[2])
        shown = refused(tmp_path / "home", port)
    assert f"port {port} on 127.0.0.1 is taken {says}" in shown
    assert "CLEARANCE_API__PORT=" in shown
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be another user")
@pytest.mark.parametrize("inside", [False, True])
def test_the_folder_of_another_user_is_refused_and_left_as_it_is(tmp_path: Path, inside: bool) -> None:
    """By root for a user's, and where one file of it is another user's."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "run.json").write_text("{}")
    os.chown(home / "run.json" if inside else home, 65534, 65534)
    before = sorted((p.name, p.stat().st_uid, p.stat().st_mode) for p in (home, *home.iterdir()))
    assert "belongs to nobody and you are root" in refused(home, free_port())
    assert sorted((p.name, p.stat().st_uid, p.stat().st_mode) for p in (home, *home.iterdir())) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be another user")
def test_a_user_is_told_whose_the_folder_is() -> None:
    """The one of root, and a place where none can be made."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        place.chmod(0o755)
        (place / "home").mkdir(mode=0o700)
        told = [refused(place / name, free_port(), user=65534) for name in ("home", "none")]
    assert "belongs to root and you are nobody" in told[0]
    assert "is not yours to write to: run it in a folder of your own" in told[1]


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    assert "others can write to" in refused(home, free_port())
    assert list(home.iterdir()) == []


def test_a_run_lets_nobody_look_into_its_memory(tmp_path: Path) -> None:
    """It knows every secret: from its first step on it cannot be traced, also where it ends at once."""
    code = "import atexit, ctypes, sys; import app.cli.app; "
    code += "atexit.register(lambda: print('dumpable', ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))); "
    code += f"sys.argv = ['clearance', 'run', '--home', {str(tmp_path)!r}]; app.cli.app.main()"
    tmp_path.chmod(0o777)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert "dumpable 0" in ended.stdout
