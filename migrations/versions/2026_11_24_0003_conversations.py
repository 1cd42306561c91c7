"""Conversations, kept for their asker alone.

Revision: 0003, after 0002
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """One script inside Alembic's transaction."""
    op.get_bind().connection.cursor().execute((SQL / "conversations.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it; what was kept there is lost."""
    op.get_bind().connection.cursor().execute((SQL / "down_0003.sql").read_text("utf-8"))
