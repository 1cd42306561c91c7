"""What the sequencer asks others for beside its work: each in a thread of its own, so that who is slow or gone delays
neither records nor signatures.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx2
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app import log
from app.db.engine import connect
from app.evidence.signed_note import BadNote

SECONDS = 10.0  # of one question, until something comes
MAX_SECONDS = 30.0  # until all of the answer is there
POLL_SECONDS, MAX_PAUSE_SECONDS = 2.0, 60.0


class NotGiven(Exception):
    """Somebody who was asked did not give what was asked for; the message says why."""


class Asking(Protocol):
    """What is asked of somebody, again and again."""

    def step(self) -> bool:
        """Ask, if there is something to ask for; says whether it was given. Raises NotGiven."""
        ...


@dataclass(frozen=True)
class Asked:
    """Who is asked: as what, under which name, and the event that is logged where nothing was given."""

    role: str
    name: str
    event: str
    make: Callable[[Engine, httpx2.Client], Asking]
    rest_seconds: float = POLL_SECONDS  # after what was given


def post(
    client: httpx2.Client, url: str, body: bytes, *, at_most: int, headers: Mapping[str, str] | None = None
) -> tuple[httpx2.Response, bytes]:
    """The answer, and what it says. Raises NotGiven where nothing comes, or more than `at_most` bytes."""
    read, ends = b"", time.monotonic() + MAX_SECONDS
    sent = {"Accept-Encoding": "identity", **(headers or {})}
    try:
        with client.stream("POST", url, content=body, headers=sent) as answer:
            # As it came: a compressed answer would be larger than what is counted.
            for piece in answer.iter_raw():
                read += piece
                if len(read) > at_most:
                    raise NotGiven("its answer is too long")
                if time.monotonic() > ends:
                    raise NotGiven("its answer takes too long")
    except httpx2.HTTPError as error:
        raise NotGiven(f"it cannot be reached: {type(error).__name__}") from error
    return answer, read


def ask_until(stop: threading.Event, url: str, asked: Asked) -> None:
    """Ask in a thread of its own until `stop` is set. `url`: of the sequencer's database."""
    name = f"{asked.role} {asked.name}"
    threading.Thread(target=_ask, args=(stop, url, asked), name=name, daemon=True).start()


def _ask(stop: threading.Event, url: str, asked: Asked) -> None:
    engine, pause, wait = connect(url, pool_size=1), POLL_SECONDS, POLL_SECONDS
    with httpx2.Client(timeout=SECONDS, trust_env=True, follow_redirects=False) as client:
        asking = asked.make(engine, client)
        while not stop.wait(wait):
            try:
                given = asking.step()
                pause, wait = POLL_SECONDS, asked.rest_seconds if given else POLL_SECONDS
            except (NotGiven, BadNote, LookupError, DBAPIError) as error:
                pause = wait = min(pause * 2, MAX_PAUSE_SECONDS)
                reason = type(error).__name__ if isinstance(error, DBAPIError) else str(error)
                log.get().warning(asked.event, reason=reason, retry_seconds=wait, **{asked.role: asked.name})
    engine.dispose()
