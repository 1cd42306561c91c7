"""The worker's task: takes uploads from the queue, retries what is our fault, and never what is the file's."""

import uuid

import procrastinate
from procrastinate import JobContext, RetryStrategy
from sqlalchemy.exc import DBAPIError, OperationalError

from app import log
from app.db.queue_names import QUEUE, TASK
from ingest import pipeline
from ingest.sandbox import SandboxUnavailable

# Ours, not the file's: worth another try.
TRANSIENT = (DBAPIError, OperationalError, SandboxUnavailable)


def add_uploads(app: procrastinate.App, parts: pipeline.WorkerComponents, *, attempts: int) -> None:
    """Have the worker take uploads too, with these parts."""
    retry = RetryStrategy(max_attempts=attempts - 1, exponential_wait=2, retry_exceptions=TRANSIENT)

    @app.task(name=TASK, queue=QUEUE, retry=retry, pass_context=True)
    def upload(context: JobContext, job: str) -> None:
        job_id = uuid.UUID(job)
        tried = context.job.attempts if context.job is not None else 0
        try:
            pipeline.work(parts, job_id)
        except TRANSIENT:
            if tried + 1 >= attempts:
                pipeline.fail_job(
                    parts, job_id, "The service failed on this file several times. Upload it again later."
                )
            raise
        except Exception as error:  # noqa: BLE001  # the process edge: whatever it is, the upload must end
            log.get().error("document.crashed", job=job, error=type(error).__name__, where=log.where(error))
            pipeline.fail_job(parts, job_id, "The service failed on this file. It is our fault and has been logged.")
