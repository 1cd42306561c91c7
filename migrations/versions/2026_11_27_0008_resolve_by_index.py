"""The visible scopes are resolved by plain index scans.

Revision: 0008, after 0007
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """One script inside Alembic's transaction."""
    op.get_bind().connection.cursor().execute((SQL / "resolve_by_index.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it."""
    op.get_bind().connection.cursor().execute((SQL / "down_0008.sql").read_text("utf-8"))
