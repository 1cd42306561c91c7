"""Checks the search processes by a request to each, as a search would make it."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.admin.health.check_result import CheckResult, State
from app.db.engine import connect
from app.indexing.quantizer import quantizer_for
from app.scope_index.database_id import DatabaseIdentity
from app.scope_index.remote.connection import Connection
from app.scope_index.remote.messages import InvalidMessage, Message, Refused, Target, ViewReply, ViewRequest, pack
from app.scope_index.remote.tls import SharedCertificate, certificate_for
from app.scope_index.snapshot import Snapshot
from app.settings import ListsSettings

MAX_SECONDS = 5.0  # to wait for one process
RENEW_BEFORE = timedelta(days=30)  # before the certificate expires


def check_search_processes(lists: ListsSettings, url: str, dimensions: int) -> Iterator[CheckResult]:
    """A result for each search process, in the order of the shards, after one for a certificate that expires soon.

    `url` is the primary's, `dimensions` are those of the embedder's vectors.

    Raises DatabaseUnavailable; ValueError or SettingMissing for invalid settings.
    """
    if not lists.addresses:
        return
    quantizer = quantizer_for(dimensions)
    if quantizer is None:
        yield CheckResult("search processes", "warn", f"vectors of {dimensions} dimensions have no lists")
        return
    certificate = certificate_for(lists.addresses, lists.certificate)
    if certificate is not None and certificate.expires < datetime.now(UTC) + RENEW_BEFORE:
        says = f"{lists.certificate} expires on {certificate.expires:%Y-%m-%d}; PostgreSQL answers from then on"
        yield CheckResult("search certificate", "warn", says, "make another one for all processes: docs/scale.md")
    database, total = DatabaseIdentity(url)(), len(lists.addresses)
    for number, address in enumerate(lists.addresses, 1):
        target = Target(bytes.fromhex(quantizer.digest), database, number, total)
        request = ViewRequest(target, _snapshot(url), wake=False)
        yield CheckResult(f"search process {number}/{total}", *_check_one(address, certificate, request))


def _check_one(address: str, certificate: SharedCertificate | None, request: ViewRequest) -> tuple[State, str, str]:
    """State of one process, what it means, and how to repair it."""
    begun = time.monotonic()
    try:
        reply = _reply(address, certificate, request, begun + MAX_SECONDS)
    except (OSError, InvalidMessage) as error:
        mend = "is it running there, and as this user or with this certificate? start it: python -m app.search_process"
        return "fail", f"{address} does not answer ({error}): PostgreSQL answers in its place", mend
    if isinstance(reply, Refused):
        return "fail", f"{address} cannot be used, PostgreSQL answers in its place: {reply.reason}", ""
    if not isinstance(reply, ViewReply):
        mend = "see its log; a base of ten million passages takes half a minute"
        return "warn", f"{address} has not loaded its lists yet: PostgreSQL answers in its place", mend
    return "ok", f"{address} answers, {1000 * (time.monotonic() - begun):.0f} ms with the connection", ""


def _reply(address: str, certificate: SharedCertificate | None, request: ViewRequest, deadline: float) -> Message:
    with contextlib.closing(Connection.connect(address, certificate, deadline)) as connection:
        connection.send(pack(request), deadline)
        return connection.receive(deadline)


def _snapshot(url: str) -> Snapshot:
    engine = connect(url, pool_size=1)
    try:
        with engine.connect() as connection:
            return Snapshot.parse(connection.execute(text("select pg_current_snapshot()::text")).scalar_one())
    finally:
        engine.dispose()
