"""Has witnesses sign the log's checkpoints (c2sp.org/tlog-witness): what is sent to each, and what is kept.

A witness gets checkpoints and hashes, and nothing of what the log says.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx2
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import log
from app.audit.proofs import consistency_path
from app.db.engine import connect
from app.evidence.checkpoint import Checkpoint
from app.evidence.signed_note import BadKey, BadNote, NoteSignature, VerifierKey
from app.evidence.witness import WitnessRequest
from app.settings import require_safe_url

SECONDS = 10.0  # of one question
POLL_SECONDS, MAX_PAUSE_SECONDS = 2.0, 60.0
MAX_ANSWER_BYTES, MAX_DIGITS = 16_384, 19
OK, CONFLICT = HTTPStatus.OK, HTTPStatus.CONFLICT
NEWEST = text("select size, note from audit_checkpoint order by size desc limit 1")
LAST_SIGNED = text("select max(size) from audit_cosignature where signer = :signer")
KEEP = text("select clearance.keep_cosignature(:size, :signer, :line)")


class WitnessFailed(Exception):
    """A witness did not sign; the message says why."""


@dataclass(frozen=True)
class WitnessAddress:
    """Where a witness listens, and the key by which it signs."""

    url: str
    key: VerifierKey

    @classmethod
    def parse_all(cls, given: str) -> "list[WitnessAddress]":
        """Read 'URL KEY, URL KEY'; raises ValueError."""
        found = []
        for each in filter(None, (part.strip() for part in given.split(","))):
            url, space, key = each.partition(" ")
            if not space:
                raise BadKey("a witness is its URL, a space and its key")
            parsed = VerifierKey.parse(key)
            if parsed.use != "witness":
                raise BadKey(f"the key of {parsed.name} is not one of a witness")
            found.append(cls(require_safe_url(url, "the URL of a witness").rstrip("/"), parsed))
        return found


class Cosigning:
    """Brings the newest checkpoint to one witness; remembers what the witness saw last."""

    def __init__(self, engine: Engine, witness: WitnessAddress, client: httpx2.Client) -> None:
        self._engine, self._witness, self._client = engine, witness, client
        self._seen: int | None = None

    def step(self) -> bool:
        """Have the newest checkpoint signed, if it is not yet; says whether it was. Raises WitnessFailed."""
        with Session(self._engine) as session:
            newest = session.execute(NEWEST).first()
            if self._seen is None:
                self._seen = session.scalar(LAST_SIGNED, {"signer": str(self._witness.key)}) or 0
        if newest is None or newest.size <= self._seen:
            return False
        checkpoint = Checkpoint.parse(newest.note)
        status, said = self._ask(checkpoint, self._seen)
        if status == CONFLICT and (seen := _size(said)) is not None and seen != self._seen:
            # It saw more or less than is known here, as after its restart or after ours.
            if seen > newest.size:
                raise WitnessFailed(f"it saw a log of {seen} entries, and this one has {newest.size}: entries are gone")
            status, said = self._ask(checkpoint, seen)
        if status != OK:
            raise WitnessFailed(f"it answered {status}: {said[:200].strip()}")
        self._keep(checkpoint, said)
        return True

    def _ask(self, checkpoint: Checkpoint, old: int) -> tuple[int, str]:
        """The status and the text of its answer, asked with the proof from a log of `old` entries."""
        with Session(self._engine) as session:
            path = consistency_path(session, old, checkpoint.head.size)
        body, read = str(WitnessRequest(old, path, checkpoint)).encode(), b""
        try:
            with self._client.stream("POST", f"{self._witness.url}/add-checkpoint", content=body) as answer:
                for piece in answer.iter_bytes():
                    read += piece
                    if len(read) > MAX_ANSWER_BYTES:
                        raise WitnessFailed("its answer is too long")
        except httpx2.HTTPError as error:
            raise WitnessFailed(f"it cannot be reached: {type(error).__name__}") from error
        return answer.status_code, read.decode(errors="replace")

    def _keep(self, checkpoint: Checkpoint, lines: str) -> None:
        """Keep the signature if it is the witness's own and over this very checkpoint."""
        key = self._witness.key
        for line in lines.splitlines():
            try:
                signature = NoteSignature.parse(line)
            except BadNote as error:
                raise WitnessFailed(str(error)) from error
            if (signature.name, signature.key_id) == (key.name, key.id):
                if not key.signed(checkpoint.note.text, signature.signature):
                    raise WitnessFailed("its signature does not belong to the checkpoint")
                with Session(self._engine) as session, session.begin():
                    session.execute(KEEP, {"size": checkpoint.head.size, "signer": str(key), "line": str(signature)})
                self._seen = checkpoint.head.size
                log.get().debug("audit.cosigned", witness=key.name, size=checkpoint.head.size)
                return
        raise WitnessFailed("it signed with another key than the one in the settings")


def _size(said: str) -> int | None:
    given = said.strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS else None


def cosign_until(stop: threading.Event, url: str, witnesses: Sequence[WitnessAddress]) -> None:
    """Bring checkpoints to these witnesses, each in a thread of its own, until `stop` is set. `url`: of the sequencer.

    A witness that is slow or gone delays nothing: records are ordered and heads signed as before.
    """
    for witness in witnesses:
        threading.Thread(
            target=_cosign, args=(stop, url, witness), name=f"witness {witness.key.name}", daemon=True
        ).start()


def _cosign(stop: threading.Event, url: str, witness: WitnessAddress) -> None:
    engine, pause = connect(url, pool_size=1), POLL_SECONDS
    with httpx2.Client(timeout=SECONDS, trust_env=True, follow_redirects=False) as client:
        cosigning = Cosigning(engine, witness, client)
        while not stop.wait(pause):
            try:
                cosigning.step()
                pause = POLL_SECONDS
            except (WitnessFailed, BadNote, LookupError, DBAPIError) as error:
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
                reason = type(error).__name__ if isinstance(error, DBAPIError) else str(error)
                log.get().warning("audit.not_cosigned", witness=witness.key.name, reason=reason, retry_seconds=pause)
    engine.dispose()
