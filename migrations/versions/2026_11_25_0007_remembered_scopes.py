"""The visible scopes, remembered within a transaction.

Revision: 0007, after 0006
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """One script inside Alembic's transaction."""
    op.get_bind().connection.cursor().execute((SQL / "remembered_scopes.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it."""
    op.get_bind().connection.cursor().execute((SQL / "down_0007.sql").read_text("utf-8"))
