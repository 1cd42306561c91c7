"""Changes of access are noted where they are made, for the judgement at the end of the transaction.

Revision: 0010, after 0009
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """One script inside Alembic's transaction."""
    op.get_bind().connection.cursor().execute((SQL / "judged_changes.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it."""
    op.get_bind().connection.cursor().execute((SQL / "down_0010.sql").read_text("utf-8"))
