"""Checks the other processes by what they leave in the database: the worker, the sequencer, what directories said."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.admin.directories import DirectoryView
from app.admin.health.check_result import CheckResult, format_age

MAX_JOB_AGE = dt.timedelta(minutes=5)
MAX_LEAF_AGE = dt.timedelta(seconds=60)
MAX_HEARTBEAT_AGE = dt.timedelta(seconds=60)
MAX_UNSIGNED_AGE = dt.timedelta(hours=1)


def check_worker(
    heartbeat: dt.datetime | None, waiting: int, oldest: dt.datetime | None, now: dt.datetime, mend: str
) -> CheckResult:
    """The worker's last heartbeat is recent, and no upload has waited for long."""
    if heartbeat is None or now - heartbeat > MAX_HEARTBEAT_AGE:
        since = "never was one" if heartbeat is None else f"the last heartbeat is {format_age(now - heartbeat)} old"
        return CheckResult("worker", "fail", f"no worker: {since}; {waiting} uploads wait", mend)
    if oldest is not None and now - oldest > MAX_JOB_AGE:
        return CheckResult("worker", "warn", f"{waiting} uploads wait, the oldest for {format_age(now - oldest)}", mend)
    return CheckResult("worker", "ok", f"alive, {waiting} uploads wait")


def check_sequencer(waiting: str, age: dt.timedelta | None, ordered: str, mend: str) -> CheckResult:
    """The sequencer appends new audit records to the log soon after they are written.

    `waiting` and `ordered` say how many records are on their way and in order, `age` how long the oldest has waited.
    """
    if age is not None and age > MAX_LEAF_AGE:
        says = f"{waiting} wait for their order, the oldest for {format_age(age)}: the sequencer does not run"
        return CheckResult("audit", "fail", says, mend)
    return CheckResult("audit", "ok", f"{ordered}{waiting} on their way")


@dataclass(frozen=True)
class SignatureState:
    """How far the log is signed: entries under the newest head, under the newest one that was signed, under the newest
    that a witness signed, and that an authority stamped; and since when there is one that was not. None: there is none.
    """

    entries: int | None
    signed: int | None
    unsigned_since: dt.datetime | None
    cosigned: int | None
    uncosigned_since: dt.datetime | None
    stamped: int | None
    unstamped_since: dt.datetime | None


def check_signatures(state: SignatureState, now: dt.datetime) -> CheckResult:
    """The newest heads are signed, seen by a witness if ever one saw any, and stamped if ever an authority did."""
    part = "signed heads"
    if not state.entries:
        return CheckResult(part, "ok", "no record to sign yet")
    if state.signed is None:
        says = (
            "no head is signed: whoever controls the database could rewrite the log, and only kept heads would show it"
        )
        return CheckResult(part, "warn", says, "clearance audit keygen; CLEARANCE_AUDIT__SIGNING_KEY of the sequencer")
    if state.unsigned_since is not None and now - state.unsigned_since > MAX_UNSIGNED_AGE:
        age = format_age(now - state.unsigned_since)
        says = f"{state.entries - state.signed} records are under no signed head for {age}"
        return CheckResult(part, "fail", says, "has the sequencer lost CLEARANCE_AUDIT__SIGNING_KEY? see its log")
    if state.uncosigned_since is not None and now - state.uncosigned_since > MAX_UNSIGNED_AGE:
        says = (
            f"no witness has signed for {format_age(now - state.uncosigned_since)}: it is gone, or it refuses this log"
        )
        return CheckResult(
            part, "fail", says, "see audit.not_cosigned in the log of the sequencer, and ask the witness"
        )
    if state.unstamped_since is not None and now - state.unstamped_since > MAX_UNSIGNED_AGE:
        age = format_age(now - state.unstamped_since)
        says = f"no time stamping authority has answered for {age}, or no answer was right"
        return CheckResult(part, "fail", says, "see audit.not_timestamped in the log of the sequencer")
    seen = "no witness" if state.cosigned is None else f"the first {state.cosigned} by a witness too"
    stamped = "" if state.stamped is None else f", the first {state.stamped} time-stamped"
    return CheckResult(part, "ok", f"the first {state.signed} of {state.entries} records, {seen}{stamped}")


@dataclass(frozen=True)
class DeliveryLag:
    """How one target of the log's delivery does: how many records wait, since when the oldest, and how many it refused.

    `error`: what went wrong last, null where nothing did since.
    """

    target: str
    waiting: int
    waiting_since: dt.datetime | None
    error: str | None
    dead_letters: int


def check_deliveries(
    named: Iterable[str], lags: Iterable[DeliveryLag], now: dt.datetime, max_lag: dt.timedelta, mend: str
) -> Iterator[CheckResult]:
    """The log reaches each target soon, and none refused a record. `named`: those of the settings; `lags`: those that
    the process which delivers knows of.
    """
    known = {lag.target: lag for lag in lags}
    for name in sorted(set(named) - set(known)):
        yield CheckResult(f"delivery {name}", "fail", "the settings name it, and nothing delivers to it", mend)
    for name, lag in known.items():
        part, age = f"delivery {name}", now - lag.waiting_since if lag.waiting_since else dt.timedelta()
        failing = f" ({lag.error})" if lag.error else ""
        if age > max_lag:
            says = f"{lag.waiting} records wait for it, the oldest for {format_age(age)}{failing}"
            yield CheckResult(part, "fail", says, mend)
        elif lag.dead_letters:
            says = f"it refused {lag.dead_letters} records, which were put aside"
            yield CheckResult(part, "warn", says, f"clearance audit deliveries --letters {name}, then --retry {name}")
        else:
            yield CheckResult(part, "ok", f"{lag.waiting} records on their way{failing}")


def check_directories(views: Iterable[DirectoryView]) -> Iterator[CheckResult]:
    """What each directory said last still counts, and nothing went wrong since."""
    for view in views:
        part = f"directory {view.source}"
        if view.stale:
            said = (
                "has said nothing yet" if view.fresh_until is None else f"counts no more since {_day(view.fresh_until)}"
            )
            mend = "does its process run? its log says what is wrong: python -m app.directory_process"
            yield CheckResult(part, "fail", f"what it gave {said}: its roles let nobody read", mend)
        elif view.last_error is not None:
            yield CheckResult(part, "warn", f"the last attempt failed ({view.last_error})", "see its log")
        else:
            yield CheckResult(part, "ok", f"{view.people} people, {view.groups} groups, read {_day(view.synced_at)}")


def _day(moment: dt.datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
