"""`python -m ingest`: the worker process."""

import asyncio
import contextlib
import signal
import sys

from procrastinate.exceptions import ConnectorException
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app import log
from app.db.engine import connect
from app.embedding.factory import build_embedder
from app.hardening import forbid_inspection, forget_settings
from app.settings import SettingMissing, WorkerOptions, WorkerSettings, required
from ingest.pipeline import WorkerComponents
from ingest.sandbox import ConfinementMissing, Sandbox
from ingest.worker import build_worker, retry_stalled
from ingest.write import claim_profile

RECONNECT_SECONDS = 1.0


class OtherEmbedder(RuntimeError):
    """The index holds vectors of another embedder; mixing them would make search meaningless."""


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
    sandbox = Sandbox(uid=settings.worker.parser_uid, allow_unconfined=settings.worker.allow_unconfined_parsing)
    try:
        # Warmed by the main thread: the sandbox dies with the thread that started it.
        sandbox.extract(b"warm", filename="warm.txt")
    except ConfinementMissing as error:
        sys.exit(f"clearance worker: {error}")
    options = settings.embedder
    embedder = build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)
    engine = connect(url, pool_size=settings.worker.concurrency + 1)
    parts = WorkerComponents(engine, embedder, lambda content, name: sandbox.extract(content, filename=name))
    with Session(parts.engine) as session, session.begin():
        if claim_profile(session, embedder.digest) != embedder.digest:
            raise OtherEmbedder("The index was made with another embedder; use that one, or make the index anew.")
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        asyncio.run(_run(parts, conninfo, settings.worker))
    finally:
        sandbox.close()
        parts.engine.dispose()


async def _run(parts: WorkerComponents, conninfo: str, options: WorkerOptions) -> None:
    """Work until SIGTERM or SIGINT; a database that goes away is waited for, as long as it takes."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            await _work(parts, conninfo, options, stop)
        except ConnectorException as error:
            log.get().warning("worker.database_lost", error=type(error.__cause__ or error).__name__)
        if not stop.is_set():
            log.get().warning("worker.reconnects", retry_seconds=RECONNECT_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RECONNECT_SECONDS)


async def _work(parts: WorkerComponents, conninfo: str, options: WorkerOptions, stop: asyncio.Event) -> None:
    """Work as one registered worker. Returns when told to stop, and also when the queue lost the database.

    Files in hand are finished first; those that were lost have no worker any more and are taken up by the next one.
    """
    stalled = options.stalled_after_seconds
    worker = build_worker(
        parts,
        conninfo,
        attempts=options.attempts,
        stalled_after=stalled,
        keep_jobs_days=options.keep_jobs_days,
    )
    async with worker.open_async():
        await retry_stalled(worker, stalled_after=stalled)
        log.get().info("worker.ready")
        running = asyncio.ensure_future(
            worker.run_worker_async(
                queues=["ingest"],
                concurrency=options.concurrency,
                delete_jobs="successful",
                update_heartbeat_interval=stalled / 6,
                stalled_worker_timeout=stalled,
                fetch_job_polling_interval=1,
                install_signal_handlers=False,
            )
        )
        told = asyncio.ensure_future(stop.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


if __name__ == "__main__":
    main()
