"""What a file hides is counted beside its upload.

Revision: 0014, after 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column without a default: no row is rewritten. The worker writes it, an uploader reads it."""
    op.add_column("ingest_job", sa.Column("hidden", JSONB, nullable=True))
    op.execute("grant select (hidden) on ingest_job to clearance_app")
    op.execute("grant select (hidden), update (hidden) on ingest_job to clearance_ingest")


def downgrade() -> None:
    """Undo it."""
    op.drop_column("ingest_job", "hidden")
