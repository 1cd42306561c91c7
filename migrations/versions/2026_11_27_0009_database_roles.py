"""What each database role may write: bound identities, the worker's uploads, the log's writers, the queue.

Revision: 0009, after 0008
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """Scripts in their order, inside Alembic's transaction."""
    cursor = op.get_bind().connection.cursor()
    for name in ("bound_identity", "audit_writers", "worker_writes"):
        cursor.execute((SQL / f"{name}.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo them; records keep the writer that stands inside them."""
    op.get_bind().connection.cursor().execute((SQL / "down_0009.sql").read_text("utf-8"))
