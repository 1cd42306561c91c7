"""Rules are put together from parts by reference.

Revision: 0011, after 0010
"""

from pathlib import Path

from alembic import op

from app.db.backfill import need_owner_policy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"


def need_owner_policies() -> None:
    """Raise unless the owner sees every rule and every grant."""
    for table in ("rule", "rule_grant"):
        need_owner_policy(op.get_bind(), table)


def upgrade() -> None:
    """One script inside Alembic's transaction. Digests made without sight of all grants would be wrong ones."""
    need_owner_policies()
    op.get_bind().connection.cursor().execute((SQL / "composed_rules.sql").read_text("utf-8"))


def downgrade() -> None:
    """Undo it."""
    need_owner_policies()
    op.get_bind().connection.cursor().execute((SQL / "down_0011.sql").read_text("utf-8"))
