"""`clearance init` on a database elsewhere: ready at once, safe to run again, one key, shown once."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from app.cli.app import main
from app.cli.database_setup import ADMIN_URL, BACKUP_PASSWORD, OWNER_PASSWORD
from app.db.bootstrap import libpq
from app.db.rls_probe import probe
from app.db.session import Database, Signer, connect
from app.identity.api_keys import hash_key
from tests.support.cluster import PASSWORDS, Cluster

NAME = "t_init"


@pytest.fixture
def admin_url(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The environment of a new installation: roles are the whole server's, so their passwords stay those of the run."""
    url = make_url(cluster.admin_url).set(database=NAME).render_as_string(hide_password=False)
    monkeypatch.setenv(ADMIN_URL, url)
    monkeypatch.setenv(OWNER_PASSWORD, PASSWORDS["clearance_owner"])
    monkeypatch.setenv(BACKUP_PASSWORD, PASSWORDS["clearance_backup"])
    for role in ("app", "ingest", "sequencer", "search"):
        name = f"clearance_{role}"
        monkeypatch.setenv(f"CLEARANCE_DATABASE__{role.upper()}_URL", cluster.server.url(name, PASSWORDS[name], NAME))
    yield url
    cluster.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(NAME)))


def init(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["clearance", "init"])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_a_database_is_made_ready_and_the_key_is_shown_once(
    admin_url: str, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = init(monkeypatch, capsys)
    assert status == 0, err
    [key] = re.findall(r"clr_\w{8}_[\w-]{43}", out)
    drawn = dict(re.findall(r"^(CLEARANCE_\w+)=(\S+)$", out, re.MULTILINE))
    assert set(drawn) == {"CLEARANCE_IDENTITY__KEY", "CLEARANCE_AUDIT__KEY"}
    assert not any(password in out + err for password in (*PASSWORDS.values(), "test-superuser"))
    with psycopg.connect(libpq(make_url(admin_url))) as connection:
        rows = connection.execute("select u.name, k.hash from api_key k join app_user u on u.id = k.user_id").fetchall()
    assert rows == [("admin", hash_key(key))]
    app_url = cluster.server.url("clearance_app", PASSWORDS["clearance_app"], NAME)
    signer = Signer(drawn["CLEARANCE_IDENTITY__KEY"], seconds=60)
    database = Database(connect(app_url, pool_size=1), signer, statement_timeout_ms=15_000)
    probe(database)
    database.engine.dispose()
    for name, value in drawn.items():
        monkeypatch.setenv(name, value)
    status, out, err = init(monkeypatch, capsys)
    assert status == 0
    assert out == ""
    assert "It has an administrator already; no key was made." in err


def test_a_server_that_refuses_is_one_clear_line(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = make_url(cluster.admin_url).set(password="wrong-secret", database=NAME)
    monkeypatch.setenv(ADMIN_URL, wrong.render_as_string(hide_password=False))
    status, _, err = init(monkeypatch, capsys)
    assert status == 1
    assert "PostgreSQL refused" in err
    assert "wrong-secret" not in err
    assert "Traceback" not in err
