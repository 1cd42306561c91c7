"""What the worker does besides uploads, with or without any: it takes up lost jobs, and tidies the database.

It imports no parser, no embedder and no table: a worker that waits for the first upload has nothing else in memory.
"""

import asyncio

import procrastinate

from app import log
from app.db.queue_names import QUEUE, TASK

UPKEEP_QUEUE = "upkeep"
POLL_SECONDS = 0.5
COLLECT = "select clearance.collect_scopes(make_interval(days => %(days)s)) as gone"
REMOVE_EXPORTS = "select clearance.remove_old_exports() as gone"
REMOVE_CONVERSATIONS = "select clearance.remove_old_conversations(make_interval(days => %(days)s)) as gone"
REMOVE_PSEUDONYMS = "select clearance.remove_old_pseudonyms() as gone"
FOLD = "select clearance.fold_volumes() as gone"
WAITING = """
    select exists (
        select 1 from procrastinate_jobs
        where queue_name = %(queue)s and task_name = %(task)s and status = 'todo'
    ) as waiting
"""


def build_upkeep(
    conninfo: str, *, stalled_after: int, keep_jobs_days: int, keep_conversations_days: int
) -> procrastinate.App:
    """The queue with its tasks of upkeep, each at its time. Of 0 days conversations are kept."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))

    @app.periodic(cron="*/10 * * * * *")
    @app.task(name="ingest.take_up_stalled", queue=UPKEEP_QUEUE, queueing_lock="ingest.take_up_stalled")
    async def take_up_stalled(timestamp: int) -> None:  # noqa: ARG001  # given by the queue
        await retry_stalled(app, stalled_after=stalled_after)

    @app.periodic(cron="17 * * * *")
    @app.task(name="ingest.tidy", queue=UPKEEP_QUEUE, queueing_lock="ingest.tidy")
    async def tidy(timestamp: int) -> None:  # noqa: ARG001  # given by the queue
        """Drop scopes on which nothing stands, uploads that ended long ago, exports of the log a day later, what
        pseudonyms stood for that are over, and conversations in which nothing was asked for longer than they are kept.
        """
        gone = await app.connector.execute_query_one_async(COLLECT, days=keep_jobs_days)
        log.get().info("scopes.collected", gone=gone["gone"])
        gone = await app.connector.execute_query_one_async(REMOVE_EXPORTS)
        log.get().info("log_exports.removed", gone=gone["gone"])
        gone = await app.connector.execute_query_one_async(REMOVE_PSEUDONYMS)
        log.get().info("pseudonyms.removed", gone=gone["gone"])
        if keep_conversations_days:
            gone = await app.connector.execute_query_one_async(REMOVE_CONVERSATIONS, days=keep_conversations_days)
            log.get().info("conversations.removed", gone=gone["gone"])

    @app.periodic(cron="*/2 * * * *")
    @app.task(name="ingest.fold", queue=UPKEEP_QUEUE, queueing_lock="ingest.fold")
    async def fold(timestamp: int) -> None:  # noqa: ARG001  # given by the queue
        """Put the sums of each scope's volume into one."""
        await app.connector.execute_query_one_async(FOLD)

    return app


async def retry_stalled(app: procrastinate.App, *, stalled_after: int) -> None:
    """Put the jobs of workers that died back into the queue: those whose heartbeat is this old, in seconds."""
    for queue in (QUEUE, UPKEEP_QUEUE):
        for job in await app.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=stalled_after):
            log.get().warning("job.stalled", job=job.id)
            await app.job_manager.retry_job(job)


async def await_upload(app: procrastinate.App) -> None:
    """Return as soon as there is an upload to work on. Raises ConnectorException without the database."""
    while True:
        row = await app.connector.execute_query_one_async(WAITING, queue=QUEUE, task=TASK)
        if row["waiting"]:
            return
        await asyncio.sleep(POLL_SECONDS)
