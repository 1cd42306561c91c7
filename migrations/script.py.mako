"""${message}

Revision: ${up_revision}, after ${down_revision}
"""

from alembic import op

revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What the tables and functions get."""
    op.execute("")


def downgrade() -> None:
    """Refused, as in every revision (ADR 0027)."""
    raise NotImplementedError("no revision is undone: restore a backup of before it")
