"""The initial revision: everything that release 0.1.0 keeps, a file a subject.

Revision: 001, after nothing
"""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

# In this order: each file uses what stands in those before it.
SUBJECTS = (
    "identity", "sign_in", "access", "scopes", "library", "uploads", "placement", "audit", "history",
    "library_names", "changes", "conversations", "feedback", "pseudonyms", "health", "leak_tests", "reviews",
    "evidence", "forgetting", "deliveries", "retention", "locks", "canary",
)  # fmt: skip


def upgrade() -> None:
    """Run the queue's own schema and our files; psycopg sends each as one script inside Alembic's transaction."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    for subject in SUBJECTS:
        cursor.execute(Path(__file__).with_name(f"{subject}.sql").read_text("utf-8"))


def downgrade() -> None:
    """Refused, as in every revision (ADR 0027)."""
    raise NotImplementedError("no revision is undone: restore a backup of before it")
