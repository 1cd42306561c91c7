"""Sources of people and roles, and services that act on behalf of a person.

Revision: 0004, after 0003
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """One script inside Alembic's transaction."""
    op.get_bind().connection.cursor().execute((SQL / "service_accounts.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it; what was kept there is lost."""
    op.get_bind().connection.cursor().execute((SQL / "down_0004.sql").read_text("utf-8"))
