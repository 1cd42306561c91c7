"""The worker's own pipeline in this process, over plain Markdown."""

import re

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db.engine import connect
from app.db.tables.library import IngestJob
from app.embedding.hashed import HashedEmbedder
from app.embedding.protocol import EmbeddingModel
from ingest import pipeline
from ingest.document import Block, Extracted
from tests.support.cluster import Db


def extract_markdown(content: bytes, _filename: str) -> Extracted:
    """Title, headings and paragraphs of plain Markdown, in this process."""
    title, blocks = "", []
    path: tuple[str, ...] = ()
    for part in re.split(r"\n\s*\n", content.decode().strip()):
        if part.startswith("# "):
            title = part[2:].strip()
            path = (title,)
            blocks.append(Block(title, "heading", path))
        else:
            blocks.append(Block(part, "paragraph", path))
    return Extracted(title or "Untitled", tuple(blocks), "text/markdown")


def work_all(engine: Engine, embedder: EmbeddingModel) -> None:
    """Take all queued uploads to their end, as the worker does."""
    with Session(engine) as session:
        jobs = session.scalars(
            select(IngestJob.id).where(IngestJob.state == "queued").order_by(IngestJob.created_at, IngestJob.id)
        ).all()
    for job in jobs:
        pipeline.work(pipeline.WorkerComponents(engine, embedder, extract_markdown), job)


def work_queued(db: Db) -> None:
    """The same with the embedder of the tests and the worker's database role."""
    engine = connect(db.url("ingest"), pool_size=2)
    try:
        work_all(engine, HashedEmbedder())
    finally:
        engine.dispose()
