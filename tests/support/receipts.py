"""Receipts of an answer, made without a database, for the tests that change them."""

import uuid
from typing import Any

from app.audit.encryption import seal, unseal
from app.audit.events.answers import AnswerClosed, AnswerOpened
from app.audit.events.base import Actor, CommittedText, SealedText
from app.evidence.checkpoint import Checkpoint
from app.evidence.inclusion import InclusionProof, path_ranges
from app.evidence.merkle import Head, canonical, encode, leaf_hash, merkle_root
from app.evidence.receipt import ReceiptRecord
from app.evidence.tlog_proof import write_proof
from tests.support.log_keys import LOG_KEY

PERSON, TRAIL = uuid.UUID(int=7), uuid.UUID(int=70)
ADA = Actor(PERSON, key="ck_ada")
SECRET, ANSWER = bytes(32), "Ten thousand euros."


def records(trail: uuid.UUID = TRAIL) -> list[tuple[str, dict[str, Any]]]:
    """The bodies of an answer's two records, and what a receipt opens of each."""
    opening = AnswerOpened(
        actor=ADA, trail=trail, question=SealedText("who earns what?"), mode="quote", policy_epoch=1,
        valid_until=None, scopes=(), passages=(), label="public", embedder="e", template="t", prompt=CommittedText("p"),
        model=None,
    )  # fmt: skip
    closing = AnswerClosed(actor=ADA, trail=trail, outcome="quoted", output=CommittedText(ANSWER))
    made = []
    for event, name in ((opening, "question"), (closing, "output")):
        record = event.to_record()
        for field in {"question", "prompt", "output"} & set(record):
            record[field] = seal(SECRET, record[field], record=event.id, field=field)
        found = unseal(SECRET, record[name], record=event.id, field=name)
        words = ({"text": found.text} if found.text else {}) | {"salt": encode(found.salt)}
        made.append((canonical(record), {name: words}))
    return made


ANSWERED = records()
BODIES = ["a", ANSWERED[0][0], "b", ANSWERED[1][0], *"cdefg"]


def signed_records(bodies: list[str] = BODIES, places: tuple[int, ...] = (1, 3)) -> list[ReceiptRecord]:
    leaves = [leaf_hash(body) for body in bodies]
    head = Head(len(leaves), merkle_root(leaves))
    note = str(Checkpoint.sign(head, [LOG_KEY]))
    opened = dict(ANSWERED)
    made = []
    for seq in places:
        path = tuple(merkle_root(leaves[first:end]) for first, end in path_ranges(seq, head.size))
        proof = write_proof(InclusionProof(seq, head, path), note)
        made.append(ReceiptRecord(bodies[seq], opened.get(bodies[seq], {}), proof))
    return made
