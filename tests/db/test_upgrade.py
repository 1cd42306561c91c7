"""A database of the last release, with what a company kept in it, works at the newest revision; revisions only add."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient
from procrastinate.schema import SchemaManager
from psycopg import sql

from app.cli import database_setup
from app.db.bootstrap import alembic_config, close_database, migrate, prepare
from app.db.revisions import UnknownRevision
from app.db.rls_probe import probe
from app.evidence.kept_head import read_head
from app.evidence.verify import verify
from app.local import run
from app.local.secrets import LocalSecrets
from tests.api.services import HEADER
from tests.db.schema_shape import shape
from tests.support.cluster import IDENTITY_KEY, PASSWORDS, Cluster, Db, copied, unmade
from tests.support.company import Company
from tests.support.environment import REPOSITORY
from tests.support.library_db import library_of
from tests.support.openings import opening
from tests.support.service import client_of, database_at, parts_of
from tests.support.worker import work_queued

# Each release and the revision that it ends with, oldest first. A release adds a line, a folder with the digests of its
# revisions, and, where it brought something to keep, a `data.sql` that adds rows to those of the releases before it.
RELEASES = {"0.1.0": "001"}
FOLDER = Path(__file__).parent / "releases"
PEOPLE = ("root", "ada", "ben", "mia", "cleo", "audrey", "bot")
READ = {
    "ada": {"leave.md", "kitchen.md", "salaries.md"},
    "ben": {"leave.md"},
    "mia": {"leave.md", "kitchen.md", "salaries.md", "board/merger.md"},
    "cleo": {"leave.md", "kitchen.md"},
}
ALL_OF_IT = "parental leave, the coffee machine, salary bands and the merger"
# When ben could still read what is denied to him since.
BEFORE_THE_DENY = "2026-11-27T21:26:57Z"
# The head that an auditor of 0.1.0 kept elsewhere.
HEAD = "44:zq0yEkQG9YT9/Bgy+6HXDdeunzgsJWKQp6GugoiYBM8="


def secret(kind: str, who: str) -> str:
    """A key (`clr`) or a delegation (`cld`) of the people in `data.sql`."""
    return f"{kind}_{who:0<8}_{'0' * 43}"


@pytest.fixture(scope="module")
def template(cluster: Cluster) -> Iterator[Db]:
    """Made at the first release, filled by each release in its turn, and upgraded as `clearance init` does it."""
    with unmade(cluster) as made:
        cluster.execute(sql.SQL("create database {} owner clearance_owner").format(sql.Identifier(made.name)))
        with psycopg.connect(made.libpq("admin"), autocommit=True) as connection:
            connection.execute("create extension vector")
            connection.execute("alter schema public owner to clearance_owner")
            close_database(connection, made.name)
        for release, revision in RELEASES.items():
            migrate(made.url("owner"), revision)
            data = FOLDER / release / "data.sql"
            if data.exists():
                with psycopg.connect(made.libpq("admin")) as connection:
                    connection.execute(data.read_bytes())
        prepare(admin_url=cluster.admin_url, database=made.name, passwords=PASSWORDS, identity_key=IDENTITY_KEY)
        yield made


@pytest.fixture
def company(cluster: Cluster, template: Db) -> Iterator[Company]:
    with copied(cluster, template.name) as db:
        made = Company(db, {name: secret("clr", name) for name in PEOPLE})
        rows = made.rows(
            "select d.public_id, d.path, c.name from document d join collection c on c.id = d.collection_id"
        )
        made.documents = {(row["name"], row["path"]): row["public_id"] for row in rows}
        yield made


@pytest.fixture
def client(company: Company) -> Iterator[TestClient]:
    with client_of(parts_of(company.db)) as made:
        yield made


def found(client: TestClient, headers: dict[str, str], query: str = ALL_OF_IT) -> set[str]:
    """The paths of what a search finds."""
    answer = client.post("/api/v1/search", json={"query": query}, headers=headers)
    assert answer.status_code == 200, answer.text
    return {hit["path"] for hit in answer.json()["hits"]}


def get(client: TestClient, company: Company, who: str, path: str, **params: str) -> Any:
    return client.get(f"/api/v1{path}", params=params, headers=company.headers(who))


def test_it_is_what_a_new_database_is(company: Company, db: Db) -> None:
    assert shape(company.db) == shape(db)
    database = database_at(company.db.url("app"), pool_size=1)
    probe(database)
    database.close()


def test_everybody_reads_what_they_read_before(company: Company, client: TestClient) -> None:
    """By meaning and by words, opened, and by a service that acts for somebody."""
    for who, paths in READ.items():
        assert found(client, company.headers(who)) == paths
        for (_, path), document in company.documents.items():
            if not path.startswith("canary") and who != "cleo":  # a curator sees that a document is there
                assert (get(client, company, who, f"/documents/{document}").status_code == 200) == (path in paths), path
    assert found(client, company.headers("mia"), '"merger with Quillfeather"') == {"board/merger.md"}
    assert found(client, company.headers("bot") | {HEADER: secret("cld", "ada")}) == READ["ada"]


def test_conversations_are_their_askers_alone(company: Company, client: TestClient) -> None:
    """An answer from a document that was denied since is withheld."""
    talks = {who: get(client, company, who, "/conversations").json() for who in READ}
    assert {who: len(own) for who, own in talks.items()} == {"ada": 1, "ben": 1, "mia": 0, "cleo": 0}
    [of_ada], [of_ben] = talks["ada"], talks["ben"]
    [turn] = get(client, company, "ada", f"/conversations/{of_ada['id']}").json()["turns"]
    assert "ninety-one thousand florins" in turn["answer"]
    [turn] = get(client, company, "ben", f"/conversations/{of_ben['id']}").json()["turns"]
    assert (turn["withheld"], turn["answer"]) == (True, "")
    assert get(client, company, "mia", f"/conversations/{of_ada['id']}").status_code == 404


def test_the_past_is_known(company: Company, client: TestClient) -> None:
    kitchen = {"document": str(company.documents["handbook", "kitchen.md"]), "user": "ben"}
    assert get(client, company, "cleo", "/access/explain", **kitchen).json()["allowed"] is False
    assert get(client, company, "cleo", "/access/explain", **kitchen, at=BEFORE_THE_DENY).json()["allowed"] is True


def test_the_log_goes_on_from_its_head(company: Company, client: TestClient, tmp_path: Path) -> None:
    """Every record of before is there under the head of before, its words open; new ones come behind."""
    # Who may open words and export is said anew: the right to read the log was all of it before.
    for table in ("app_user", "api_key"):
        company.execute(f"update {table} set capabilities = '{{audit,open,export}}' where capabilities = '{{audit}}'")
    export = get(client, company, "audrey", "/audit/export", opening=opening(client, company, q=""))
    (tmp_path / "log.jsonl").write_bytes(export.content)
    report = verify(tmp_path / "log.jsonl", head=read_head(HEAD))
    assert (report.ok, report.entries) == (True, 44)
    assert "What is the salary band of level five?" in export.text
    assert len(company.records("audit.exported")) == 1


def test_work_goes_on(company: Company, client: TestClient) -> None:
    """An upload that waited is indexed, a rule changes, a person joins a role."""
    work_queued(company.db)
    assert found(client, company.headers("ben")) == {"leave.md", "parking.md"}
    kitchen = company.documents["handbook", "kitchen.md"]
    changed = client.put(f"/api/v1/documents/{kitchen}/access", json={"grants": []}, headers=company.headers("cleo"))
    assert changed.status_code == 200, changed.text
    assert found(client, company.headers("ben")) == {"leave.md", "parking.md", "kitchen.md"}
    gone = client.delete("/api/v1/roles/payroll/members/ada", headers=company.headers("root"))
    assert gone.status_code == 204, gone.text
    assert found(client, company.headers("ada")) == {"leave.md", "parking.md", "kitchen.md"}


@pytest.mark.parametrize("release", RELEASES)
def test_revisions_of_a_release_never_change(release: str) -> None:
    """Once it is tagged; until then `sha256sum` of its files may be taken anew."""
    lines = (FOLDER / release / "revisions.sha256").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split() for line in lines)}
    changed = {n for n, d in listed.items() if hashlib.sha256((REPOSITORY / n).read_bytes()).hexdigest() != d}
    assert changed == set(), f"release {release} has these revisions; a change of the database is a new one"
    script = ScriptDirectory.from_config(alembic_config(""))
    own = {str(Path(r.path).relative_to(REPOSITORY)) for r in script.iterate_revisions(RELEASES[release], "base")}
    assert own <= set(listed), "and all of them"


def test_the_queue_of_the_first_revision_never_changes() -> None:
    """It comes out of procrastinate's package. With another version, 001 needs a copy of this one, and a new revision
    brings what that version changes.
    """
    digest = hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()
    assert digest == "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"


@pytest.mark.parametrize("revision", ["0014", "0fa1de2b77c3"])
def test_a_database_of_an_unknown_revision_is_left_alone(
    db: Db, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    """One of before 0.1.0, or of a newer version. No password is changed, and each command says what to do."""
    with library_of(db) as library:
        library.run("owner", "update alembic_version set version_num = :revision", revision=revision)
    before = shape(db)
    wrong = dict.fromkeys(PASSWORDS, "wrong")
    with pytest.raises(UnknownRevision, match=f"'{revision}'.*before 0.1.0"):
        prepare(admin_url=cluster.admin_url, database=db.name, passwords=wrong, identity_key=IDENTITY_KEY)
    with pytest.raises(UnknownRevision):
        migrate(db.url("owner"))
    monkeypatch.setattr(run, "DATABASE", db.name)
    with pytest.raises(run.CannotRun, match="Run the version that made it, or move the folder postgres away"):
        run._prepare(cluster.admin_url, LocalSecrets(), IDENTITY_KEY)
    with pytest.raises(database_setup.CannotInit, match="Run the version that made it, or name a new database"):
        database_setup.set_up_database({database_setup.ADMIN_URL: db.url("admin")})
    assert shape(db) == before, "its own passwords still open it"


def test_no_revision_is_undone(db: Db) -> None:
    with pytest.raises(NotImplementedError, match="restore a backup"):
        command.downgrade(alembic_config(db.url("owner")), "base")
