"""`clearance codebook check` against PostgreSQL: it measures what search does; who may measure, and what stops it."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from typer.testing import CliRunner, Result

from app.cli import codebook as command
from app.cli.app import app
from app.db.session import Database
from app.evaluation import vectors as reader
from app.evaluation.codebook import NOT_OWN, SampleVectors, ranks, recall
from app.evaluation.vectors import UnreadableVectors, open_snapshot
from app.retrieval.dense import EXACT_SCAN_LIMIT, nearest
from app.scope_index.protocol import NoIndex
from tests.support.library_db import EMBEDDER, LibraryDb
from tests.support.scope_index_world import BOOK, World, seen, world_in
from tests.support.service import database_at
from tests.support.vector_rows import DIMENSIONS, unit

PASSAGES = EXACT_SCAN_LIMIT + 400
URL, DEPTH = "CLEARANCE_DATABASE__BACKUP_URL", "CLEARANCE_SEARCH__DEPTH"

Check = Callable[..., Result]


@contextlib.contextmanager
def filled(library: LibraryDb) -> Iterator[World]:
    """More passages than PostgreSQL answers alone for, in two scopes that the reader sees, and hidden ones."""
    database = database_at(library.db.url("app"), pool_size=2)
    with contextlib.closing(database), world_in(library, database) as made:
        rng = np.random.default_rng(5)
        made.add("open", unit(rng, PASSAGES - 30))
        made.add("open", unit(rng, 30), scope=1)
        made.lists.load()
        yield made


@pytest.fixture(scope="module")
def world(shared: LibraryDb) -> Iterator[World]:
    with filled(shared) as made:
        yield made


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the command with the URL of the role that dumps, unless another one is given; no service runs."""

    def run(library: LibraryDb, *arguments: str, url: str = "backup", **environ: str) -> Result:
        monkeypatch.setenv(URL, library.db.url(url) if url else "")
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, ["codebook", "check", "--home", str(tmp_path / "home"), *arguments])

    return run


def refusal(result: Result) -> str:
    """Why it did not measure."""
    assert result.exit_code == 2, result.output
    return result.output


def test_what_is_measured_is_what_search_finds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Question by question: recall@10 by ranks and by the real search through the lists, at three depths."""
    monkeypatch.setattr(reader, "BLOCK_ROWS", 700)
    queries = unit(np.random.default_rng(6), 20)
    with open_snapshot(world.library.db.url("backup")) as stored:
        assert (stored.stats.passages, stored.stats.quantizer.digest) == (PASSAGES, BOOK.digest)
        found = ranks(BOOK, SampleVectors(queries, np.full(20, NOT_OWN, np.int64)), stored.blocks())
    with world.database.reading(world.reader.user_id) as session:
        shown = seen(session, world.reader)
        for depth in (15, 40, 400):
            measured = recall(found, 10, depth)
            assert depth == 400 or measured.min() < 1, "the depth matters"
            for query, share in zip(queries, measured, strict=True):
                by_lists = nearest(shown, world.lists, query, limit=10, depth=depth)
                exact = {n.chunk_id for n in nearest(shown, NoIndex(), query, limit=10).near}
                assert by_lists.outcome == "lists"
                assert share == pytest.approx(len(exact & {n.chunk_id for n in by_lists.near}) / 10)


def test_the_corpus_is_measured_with_its_own_passages(world: World, check: Check) -> None:
    wide = check(world.library, "--sample", "40", **{DEPTH: "2000"})
    assert wide.exit_code == 0, wide.output
    assert f"{PASSAGES:,} passages with codes, {DIMENSIONS} dimensions" in wide.output
    assert BOOK.digest in wide.output.replace("\n", "")
    assert "40 passages asked" in wide.output
    assert "--questions FILE measures with real ones" in " ".join(wide.output.split())
    assert re.search(r"^2,000\t1\.0000 1\.000–1\.000\t1\.0000 1\.000–1\.000\tset$", wide.output, re.M)
    [(required_depth, row)] = re.findall(r"^(\d+)\t(.*)\tleast$", wide.output, re.M)
    assert f"(lower ends of the 95 % intervals): {required_depth}." in wide.output
    assert "1.000–1.000" in row
    again = check(world.library, "--sample", "40", **{DEPTH: "2000"})
    assert wide.output == again.output, "the same passages ask each time"


def test_a_depth_that_is_too_small_fails_and_the_line_that_is_shown_mends_it(world: World, check: Check) -> None:
    shallow = check(world.library, "--sample", "40", **{DEPTH: "60"})
    assert shallow.exit_code == 1
    [line] = re.findall(rf"^{DEPTH}=(\d+)$", shallow.output, re.M)
    mended = check(world.library, "--sample", "40", **{DEPTH: line})
    assert mended.exit_code == 0, mended.output
    assert "deep enough" in mended.output


def test_codes_that_never_reach_it_are_said_to(world: World, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus so large that this is beyond all depths."""
    monkeypatch.setattr(command, "required_depth", lambda _found: None)
    never = check(world.library, "--sample", "40")
    assert never.exit_code == 1
    assert "Without CLEARANCE_DATABASE__SEARCH_URL search is exact" in never.output


def test_codes_of_other_vectors_need_all_passages(library: LibraryDb, check: Check) -> None:
    with filled(library) as world:
        blind_codes = "update vector_row set code = substr(sha512(int8send(chunk_id)), 1, :width)"
        world.library.run("admin", blind_codes, width=BOOK.width)
        blind = check(library, "--sample", "40")
    assert blind.exit_code == 1
    [line] = re.findall(rf"^{DEPTH}=(\d+)$", blind.output, re.M)
    assert int(line) > 0.9 * PASSAGES


def test_the_role_that_dumps_and_no_other(world: World, check: Check) -> None:
    for role in ("app", "search", "ingest", "sequencer", "owner", "admin"):
        assert "only clearance_backup" in refusal(check(world.library, url=role))
    with (
        open_snapshot(world.library.db.url("backup")) as stored,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        stored.connection.execute("create table copy (n int)")


def test_it_reads_no_text(world: World, check: Check) -> None:
    """The tables with text are not even there."""
    tables = ("chunk", "original", "document", "posting")
    for table in tables:
        world.library.run("admin", f"alter table {table} rename to {table}_gone")
    assert check(world.library, "--sample", "20", **{DEPTH: "2000"}).exit_code == 0
    for table in tables:
        world.library.run("admin", f"alter table {table}_gone rename to {table}")


def test_what_there_is_nothing_to_measure_on(library: LibraryDb, database: Database, check: Check) -> None:
    assert "nothing is indexed yet" in refusal(check(library))
    with world_in(library, database) as world:
        world.add("open", unit(np.random.default_rng(1), 50))
        assert "50 passages are too few" in refusal(check(library))
        world.add("open", unit(np.random.default_rng(2), 1))
        few = check(library)
        assert few.exit_code == 0
        assert "PostgreSQL alone answers" in few.output
        library.run("admin", "update vector_row set code = null")
        assert "none of 51 passages has a code" in refusal(check(library))


def test_where_the_database_is(library: LibraryDb, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARANCE_DATABASE__APP_URL", library.db.url("app"))
    assert f"set {URL}" in refusal(check(library, url=""))
    with pytest.raises(UnreadableVectors, match="no URL like"), open_snapshot("not an address"):
        pass
    wrong = library.db.url("backup").replace("test-clearance_backup", "wr0ng")
    with pytest.raises(UnreadableVectors, match="refused") as refused, open_snapshot(wrong):
        pass
    assert "wr0ng" not in str(refused.value)
    assert "CLEARANCE_SEARCH__DEPTH: Input should be" in refusal(check(library, **{DEPTH: "5"}))


def test_questions_of_a_file(library: LibraryDb, check: Check, tmp_path: Path) -> None:
    collection = library.collection("words")
    rng = np.random.default_rng(3)
    words = [f"w{n}" for n in range(300)]
    for n in range(6):
        library.document(collection, f"d{n}", *(" ".join(rng.choice(words, 12)) for _ in range(20)))
    file = tmp_path / "questions.txt"
    given = ["--questions", str(file)]
    assert "cannot read the questions" in refusal(check(library, *given))
    file.write_text(" \n\n")
    assert "holds 0 different questions" in refusal(check(library, *given))
    file.write_text("".join(f"what of {word}?\n" for word in words[:19]) + "what of w0?\n")
    assert "holds 19 different questions: at least 20" in refusal(check(library, *given))
    file.write_bytes(b"\xff\xfe")
    assert "cannot read the questions" in refusal(check(library, *given))
    file.write_text("".join(f"what of {a} and {b}?\n\n" for a, b in zip(words[:30], words[30:60], strict=True)))
    hashed = {"CLEARANCE_EMBEDDER__KIND": "hashed"}
    library.run("admin", "insert into index_profile (embedder) values ('other')")
    assert "must be embedded as the passages were" in refusal(check(library, *given, **hashed))
    library.run("admin", "update index_profile set embedder = :digest", digest=EMBEDDER.digest)
    done = check(library, *given, "--sample", "25", **hashed)
    assert done.exit_code == 0, done.output
    assert "25 questions asked" in done.output
    assert "stand in" not in done.output
    assert "120 passages with codes, 384 dimensions" in done.output
