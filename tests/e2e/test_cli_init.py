"""`clearance init` on a database elsewhere: ready at once, safe to run again, one key, shown once."""

import re

import psycopg
import pytest
from sqlalchemy import make_url

from app.cli.app import main
from app.cli.database_setup import ADMIN_URL
from app.db.bootstrap import libpq
from app.db.engine import connect
from app.db.rls_probe import probe
from app.db.session import Database, Signer
from app.identity.api_keys import hash_key
from tests.support.cluster import PASSWORDS, Cluster
from tests.support.sealing import SEALER


def init(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["clearance", "init"])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_a_database_is_made_ready_and_the_key_is_shown_once(
    installation: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in installation.items():
        monkeypatch.setenv(name, value)
    status, out, err = init(monkeypatch, capsys)
    assert status == 0, err
    [key] = re.findall(r"clr_\w{8}_[\w-]{43}", out)
    drawn = dict(re.findall(r"^(CLEARANCE_\w+)=(\S+)$", out, re.MULTILINE))
    assert set(drawn) == {"CLEARANCE_IDENTITY__KEY", "CLEARANCE_AUDIT__KEY"}
    assert not any(password in out + err for password in (*PASSWORDS.values(), "test-superuser"))
    with psycopg.connect(libpq(make_url(installation[ADMIN_URL]))) as connection:
        rows = connection.execute("select u.name, k.hash from api_key k join app_user u on u.id = k.user_id").fetchall()
    assert rows == [("admin", hash_key(key))]
    signer = Signer(drawn["CLEARANCE_IDENTITY__KEY"], seconds=60)
    engine = connect(installation["CLEARANCE_DATABASE__APP_URL"], pool_size=1)
    database = Database(engine, signer, statement_timeout_ms=15_000, sealer=SEALER)
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
    wrong = make_url(cluster.admin_url).set(password="wrong-secret", database="none")
    monkeypatch.setenv(ADMIN_URL, wrong.render_as_string(hide_password=False))
    status, _, err = init(monkeypatch, capsys)
    assert status == 1
    assert "PostgreSQL refused" in err
    assert "wrong-secret" not in err
    assert "Traceback" not in err
