"""Rows with text have few doors: outside of them nothing names their tables, neither as a model nor inside a string."""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.contracts.table_usage import ANY, MODULES, TEXT, reached
from tests.support.environment import REPOSITORY

# Each file that may reach tables with text, and which: no more than it does, so that a door that is needless is found.
DOORS = {
    # What a search, a list, an opened document and a downloaded one read, under the caller's scopes.
    "app/retrieval/dense.py": {"vector_row"},
    "app/retrieval/reader.py": {"vector_row"},
    "app/retrieval/lexical.py": {"posting"},
    "app/retrieval/phrases.py": {"original", "chunk"},
    "app/retrieval/passage_rows.py": {"document", "original", "chunk"},
    "app/retrieval/filters.py": {"document", "chunk"},
    "app/retrieval/neighbors.py": {"chunk"},
    # What a pseudonym stands for, by the passages in which it stands, and no word of theirs.
    "app/retrieval/pseudonym_rows.py": {"document", "chunk"},
    # How much stands in the caller's scopes, as numbers.
    "app/acl/visible.py": {"scope_volume"},
    # What documents in records of the log were called, for their readers.
    "app/audit/library_names.py": {"document", "path_history", "title_history", "collection_name_history"},
    # Codes and numbers of scopes, as a database role of its own.
    "app/scope_index/database_reader.py": {"vector_row"},
    "app/retrieval/document_list.py": {"document", "original"},
    "app/retrieval/browse.py": {"document", "original", "chunk", "ingest_job"},
    # Conversations, for who asked.
    "app/answer/conversation_store.py": {
        "conversation",
        "turn",
        "turn_answer",
        "turn_source",
        "document",
        "conversations",
    },
    # `clearance codebook check`: vectors alone, as a database role that no service has.
    "app/evaluation/vectors.py": {"vector_row"},
    # Where a document stands and under which rule; no column with text.
    "app/acl/placement.py": {"document", "ingest_job"},
    "app/acl/sync.py": {"document", "ingest_job"},
    "app/acl/explain.py": {"document"},
    # The worker, as its own database role.
    "ingest/write.py": {"document", "original", "chunk", "vector_row", "posting", "ingest_job"},
    "ingest/pipeline.py": {"document", "ingest_job"},
    # Counts of rows: at the start, each locked table; in `clearance doctor`, uploads that wait.
    "app/db/rls_probe.py": {ANY},
    "app/cli/doctor/checks.py": {"ingest_job"},
    # `clearance eval`: paths by passage, of a service that it made for a dataset and throws away.
    "app/local/scratch_instance.py": {"document", "chunk"},
}
MODELS_OF_TEXT = {f"app.db.tables.{module}" for module in MODULES}


def python_files() -> list[Path]:
    return sorted(p for folder in ("app", "ingest") for p in (REPOSITORY / folder).rglob("*.py"))


def test_text_is_reached_through_its_doors_alone() -> None:
    """Also the other way round: a door that reaches less than it may is too wide."""
    found = {
        name: set(tables)
        for path in python_files()
        if not (name := path.relative_to(REPOSITORY).as_posix()).startswith("app/db/tables/")
        if (tables := reached(path.read_text("utf-8")))
    }
    assert found == DOORS


def test_the_import_contract_has_the_same_doors() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    held = {m: set(c["allowed_importers"]) for c in contracts for m in c.get("protected_modules", ())}
    for module in MODELS_OF_TEXT:
        doors = {d.removesuffix(".py").replace("/", ".") for d in DOORS if _imports(REPOSITORY / d, module)}
        assert held[module] == doors | {"app.db.tables"}


def test_no_model_leads_to_text() -> None:
    """A relationship would hand out rows of another table to whoever holds one of its own."""
    for path in (REPOSITORY / "app/db/tables").glob("*.py"):
        assert "relationship" not in path.read_text("utf-8"), path


def _imports(path: Path, module: str) -> bool:
    package, _, last = module.rpartition(".")
    return any(
        node.module == module or (node.module == package and last in {a.name for a in node.names})
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
    )


@pytest.mark.parametrize(
    ("line", "table"),
    [
        ('text("select text from chunk")', "chunk"),
        ('session.execute("SELECT * FROM public.document d WHERE true")', "document"),
        ('text("select 1 from scope s join vector_row v on true")', "vector_row"),
        ("text('''\n select 1\n from scope,\n posting''')", "posting"),
        ('text("update original set title = :t")', "original"),
        ('text(f"delete from chunk where id = {n}")', "chunk"),
        ('text(f"select count(*) from {table}")', ANY),
        ('text(f"select 1 from scope s {how} join {table} t on true")', ANY),
        ('text(f"select 1 from scope s join {schema}.chunk c on true")', "chunk"),
        ('Q = "insert into posting values (1)"', "posting"),
        ('cursor.execute("copy chunk to stdout")', "chunk"),
        ('cursor.execute(b"select content from ingest_job")', "ingest_job"),
        ('text("select text from/* */chunk")', "chunk"),
        ('text("select text from -- the passages\\n chunk")', "chunk"),
        ('text("select * from (chunk c cross join scope s)")', "chunk"),
        ('text("select 1 from scope, lateral (select 1 from \\"chunk\\") c")', "chunk"),
        ('text("with x as (delete from chunk returning text) table x")', "chunk"),
        ('text("table chunk")', "chunk"),
        ('text("merge into original using scope on true")', "original"),
        ('text("delete from scope using chunk")', "chunk"),
        ('text("select answer from turn_answer")', "turn_answer"),
        ('text("delete from turn where true")', "turn"),
        ('text("select text from " + name)', ANY),
        ('text("select text " + "from " + "chunk")', "chunk"),
        ('BEHIND = " from chunk"\ntext("select text" + BEHIND)', "chunk"),
        ('T = "chunk"\ntext(f"select text from {T}")', "chunk"),
        ('text("select text from %s" % name)', ANY),
        ('text("select text from {}".format(name))', ANY),
        ('text("select text from {t} where {w}".format(t=name, w=1))', ANY),
        ('cursor.execute(sql.SQL("select text from {}").format(name))', ANY),
        ('cursor.execute(sql.SQL("select 1 from scope join {} c on true").format(sql.Identifier("chunk")))', "chunk"),
        ('text(" ".join(["select text", "from", "chunk"]))', "chunk"),
        ("from app.db.tables.library import Chunk", "chunk"),
        ("from app.retrieval.browse import Document", "document"),
        ("from app.db.tables import library", "library"),
        ("from app.db.tables import library as anything", "library"),
        ("from app.db import tables\ntables.library.Document", "library"),
        ("from app.db import tables\nlibrary = tables.library\nlibrary.Document", "document"),
        ("import app.db.tables\napp.db.tables.library.Chunk", "library"),
        ("import app.db.tables.library as l", "library"),
        ("from app.db.tables.library import *", ANY),
        ("from app.db.tables import *", ANY),
        ("from app.retrieval import browse\nbrowse.Document", "document"),
        ('import importlib\nimportlib.import_module("app.db.tables.library")', "library"),
        ('import sys\nsys.modules["app.db.tables.conversations"]', "conversations"),
        ('from app.db import tables\ngetattr(tables, "Chunk")', "chunk"),
        ("from app.db.tables import Base", ANY),
        ('from app.db.tables.people import Base\nBase.metadata.tables["chunk"]', ANY),
        ("from app.db.tables.people import User\nUser.metadata.sorted_tables", ANY),
        ("from app.db.tables.people import User\nUser.registry.mappers", ANY),
        ('sqlalchemy.Table("chunk", metadata, autoload_with=engine)', "chunk"),
        ('select("*").select_from(table("document"))', "document"),
        ('from sqlalchemy import table as t\nselect("*").select_from(t("chunk"))', "chunk"),
    ],
)
def test_a_trespass_is_found(line: str, table: str) -> None:
    assert table in reached(line)


@pytest.mark.parametrize(
    "line",
    [
        '"""select text from chunk"""',
        'text("select id from scope")',
        'print("quotes from document titles")',
        '"update"',
        'record.get("document")',
        "import docx\ndocx.Document()",
        'text("select 1 from chunks")',
        'text(f"select 1 from scope where id = {n}")',
    ],
)
def test_other_words_are_no_trespass(line: str) -> None:
    assert reached(line) == {}


def test_every_locked_table_is_looked_for() -> None:
    assert {t for t in TEXT if t not in reached(f'text("select 1 from {t}")')} == set()
