"""Checks the database: its revision, its row-level security, the settings of its roles, its clock, the index in it."""

import datetime as dt
from collections.abc import Iterable, Iterator

from app.admin.health.check_result import CheckResult, State
from app.db.revisions import newest_revision
from app.db.rls_probe import RowLevelSecurityBroken, probe
from app.db.session import Database

# Seconds. A signed identity is valid for a minute by the database's clock; a service that is further off sees no row.
MAX_SKEW, LARGE_SKEW = 30.0, 3.0


def check_revision(current: str | None, mend: str) -> CheckResult:
    """The database is at the newest migration; `mend` says what brings it there."""
    expected = newest_revision()
    if current == expected:
        return CheckResult("migrations", "ok", f"at {current}, the newest")
    return CheckResult("migrations", "fail", f"the database is at {current}, this version wants {expected}", mend)


def check_row_level_security(database: Database) -> Iterator[CheckResult]:
    """Without an identity no row is visible; the canary identity sees one row of each table."""
    try:
        probe(database)
    except RowLevelSecurityBroken as broken:
        yield CheckResult("row-level security", "fail", str(broken), "do not serve anybody before this holds")
    else:
        yield CheckResult("row-level security", "ok", "nobody sees nothing, the canary sees one row of each table")


def check_role_settings(found: Iterable[tuple[str, str]]) -> CheckResult:
    """No database role has settings of its own, which each role can give itself, as it can change its password."""
    if settings := list(found):
        text = ", ".join(f"{role.removeprefix('clearance_')}: {setting}" for role, setting in settings)
        mend = "find out who had that role's password, change it, and run 'clearance init': it removes them"
        return CheckResult("database roles", "fail", f"settings that a role brings into each connection ({text})", mend)
    return CheckResult("database roles", "ok", "none brings settings of its own")


def check_clock(before: dt.datetime, database_time: dt.datetime, after: dt.datetime) -> CheckResult:
    """This machine's clock, asked before and after, and the database's differ little."""
    skew = max(0.0, (database_time - after).total_seconds(), (before - database_time).total_seconds())
    state: State = "fail" if skew > MAX_SKEW else "warn" if skew > LARGE_SKEW else "ok"
    mend = "" if state == "ok" else "set both clocks by NTP: signed identities hold for a minute"
    return CheckResult("clock", state, f"{skew:.1f} s from the clock of the database", mend)


def check_index(kind: str, dimensions: int, digest: str, indexed_by: str | None) -> CheckResult:
    """The embedder is the one that the index was made with."""
    if indexed_by is None:
        return CheckResult("embedder", "ok", f"{kind}, {dimensions} dimensions; nothing is indexed yet")
    if indexed_by == digest:
        return CheckResult("embedder", "ok", f"{kind}, {dimensions} dimensions, that of the index")
    mend = "use the embedder that made the index, its version and kind of processor too, or index the documents anew"
    return CheckResult("embedder", "fail", f"the index was made with {indexed_by[:12]}…, this is {digest[:12]}…", mend)
