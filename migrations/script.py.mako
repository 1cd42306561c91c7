"""${message}

Revision: ${up_revision}, after ${down_revision}
"""

from alembic import op
import sqlalchemy as sa

${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Refused, as in every revision (ADR 0027)."""
    raise NotImplementedError("no revision is undone: restore a backup of before it")
