"""The embedded PostgreSQL: passwords always, loopback only, and no end of its parent leaves a mess."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from app.local import postgres as module
from app.local.binaries import BinariesMissing, find_binaries, make_reachable
from app.local.orphans import ForeignServer
from app.local.postgres import AlreadyRunning, EmbeddedPostgres, PostgresFailed
from tests.e2e.postgres_cluster import HOLD, PASSWORD, cluster, connect
from tests.support.environment import REPOSITORY
from tests.support.waiting import alive, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with cluster(tmp_path_factory.mktemp("shared") / "pg") as running:
        yield running


@contextlib.contextmanager
def held(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that runs the server: (process, process id of the server)."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), PASSWORD], stdout=subprocess.PIPE, text=True, env=environment
    )
    with holder:
        assert holder.stdout is not None
        try:
            yield holder, int(holder.stdout.readline().split()[0])
        finally:
            holder.kill()


@contextlib.contextmanager
def run_by_hand(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A server on the cluster in `folder` without our runner, as its owner; and the folder of its sockets."""
    with cluster(folder):
        pass
    owner, sockets = (folder / "data").stat(), Path("/tmp") / f"clearance-test-{os.getpid()}"
    sockets.mkdir(mode=0o700, exist_ok=True)
    os.chown(sockets, owner.st_uid, owner.st_gid)
    programs = make_reachable(find_binaries())
    with (folder / "by-hand.log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs.postgres), "-D", "/proc/self/cwd", "-k", str(sockets), "-c", "listen_addresses="],
            cwd=folder / "data", user=owner.st_uid, group=owner.st_gid, extra_groups=[], stdout=log, stderr=log,
        )  # fmt: skip
    try:
        log_of = (folder / "by-hand.log").read_text
        wait_for(lambda: list(sockets.glob(".s.PGSQL.*")), message=log_of, child=process)
        yield process, sockets
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        shutil.rmtree(sockets, ignore_errors=True)


def test_text_is_unicode_ordered_by_code_point_on_checked_pages(server: EmbeddedPostgres) -> None:
    asked = "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), current_setting('data_checksums')"
    with connect(server) as db:
        row = db.execute(f"{asked} FROM pg_database WHERE datname = 'postgres'").fetchone()
    assert row == ("b", "C.UTF-8", "UTF8", "on")


def test_a_wrong_password_is_refused_over_tcp_and_over_the_socket(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(server, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=str(server.socket_dir), port=server.port, user="postgres", password="wrong")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=str(server.socket_dir), port=server.port, user="postgres")
    with psycopg.connect(host=str(server.socket_dir), port=server.port, user="postgres", password=PASSWORD) as db:
        methods = db.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert methods == [("scram-sha-256",)]


def test_it_listens_on_one_loopback_address_alone(server: EmbeddedPostgres) -> None:
    socket.create_connection(("127.0.0.1", server.port)).close()
    with pytest.raises(ConnectionRefusedError):  # a server on every address would answer here too
        socket.create_connection(("127.0.0.2", server.port))
    with socket.socket(socket.AF_INET6) as six, pytest.raises(OSError):  # noqa: PT011  # refused, or no IPv6 at all
        six.connect(("::1", server.port))


def test_folders_are_private_and_the_server_is_not_root(server: EmbeddedPostgres) -> None:
    assert server.socket_dir is not None
    for folder in (server.folder, server.folder / "data", server.socket_dir):
        assert folder.stat().st_mode & 0o077 == 0, folder
    assert len(str(server.socket_dir / f".s.PGSQL.{server.port}")) <= 107
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_the_password_is_on_no_command_line_in_no_environment_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    original_popen = subprocess.Popen.__init__

    def spy(self: object, argv: object, **options: object) -> None:
        seen.extend((repr(argv), repr(options.get("env"))))
        original_popen(self, argv, **options)  # type: ignore[call-overload]  # passed on as it came

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    with cluster(tmp_path / "pg") as server, connect(server) as db, pytest.raises(psycopg.Error):
        db.execute("ALTER ROLE nobody_there PASSWORD 'hunter-two'")
    assert len(seen) >= 4
    assert "initdb" in "".join(seen)
    assert PASSWORD not in "".join(seen)
    files = [path for path in (tmp_path / "pg").rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []
    assert "hunter-two" not in server.log_path.read_text()
    assert "does not exist" in server.log_path.read_text()  # the failure itself is logged
    assert PASSWORD not in repr(server)


def test_a_second_start_on_the_same_folder_says_who_holds_it(server: EmbeddedPostgres) -> None:
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()} already runs"):
        cluster(server.folder).start()
    with connect(server) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_the_server_ends_with_a_parent_killed_by_force(tmp_path: Path) -> None:
    with held(tmp_path / "pg") as (holder, pid):
        with pytest.raises(AlreadyRunning, match=str(holder.pid)):
            cluster(tmp_path / "pg").start()
        holder.kill()
        wait_for(lambda: not alive(pid))
    assert "database system is shut down" in (tmp_path / "pg" / "postgres.log").read_text()  # cleanly, by SIGINT


def test_a_start_right_after_the_parent_was_killed_waits_for_the_old_server(tmp_path: Path) -> None:
    with held(tmp_path / "pg") as (holder, pid):
        holder.kill()
        holder.wait()
        with cluster(tmp_path / "pg") as server, connect(server) as db:
            assert server.pid != pid
            assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_server_killed_by_force_with_a_busy_process_starts_again(tmp_path: Path) -> None:
    first = cluster(tmp_path / "pg").start()
    with connect(first) as db:
        db.execute("CREATE TABLE kept AS SELECT 8 AS n")
        db.execute("CHECKPOINT")
    with contextlib.closing(connect(first)) as busy:
        backend = busy.info.backend_pid
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000000)")
        busy.pgconn.flush()
        time.sleep(0.2)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        first.stop()
        assert alive(backend)  # it notices nothing: this is what would block a restart
        with cluster(tmp_path / "pg") as server, connect(server) as db:
            assert not alive(backend)
            assert db.execute("SELECT n FROM kept").fetchone() == (8,)


def test_all_is_there_after_a_stop_and_a_start_beside_a_lock_file_that_names_some_other_program(tmp_path: Path) -> None:
    """Which is not harmed."""
    with cluster(tmp_path / "pg") as server, connect(server) as db:
        port, pid, sockets = server.port, server.pid, server.socket_dir
        db.execute("CREATE TABLE kept AS SELECT 7 AS n")
    assert pid is not None
    assert sockets is not None
    assert not alive(pid)
    assert not sockets.exists()
    data = tmp_path / "pg" / "data"
    owner = data.stat()
    bystander = subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid, group=owner.st_gid, extra_groups=[])
    try:
        (data / "postmaster.pid").write_text(f"{bystander.pid}\n{data}\n1\n5432\n\n\n\nready\n")
        with cluster(tmp_path / "pg", port) as server, connect(server) as db:
            assert server.port == port
            assert server.pid != bystander.pid
            assert db.execute("SELECT n FROM kept").fetchone() == (7,)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_server_of_ours_without_its_parent_is_stopped_first(tmp_path: Path) -> None:
    with run_by_hand(tmp_path / "pg") as (orphan, sockets):
        (tmp_path / "pg" / "socket_dir").write_text(str(sockets))
        with cluster(tmp_path / "pg") as server, connect(server) as db:
            assert orphan.wait(5) == 0  # a clean end
            assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_something_else_started_is_left_alone(tmp_path: Path) -> None:
    with run_by_hand(tmp_path / "pg") as (foreign, _):
        with pytest.raises(ForeignServer, match=f"process {foreign.pid}"):
            cluster(tmp_path / "pg").start()
        assert foreign.poll() is None
        assert (tmp_path / "pg" / "data" / "postmaster.pid").exists()


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with cluster(tmp_path / "pg") as server, connect(server) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_taken_port_is_named_and_nothing_is_left_running(tmp_path: Path, server: EmbeddedPostgres) -> None:
    second = cluster(tmp_path / "pg", server.port)
    with pytest.raises(PostgresFailed, match="Address already in use"):
        second.start()
    assert second.pid is None


def test_a_port_that_is_taken_in_the_last_moment_is_replaced(
    tmp_path: Path, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([server.port, module.free_port()])
    monkeypatch.setattr(module, "free_port", lambda: next(ports))
    with cluster(tmp_path / "pg") as second:
        assert second.port != server.port


def test_safety_settings_and_many_line_passwords_are_refused(tmp_path: Path) -> None:
    for name in ("listen_addresses", "port", "unix_socket_directories", "x; DROP"):
        with pytest.raises(ValueError, match="may choose"):
            EmbeddedPostgres(tmp_path, password="x", settings={name: "*"})
    for password in ("", "two\nlines"):
        with pytest.raises(ValueError, match="one line"):
            EmbeddedPostgres(tmp_path, password=password)


def test_missing_programs_and_missing_pgvector_are_named(tmp_path: Path) -> None:
    with pytest.raises(BinariesMissing, match="no program"):
        find_binaries(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("initdb", "postgres"):
        (folder / name).touch(mode=0o755)
    with pytest.raises(BinariesMissing, match="no pgvector"):
        find_binaries(folder)


def test_another_thread_may_not_start_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(cluster(tmp_path / "pg").start).result()
