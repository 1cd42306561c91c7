"""The work queue: procrastinate on the same PostgreSQL. A job is added in the transaction that stores the upload."""

import hashlib
import uuid

import procrastinate
from sqlalchemy.orm import Session

QUEUE = "ingest"
TASK = "ingest.upload"

# Never opened: jobs go in on the caller's own connection, so that upload and job commit together or not at all.
_deferrer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer_upload(session: Session, job_id: uuid.UUID, *, collection_id: uuid.UUID, path: str) -> None:
    """Queue an upload. Two uploads to one path are worked on in turn; the queue knows their place by a hash alone."""
    place = hashlib.sha256(f"{collection_id}/{path}".encode()).hexdigest()
    connection = session.connection().connection.driver_connection
    _deferrer.configure_task(TASK, queue=QUEUE, lock=place, connection=connection).defer(job=str(job_id))
