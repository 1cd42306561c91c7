"""Rules are put together from parts by reference.

Revision: 0011, after 0008
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """One script inside Alembic's transaction."""
    op.get_bind().connection.cursor().execute((SQL / "composed_rules.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it."""
    op.get_bind().connection.cursor().execute((SQL / "down_0011.sql").read_text("utf-8"))
