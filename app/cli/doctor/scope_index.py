"""Checks the search processes by a request to each, as a search would make it."""

import time
from collections.abc import Iterator

from sqlalchemy import text

from app.cli.doctor.check_result import CheckResult, State
from app.cli.doctor.installation import Installation
from app.db.session import connect
from app.embedding.factory import build_embedder
from app.indexing.quantizer import quantizer_for
from app.scope_index.database_id import DatabaseIdentity
from app.scope_index.remote.address import key_of
from app.scope_index.remote.connection import Channel, ChannelLost
from app.scope_index.remote.messages import Hello, Look, Malformed, Reading
from app.scope_index.remote.pool import greet
from app.scope_index.snapshot import Snapshot
from app.settings import required

MAX_SECONDS = 5.0  # to wait for one process


def check_search_processes(installation: Installation) -> Iterator[CheckResult]:
    """A result for each search process, in the order of the shards.

    Raises DatabaseUnavailable; ValueError or SettingMissing for invalid settings.
    """
    settings = installation.settings
    if not settings.lists.addresses:
        return
    options = settings.embedder
    made = build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)
    book = quantizer_for(made.dimensions)
    if book is None:
        yield CheckResult("search processes", "warn", f"vectors of {made.dimensions} dimensions have no lists")
        return
    url = installation.urls["clearance_app"]
    key, database = key_of(required(settings.lists.key, "CLEARANCE_LISTS__KEY")), DatabaseIdentity(url)()
    total = len(settings.lists.addresses)
    for number, address in enumerate(settings.lists.addresses, 1):
        hello = Hello(bytes.fromhex(book.digest), database, number, total)
        yield CheckResult(f"search process {number}/{total}", *_check_one(address, key, hello, _snapshot(url)))


def _check_one(address: str, key: bytes, hello: Hello, snapshot: Snapshot) -> tuple[State, str, str]:
    """State of one process, what it means, and how to repair it."""
    deadline = time.monotonic() + MAX_SECONDS
    begun = time.monotonic()
    try:
        channel = Channel.connect(address, key, deadline)
        try:
            greet(channel, hello, deadline)
            channel.send(Look(snapshot, wake=False), deadline)
            answer = channel.receive(deadline)
        finally:
            channel.close()
    except ChannelLost as error:
        mend = "is it running there, and with this CLEARANCE_LISTS__KEY? start it: python -m app.search_process"
        return "fail", f"{address} does not answer ({error}): PostgreSQL answers in its place", mend
    except Malformed as error:
        return "fail", f"{address} cannot be used, PostgreSQL answers in its place: {error}", ""
    if not isinstance(answer, Reading):
        mend = "see its log; a base of ten million passages takes half a minute"
        return "warn", f"{address} has not loaded its lists yet: PostgreSQL answers in its place", mend
    return "ok", f"{address} answers, {1000 * (time.monotonic() - begun):.0f} ms with the greeting", ""


def _snapshot(url: str) -> Snapshot:
    engine = connect(url, pool_size=1)
    try:
        with engine.connect() as connection:
            return Snapshot.parse(connection.execute(text("select pg_current_snapshot()::text")).scalar_one())
    finally:
        engine.dispose()
