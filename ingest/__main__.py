"""`python -m ingest`: the worker process.

Until the first upload it waits with little more than a connection to the database. Parsers and embedder are most of its
memory, and a service into which nothing is put has no use for them.
"""

import asyncio
import contextlib
import functools
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import procrastinate
from procrastinate.exceptions import ConnectorException

from app import log
from app.db.queue_names import QUEUE
from app.hardening import forbid_inspection, forget_settings
from app.settings import SettingMissing, WorkerOptions, WorkerSettings, required
from ingest.confinement import Unconfined, require_confinement
from ingest.sandbox import ConfinementMissing, warn_unconfined
from ingest.upkeep import UPKEEP_QUEUE, await_upload, build_upkeep, retry_stalled

if TYPE_CHECKING:
    from ingest.pipeline import WorkerComponents

RECONNECT_SECONDS = 1.0


def main() -> None:
    """Work until told to stop. Where parsers cannot be confined it does not start: uploads wait, nothing is lost."""
    forbid_inspection()
    try:
        settings = WorkerSettings()
        url = required(settings.database.ingest_url, "CLEARANCE_DATABASE__INGEST_URL")
    except (ValueError, SettingMissing) as error:
        sys.exit(f"clearance worker: {error}")
    forget_settings()
    log.configure(json=settings.worker.log_json)
    with contextlib.ExitStack() as closing:

        def load() -> "WorkerComponents":
            from ingest.loading import loaded  # noqa: PLC0415  # for the first upload alone

            return closing.enter_context(loaded(settings, url))

        try:
            _require_confinement(settings.worker)
            asyncio.run(_run(load, _conninfo(url), settings.worker))
        except ConfinementMissing as error:
            sys.exit(f"clearance worker: {error}")


def _require_confinement(options: WorkerOptions) -> None:
    """Look now whether parsers can be confined, since their process is started with the first upload only."""
    try:
        layers = require_confinement(options.parser_uid, allow_unconfined=options.allow_unconfined_parsing)
    except Unconfined as error:
        raise ConfinementMissing(str(error.strerror)) from error
    if layers.level == "missing":
        warn_unconfined()


def _conninfo(url: str) -> str:
    """The URL without the name of SQLAlchemy's driver."""
    scheme, colon, rest = url.partition(":")
    return scheme.partition("+")[0] + colon + rest


async def _run(load: "Callable[[], WorkerComponents]", conninfo: str, options: WorkerOptions) -> None:
    """Work until SIGTERM or SIGINT; a database that goes away is waited for, as long as it takes.

    With the first upload the parts are loaded, in the main thread and before a job is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    parts: WorkerComponents | None = None
    while not stop.is_set():
        try:
            if parts is None and await _wait(conninfo, options, stop):
                parts = load()
            if parts is not None:
                await _work(parts, conninfo, options, stop)
        except ConnectorException as error:
            log.get().warning("worker.database_lost", error=type(error.__cause__ or error).__name__)
        if not stop.is_set():
            log.get().warning("worker.reconnects", retry_seconds=RECONNECT_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RECONNECT_SECONDS)


async def _wait(conninfo: str, options: WorkerOptions, stop: asyncio.Event) -> bool:
    """Do the upkeep alone until an upload waits: then true. False when told to stop, or without the database."""
    worker = _upkeep(conninfo, options)
    return await _serve(worker, [UPKEEP_QUEUE], options, stop, until=functools.partial(await_upload, worker))


async def _work(parts: "WorkerComponents", conninfo: str, options: WorkerOptions, stop: asyncio.Event) -> None:
    """Take uploads too. Returns when told to stop, and also when the queue lost the database.

    Files in hand are finished first; those that were lost have no worker any more and are taken up by the next one.
    """
    from ingest.worker import add_uploads  # noqa: PLC0415  # loaded with the parts

    worker = _upkeep(conninfo, options)
    add_uploads(worker, parts, attempts=options.attempts)
    await _serve(worker, [QUEUE, UPKEEP_QUEUE], options, stop)


def _upkeep(conninfo: str, options: WorkerOptions) -> procrastinate.App:
    return build_upkeep(
        conninfo,
        stalled_after=options.stalled_after_seconds,
        keep_jobs_days=options.keep_jobs_days,
        keep_conversations_days=options.keep_conversations_days,
    )


async def _serve(
    worker: procrastinate.App,
    queues: list[str],
    options: WorkerOptions,
    stop: asyncio.Event,
    *,
    until: Callable[[], Coroutine[Any, Any, object]] | None = None,
) -> bool:
    """Work on these queues as one registered worker until told to stop, without the database, or `until` returns.

    Gives whether `until` did.
    """
    stalled = options.stalled_after_seconds
    async with worker.open_async():
        await retry_stalled(worker, stalled_after=stalled)
        log.get().info("worker.ready")
        running = asyncio.ensure_future(
            worker.run_worker_async(
                queues=queues,
                concurrency=options.concurrency,
                delete_jobs="successful",
                update_heartbeat_interval=stalled / 6,
                stalled_worker_timeout=stalled,
                fetch_job_polling_interval=1,
                install_signal_handlers=False,
            )
        )
        told = asyncio.ensure_future(stop.wait())
        enough = asyncio.ensure_future((until or stop.wait)())
        awaited = (running, told, enough)
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        reached = enough.done() and not told.done()
        for each in awaited:
            each.cancel()
        for ended in await asyncio.gather(*awaited, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
    return reached


if __name__ == "__main__":
    main()
