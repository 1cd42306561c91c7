"""What uploads need and a waiting worker does not: the parsers' process, the embedder, the tables."""

import contextlib
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.db.engine import connect
from app.embedding.factory import build_embedder
from app.settings import WorkerSettings
from ingest.pipeline import WorkerComponents
from ingest.sandbox import Sandbox
from ingest.write import claim_profile

OTHER_EMBEDDER = (
    "The index was made with another embedder, another version of it, or a processor that computes other vectors;"
    " use that one, or make the index anew."
)


class OtherEmbedder(RuntimeError):
    """The index holds vectors of another embedder; mixing them would make search meaningless."""


@contextlib.contextmanager
def loaded(settings: WorkerSettings, url: str) -> Iterator[WorkerComponents]:
    """The parts, until the block ends. Main thread only: the sandbox dies with the thread that started it.

    Raises OtherEmbedder, ConfinementMissing or SandboxUnavailable: then no upload is taken, and none is lost.
    """
    options = settings.embedder
    sandbox = Sandbox(uid=settings.worker.parser_uid, allow_unconfined=settings.worker.allow_unconfined_parsing)
    engine = connect(url, pool_size=settings.worker.concurrency + 1)
    try:
        sandbox.extract(b"warm", filename="warm.txt")
        embedder = build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)
        with Session(engine) as session, session.begin():
            if claim_profile(session, embedder.digest) != embedder.digest:
                raise OtherEmbedder(OTHER_EMBEDDER)
        yield WorkerComponents(engine, embedder, lambda content, name: sandbox.extract(content, filename=name))
    finally:
        sandbox.close()
        engine.dispose()
