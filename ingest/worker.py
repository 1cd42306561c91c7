"""The worker: takes uploads from the queue, retries what is our fault, and never what is the file's."""

import uuid

import procrastinate
from procrastinate import JobContext, RetryStrategy
from sqlalchemy.exc import DBAPIError, OperationalError

from app import log
from app.db.queue import QUEUE, TASK
from ingest import pipeline
from ingest.sandbox import SandboxUnavailable
from ingest.write import collect_scopes, fold_volumes, remove_old_exports

# Ours, not the file's: worth another try.
TRANSIENT = (DBAPIError, OperationalError, SandboxUnavailable)


def build_worker(
    parts: pipeline.WorkerComponents, conninfo: str, *, attempts: int, stalled_after: int, keep_jobs_days: int
) -> procrastinate.App:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
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

    @app.periodic(cron="*/10 * * * * *")
    @app.task(name="ingest.take_up_stalled", queue=QUEUE, queueing_lock="ingest.take_up_stalled", pass_context=True)
    async def take_up_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001  # given by the queue
        await retry_stalled(context.app, stalled_after=stalled_after)

    @app.periodic(cron="17 * * * *")
    @app.task(name="ingest.tidy", queue=QUEUE, queueing_lock="ingest.tidy")
    def tidy(timestamp: int) -> None:  # noqa: ARG001  # given by the queue
        gone = collect_scopes(parts.engine, keep_jobs_days)
        log.get().info("scopes.collected", gone=gone)
        log.get().info("log_exports.removed", gone=remove_old_exports(parts.engine))

    @app.periodic(cron="*/2 * * * *")
    @app.task(name="ingest.fold", queue=QUEUE, queueing_lock="ingest.fold")
    def fold(timestamp: int) -> None:  # noqa: ARG001  # given by the queue
        fold_volumes(parts.engine)

    return app


async def retry_stalled(app: procrastinate.App, *, stalled_after: int) -> None:
    """Put the jobs of workers that died back into the queue: those whose heartbeat is this old, in seconds."""
    for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=stalled_after):
        log.get().warning("job.stalled", job=job.id)
        await app.job_manager.retry_job(job)
