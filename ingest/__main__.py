"""`python -m ingest`: the worker process."""

import asyncio
import sys
from collections.abc import Callable

from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app import log
from app.db.session import connect
from app.embedding.choose import build_embedder
from app.settings import SettingMissing, WorkerOptions, WorkerSettings, required
from ingest.document import Extracted
from ingest.pipeline import Parts
from ingest.sandbox import Sandbox
from ingest.worker import build_worker, take_up
from ingest.write import claim_profile


class OtherEmbedder(RuntimeError):
    """The index holds vectors of another embedder; mixing them would make search meaningless."""


def main() -> None:
    """Work until told to stop."""
    try:
        settings = WorkerSettings()
        url = required(settings.database.ingest_url, "CLEARANCE_DATABASE__INGEST_URL")
    except (ValueError, SettingMissing) as error:
        sys.exit(f"clearance worker: {error}")
    log.configure(json=settings.worker.log_json)
    sandbox = Sandbox()
    # Warmed by the main thread: the sandbox dies with the thread that started it.
    sandbox.extract(b"warm", filename="warm.txt")
    options = settings.embedder
    embedder = build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)
    parts = Parts(connect(url, pool_size=settings.worker.concurrency + 1), embedder, _extractor(sandbox))
    with Session(parts.engine) as session, session.begin():
        if claim_profile(session, embedder.digest) != embedder.digest:
            raise OtherEmbedder("The index was made with another embedder; use that one, or make the index anew.")
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        asyncio.run(_run(parts, conninfo, settings.worker))
    finally:
        sandbox.close()
        parts.engine.dispose()


async def _run(parts: Parts, conninfo: str, options: WorkerOptions) -> None:
    stalled = options.stalled_after_seconds
    worker = build_worker(parts, conninfo, attempts=options.attempts, stalled_after=stalled)
    async with worker.open_async():
        await take_up(worker, stalled_after=stalled)
        log.get().info("worker.ready")
        await worker.run_worker_async(
            queues=["ingest"],
            concurrency=options.concurrency,
            delete_jobs="successful",
            update_heartbeat_interval=stalled / 6,
            stalled_worker_timeout=stalled,
            fetch_job_polling_interval=1,
        )


def _extractor(sandbox: Sandbox) -> Callable[[bytes, str], Extracted]:
    def extract(content: bytes, filename: str) -> Extracted:
        return sandbox.extract(content, filename=filename)

    return extract


if __name__ == "__main__":
    main()
