"""Has witnesses sign the log's checkpoints (c2sp.org/tlog-witness): what is sent to each, and what is kept.

A witness gets checkpoints and hashes, and nothing of what the log says.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import httpx2
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import log
from app.audit.beside import Asked, NotGiven, ask_until, post
from app.audit.proofs import consistency_path
from app.evidence.checkpoint import Checkpoint
from app.evidence.signed_note import BadKey, BadNote, NoteSignature, VerifierKey
from app.evidence.witness import WitnessRequest
from app.settings import require_safe_url

MAX_ANSWER_BYTES, MAX_DIGITS = 16_384, 19
OK, CONFLICT = HTTPStatus.OK, HTTPStatus.CONFLICT
NEWEST = text("select size, note from audit_checkpoint order by size desc limit 1")
LAST_SIGNED = text("select max(size) from audit_cosignature where signer = :signer")
KEEP = text("select clearance.keep_cosignature(:size, :signer, :line)")


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

    def __init__(self, engine: Engine, client: httpx2.Client, witness: WitnessAddress) -> None:
        self._engine, self._witness, self._client = engine, witness, client
        self._seen: int | None = None

    def step(self) -> bool:
        """Have the newest checkpoint signed, if it is not yet; says whether it was. Raises NotGiven."""
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
                raise NotGiven(f"it saw a log of {seen} entries, and this one has {newest.size}: entries are gone")
            status, said = self._ask(checkpoint, seen)
        if status != OK:
            raise NotGiven(f"it answered {status}: {said[:200].strip()}")
        self._keep(checkpoint, said)
        return True

    def _ask(self, checkpoint: Checkpoint, old: int) -> tuple[int, str]:
        """The status and the text of its answer, asked with the proof from a log of `old` entries."""
        with Session(self._engine) as session:
            path = consistency_path(session, old, checkpoint.head.size)
        body = str(WitnessRequest(old, path, checkpoint)).encode()
        answer, said = post(self._client, f"{self._witness.url}/add-checkpoint", body, at_most=MAX_ANSWER_BYTES)
        return answer.status_code, said.decode(errors="replace")

    def _keep(self, checkpoint: Checkpoint, lines: str) -> None:
        """Keep the signature if it is the witness's own and over this very checkpoint."""
        key = self._witness.key
        for line in lines.splitlines():
            try:
                signature = NoteSignature.parse(line)
            except BadNote as error:
                raise NotGiven(str(error)) from error
            if (signature.name, signature.key_id) == (key.name, key.id):
                if not key.signed(checkpoint.note.text, signature.signature):
                    raise NotGiven("its signature does not belong to the checkpoint")
                with Session(self._engine) as session, session.begin():
                    session.execute(KEEP, {"size": checkpoint.head.size, "signer": str(key), "line": str(signature)})
                self._seen = checkpoint.head.size
                log.get().debug("audit.cosigned", witness=key.name, size=checkpoint.head.size)
                return
        raise NotGiven("it signed with another key than the one in the settings")


def _size(said: str) -> int | None:
    given = said.strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS else None


def cosign_until(stop: threading.Event, url: str, witnesses: Sequence[WitnessAddress]) -> None:
    """Bring checkpoints to these witnesses, each in a thread of its own, until `stop` is set. `url`: of the sequencer.

    A witness that is slow or gone delays nothing: records are ordered and heads signed as before.
    """
    for each in witnesses:
        make = partial(Cosigning, witness=each)
        ask_until(stop, url, Asked("witness", each.key.name, "audit.not_cosigned", make))
