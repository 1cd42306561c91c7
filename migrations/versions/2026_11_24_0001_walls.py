"""The walls: tables, the verified identity, row-level security, the policy epoch, the audit log, the queue.

Revision: 0001, after nothing
"""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    """Run the files in order; psycopg sends each as one script inside Alembic's transaction."""
    cursor = op.get_bind().connection.cursor()
    for name in ("tables", "identity", "audit", "locks", "epoch", "canary"):
        cursor.execute((SQL / f"{name}.sql").read_text("utf-8"))
    cursor.execute(SchemaManager.get_schema())
    cursor.execute((SQL / "queue.sql").read_text("utf-8"))


def downgrade() -> None:
    """Back to an empty database: everything in it goes, the documents too."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute((SQL / "down_0001.sql").read_text("utf-8"))
