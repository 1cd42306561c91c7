"""Paths in one normal form: of documents, folders and uploads. Folder rules that never applied come to apply.

Revision: 0012, after 0011
"""

from pathlib import Path

from alembic import op

from migrations.normal_paths import bring_into_form

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """The functions, then the rows, then the checks; one transaction."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute((SQL / "normal_paths.sql").read_text("utf-8"))
    bring_into_form(op.get_bind())
    # Foreign keys that wait for their check would keep the tables from being altered.
    cursor.execute("set constraints all immediate")
    cursor.execute((SQL / "normal_paths_checks.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it; the paths stay."""
    op.get_bind().connection.cursor().execute((SQL / "down_0012.sql").read_text("utf-8"))
