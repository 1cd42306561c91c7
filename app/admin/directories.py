"""Directories that are fetched: what each said last, and until when that counts."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.paging import Page
from app.db.tables.sign_in import DirectoryState
from app.identity.subject import Capability, Subject, require_capability


@dataclass(frozen=True)
class DirectoryView:
    """A source that a directory keeps. `stale`: its roles count no more, since it was not heard for too long."""

    source: str
    kind: str
    synced_at: dt.datetime | None
    fresh_until: dt.datetime | None
    stale: bool
    people: int
    groups: int
    last_error: str | None
    error_at: dt.datetime | None


def list_directories(session: Session, subject: Subject, page: Page) -> list[DirectoryView]:
    """All directories, by source."""
    require_capability(subject, Capability.ADMINISTER)
    found = [state for (state,) in page.rows(session, select(DirectoryState), [DirectoryState.source])]
    now = session.scalars(select(func.now())).one()
    return [
        DirectoryView(
            source=state.source,
            kind=state.kind,
            synced_at=state.synced_at,
            fresh_until=state.fresh_until,
            stale=state.fresh_until is None or state.fresh_until <= now,
            people=state.people,
            groups=state.groups,
            last_error=state.last_error,
            error_at=state.error_at,
        )
        for state in found
    ]
