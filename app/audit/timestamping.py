"""Has authorities put their time stamps (RFC 3161) on the log's checkpoints: what is sent to each, and what is kept.

An authority gets a hash, and nothing of what the log says. What it answers is kept only if it is a whole and right
answer to that question.
"""

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import log
from app.audit.beside import Asked, NotGiven, ask_until, post
from app.evidence.checkpoint import Checkpoint
from app.evidence.timestamp import MAX_TOKEN_BYTES, BadTimestamp, TimestampQuery, read_roots

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"
# Between two stamps of one authority: as often as heads are signed in a log that is in use. Each is a row of some 5 KB.
REST_SECONDS = 60.0
# Between the authority's clock and ours.
MAX_SKEW = dt.timedelta(minutes=5)
NEWEST = text("select size, note from audit_checkpoint order by size desc limit 1")
LAST_STAMPED = text("select max(size) from audit_timestamp where authority = :authority")
KEEP = text("select clearance.keep_timestamp(:size, :authority, :token)")


@dataclass(frozen=True)
class AuthorityAddress:
    """Where a time stamping authority answers, and the roots under which its certificate must stand."""

    url: str
    roots: "Sequence[Certificate]" = field(repr=False)

    @classmethod
    def parse_all(cls, given: str) -> "list[AuthorityAddress]":
        """Read 'URL FILE, URL FILE'; raises ValueError, also for a file that holds no certificate."""
        return [cls._parse(each) for each in filter(None, (part.strip() for part in given.split(",")))]

    @classmethod
    def _parse(cls, given: str) -> "AuthorityAddress":
        url, _, file = (part.strip() for part in given.partition(" "))
        parts = urlsplit(url)
        # HTTP will do, which many of them speak alone: an answer is signed, and repeats the number of the question.
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise ValueError(f"{url!r} is no http or https URL of a time stamping authority")
        if not file:
            raise ValueError(f"{url}: name the PEM file of the certificates by which its answers are checked")
        try:
            return cls(url, read_roots(Path(file).read_bytes()))
        except OSError as error:
            raise ValueError(f"{url}: {file} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ValueError(f"{url}: {file} holds no certificate") from error


class Timestamping:
    """Has one authority stamp the newest checkpoint; remembers what it stamped last."""

    def __init__(self, engine: Engine, client: httpx2.Client, authority: AuthorityAddress) -> None:
        self._engine, self._client, self._authority = engine, client, authority
        self._stamped: int | None = None

    def step(self) -> bool:
        """Have the newest checkpoint stamped, if it is not yet; says whether it was. Raises NotGiven."""
        with Session(self._engine) as session:
            newest = session.execute(NEWEST).first()
            if self._stamped is None:
                self._stamped = session.scalar(LAST_STAMPED, {"authority": self._authority.url}) or 0
        if newest is None or newest.size <= self._stamped:
            return False
        token = self._ask(Checkpoint.parse(newest.note).note.text)
        with Session(self._engine) as session, session.begin():
            session.execute(KEEP, {"size": newest.size, "authority": self._authority.url, "token": token})
        self._stamped = newest.size
        log.get().debug("audit.timestamped", authority=self._authority.url, size=newest.size)
        return True

    def _ask(self, signed: str) -> bytes:
        """The token over what the log signed."""
        query, headers = TimestampQuery.over(signed), {"Content-Type": QUERY_TYPE}
        answer, said = post(self._client, self._authority.url, query.body, at_most=MAX_TOKEN_BYTES, headers=headers)
        given = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if answer.status_code != HTTPStatus.OK:
            raise NotGiven(f"it answered {answer.status_code}")
        if given != REPLY_TYPE:
            raise NotGiven(f"its answer is no {REPLY_TYPE}, but {given[:100] or 'of no type'}")
        try:
            token, moment = query.token_of(said, self._authority.roots)
        except BadTimestamp as error:
            raise NotGiven(str(error)) from error
        if abs(moment - dt.datetime.now(dt.UTC)) > MAX_SKEW:
            raise NotGiven(f"its clock says {moment.isoformat()}: one of the two is wrong, and no stamp is kept")
        return token


def timestamp_until(stop: threading.Event, url: str, authorities: Sequence[AuthorityAddress]) -> None:
    """Bring checkpoints to these authorities, each in a thread of its own, until `stop` is set. `url`: of the
    sequencer.
    """
    for each in authorities:
        make = partial(Timestamping, authority=each)
        ask_until(stop, url, Asked("authority", each.url, "audit.not_timestamped", make, REST_SECONDS))
