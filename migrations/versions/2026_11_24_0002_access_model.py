"""Folders, delegated roles, plans, and the history of rules.

Revision: 0002, after 0001
"""

from pathlib import Path

from alembic import op

from app.db.backfill import back_fill, back_fill_any

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / "sql"

# History begins with this revision: nobody knows what was so before.
BEGINNINGS = (
    "insert into user_history (user_id, clearance, active, valid_from)"
    " select id, clearance, active, now() from app_user",
    "insert into scope_history (scope_id, rule_id, valid_from) select id, rule_id, now() from scope",
    "insert into document_history (document, collection_id, scope_id, valid_from)"
    " select public_id, collection_id, scope_id, now() from document",
)
# Of these a young database has none.
MAYBE_EMPTY = {
    "membership": "insert into membership_history (user_id, role_id, valid_from)"
    " select user_id, role_id, now() from membership",
    "role_inside": "insert into nesting_history (role_id, inside_id, valid_from)"
    " select role_id, inside_id, now() from role_inside",
}


def upgrade() -> None:
    """The tables and functions, then the history's first rows."""
    connection = op.get_bind()
    for name in ("access_model", "history"):
        connection.connection.cursor().execute((SQL / f"{name}.sql").read_text("utf-8"))
    for statement in BEGINNINGS:
        back_fill(connection, statement)
    for table, statement in MAYBE_EMPTY.items():
        back_fill_any(connection, statement, reads=table)


def downgrade() -> None:
    """Undo it: folders' rules, plans and the history are lost. Refused while a document stands under a folder."""
    op.get_bind().connection.cursor().execute((SQL / "down_0002.sql").read_text("utf-8"))
