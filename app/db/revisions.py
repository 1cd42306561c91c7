"""Which revisions of the schema there are, and which one a database has, read without Alembic.

Every start asks; Alembic and SQLAlchemy, which take most of a second to import, are for a migration alone.
"""

import ast
from pathlib import Path

import psycopg

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


class UnknownRevision(RuntimeError):
    """The database stands at a revision that is not among ours. Nothing in it was changed."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision '{revision}', which this version of Clearance does not know: it was made by a"
            " newer version, or by one before 0.1.0, from which no upgrade leads here"
        )


def newest_revision() -> str:
    """The revision that no other one follows. Raises ValueError if there are several."""
    known = _known()
    [newest] = set(known) - set(known.values())
    return newest


def current_revision(conninfo: str) -> str | None:
    """The revision that this database stands at, None for an empty one. Raises UnknownRevision."""
    with psycopg.connect(conninfo) as connection:
        if connection.execute("select to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("select version_num from public.alembic_version").fetchone()
    current = None if row is None else str(row[0])
    if current is not None and current not in _known():
        raise UnknownRevision(current)
    return current


def _known() -> dict[str, str | None]:
    """Each revision, and the one that it follows."""
    found: dict[str, str | None] = {}
    for file in VERSIONS.rglob("*.py"):
        names = {
            target.id: ast.literal_eval(node.value)
            for node in ast.parse(file.read_text("utf-8")).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}
        }
        if names:
            found[names["revision"]] = names["down_revision"]
    return found
