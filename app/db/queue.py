"""The work queue: procrastinate on the same PostgreSQL. A job is added in the transaction that stores the upload."""

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

# The database adds this one task for an upload of the caller's (`uploads.sql` of the migrations); the API's role can
# write nothing else into the queue.
DEFER = text("select clearance.defer_upload(:job)")


def defer_upload(session: Session, job_id: uuid.UUID) -> None:
    """Queue an upload, in the caller's transaction: upload and job commit together or not at all."""
    session.execute(DEFER, {"job": job_id})
