"""How fast the log is exported in each format, and in how much memory: `python -m benchmarks.audit_exports`.

Fills a database with records of a year as a company makes them, and makes and downloads an export of each format as the
service does in the background: read, compressed, sealed, put together, digested. Each runs in a process of its own, of
whose memory the peak is read, once over a quarter of the records and once over all of them.
"""

import argparse
import datetime as dt
import multiprocessing
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from app.admin.audit_log import AuditLog
from app.admin.background import BackgroundWork
from app.admin.log_exports import LogExports, download_log_export, get_log_export
from app.admin.openings import OpeningPolicy, Openings
from app.audit.encryption import Sealer
from app.audit.events.log_reading import ExportFormat
from app.db.engine import connect
from app.db.session import Database, Signer
from app.identity.subject import Subject
from benchmarks.audit_log_pages import SETTINGS, auditor_of, fill
from benchmarks.machine import load
from benchmarks.tables import show
from benchmarks.world import AUDIT_KEY, KEY, World, database, server

FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
FIRST, EVERY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.timedelta(seconds=3)  # of the records that are filled in


@dataclass(frozen=True)
class Measured:
    """Seconds of making and of downloading, what came out, and the peak of the process's memory in MiB."""

    records: int
    made: float
    downloaded: float
    megabytes: float
    peak: float


def here(work: Callable[[], None]) -> threading.Thread:
    """Do it now, and give a thread that has ended."""
    work()
    return threading.Thread()


def measure(url: str, subject: Subject, format: ExportFormat, q: str) -> Measured:
    """One export, in this process."""
    engine = connect(url, pool_size=1, prepare=True)
    sealer = Sealer(bytes.fromhex(AUDIT_KEY))
    api = Database(engine, Signer(KEY, seconds=600), statement_timeout_ms=600_000, sealer=sealer)
    log = AuditLog(api, sealer, subject)
    openings = Openings(log, OpeningPolicy(needs_second=False, hours=1))
    began = time.perf_counter()
    export = LogExports(BackgroundWork(here)).start(openings, q, format)
    made = time.perf_counter()
    _, pieces = download_log_export(openings, export)
    size = sum(len(piece) for piece in pieces)
    downloaded = time.perf_counter()
    with log.reading() as session:
        found = get_log_export(session, subject, export)
    if (found.state, found.bytes) != ("ready", size):
        raise RuntimeError(found.error or "what was downloaded is not what was made")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024  # Linux counts in KiB
    return Measured(found.records, made - began, downloaded - made, size / 1e6, peak)


def rows(url: str, subject: Subject, records: int) -> list[tuple[str, ...]]:
    """A row for each format; each measurement in a new process."""
    quarter = f"before:{(FIRST + records // 4 * EVERY).isoformat().replace('+00:00', 'Z')}"
    found: dict[str, tuple[Measured, Measured]] = {}
    for format in FORMATS:
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            part, whole = (pool.apply(measure, (url, subject, format, q)) for q in (quarter, ""))
        found[format] = part, whole
    base = found["jsonl"][1]
    return [
        (
            format,
            f"{whole.records / whole.made:,.0f}",
            f"{whole.made / whole.records / (base.made / base.records):.2f}",
            f"{whole.records / whole.downloaded:,.0f}",
            f"{whole.megabytes:,.0f}",
            f"{part.peak:,.0f}",
            f"{whole.peak:,.0f}",
        )
        for format, (part, whole) in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    given = parser.parse_args()
    with server(SETTINGS) as running:
        db = database(running)
        fill(db, given.records)
        made = rows(db.url("app"), auditor_of(World(db)), given.records)
    columns = (
        *("format", "records/s made", "time over JSONL's", "records/s downloaded", "MB"),
        *("peak MiB, a quarter", "peak MiB, all"),
    )
    show(f"Exports of {given.records:,} records; {load()}", columns, made)


if __name__ == "__main__":
    main()
