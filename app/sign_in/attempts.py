"""Sign-ins on their way: each is good once, for a few minutes, and for the browser that began it."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.db.tables.sign_in import SignInAttempt
from app.errors import SignInNotAllowed

LIFETIME = dt.timedelta(minutes=10)
# More than a company starts in ten minutes, and a bound to what strangers may leave behind.
MAX_OPEN = 50_000
AGAIN = "This sign-in was begun in another browser, took too long, or was finished before. Begin again at /sign-in."


@dataclass(frozen=True)
class NewAttempt:
    """What the browser is given: `state` goes along with it, `browser` stays with it in a cookie."""

    state: str
    browser: str


def begin_attempt(session: Session, kind: str, details: dict[str, Any], *, browser: str | None = None) -> NewAttempt:
    """Begin a sign-in; `browser` is the secret of one that has begun others. SignInNotAllowed beyond MAX_OPEN."""
    now = session.scalars(select(func.now())).one()
    session.execute(delete(SignInAttempt).where(SignInAttempt.expires_at <= now))
    if session.scalars(select(func.count()).select_from(SignInAttempt)).one() >= MAX_OPEN:
        raise SignInNotAllowed("Too many sign-ins are on their way; try again in a few minutes.")
    new = NewAttempt(secrets.token_urlsafe(32), browser or secrets.token_urlsafe(32))
    session.add(
        SignInAttempt(
            state=_digest(new.state),
            browser=_digest(new.browser),
            kind=kind,
            details=details,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()
    return new


def take_attempt(session: Session, kind: str, state: str, browser: str | None) -> dict[str, Any]:
    """The details of a sign-in that this browser began; it cannot be taken again, also if what follows fails.

    Raises SignInNotAllowed, the same for one that is unknown, another browser's, over, or taken.
    """
    found = session.execute(
        delete(SignInAttempt)
        .where(
            SignInAttempt.state == _digest(state),
            SignInAttempt.browser == _digest(browser or ""),
            SignInAttempt.kind == kind,
            SignInAttempt.expires_at > func.now(),
        )
        .returning(SignInAttempt.details)
    ).one_or_none()
    if found is None:
        raise SignInNotAllowed(AGAIN)
    details: dict[str, Any] = found.details
    return details


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
