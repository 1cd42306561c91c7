"""Builds exported logs without a database, for the tests that tamper with them."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.audit.encryption import seal, unseal
from app.audit.events.answers import SearchDone
from app.audit.events.base import Actor, SealedText
from app.audit.events.retention import LogPruned
from app.audit.events.signing_keys import SigningKeyChanged
from app.evidence import merkle
from app.evidence.checkpoint import key_change_text
from app.evidence.signed_note import SigningKey

KEY = bytes(range(32))
USER = uuid.UUID(int=7)


def entry(seq: int, words: str, at: dt.datetime | None = None) -> dict[str, Any]:
    """One entry of an export that opens its query, and claims to be of now or of another time."""
    event = SearchDone(
        at=at or dt.datetime.now(dt.UTC),
        actor=Actor(USER, key="ck_ada"),
        query=SealedText(words),
        policy_epoch=seq,
        hits=(uuid.UUID(int=seq),),
        documents=(uuid.UUID(int=seq + 1_000),),
    )
    record = event.to_record()
    record["query"] = seal(KEY, event.query, record=event.id, field="query")
    opened = unseal(KEY, record["query"], record=event.id, field="query")
    body = merkle.canonical(record)
    return {
        "seq": seq,
        "leaf_hash": merkle.encode(merkle.leaf_hash(body)),
        "record": body,
        "opened": {"query": {"text": opened.text, "salt": merkle.encode(opened.salt)}},
    }


def head_of(entries: Sequence[dict[str, Any]]) -> merkle.Head:
    """The head over the leaf hashes that the entries claim."""
    return merkle.Head(len(entries), merkle.merkle_root([merkle.decode(e["leaf_hash"]) for e in entries]))


def rehash(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with the leaf hash that its record has."""
    return {**entry, "leaf_hash": merkle.encode(merkle.leaf_hash(entry["record"]))}


def key_change(seq: int, key: SigningKey, previous: SigningKey, signer: SigningKey) -> dict[str, Any]:
    """An entry by which the log's key changes, endorsed by this signer."""
    event = SigningKeyChanged(
        actor=Actor.service("clearance-sequencer"),
        key=str(key.verifier),
        previous=str(previous.verifier),
        endorsement=merkle.encode(signer.sign(key_change_text(previous.verifier, key.verifier)).signature),
    )
    body = merkle.canonical(event.to_record())
    return {"seq": seq, "leaf_hash": merkle.encode(merkle.leaf_hash(body)), "record": body}


def pruned(seq: int, *ranges: tuple[int, int], writer: str = "clearance_sequencer") -> dict[str, Any]:
    """An entry by which records of these numbers, from the first to the last of each, were removed."""
    event = LogPruned(actor=Actor.service("clearance-sequencer"), entries=ranges, rules=(), counts={})
    body = merkle.canonical({**event.to_record(), "writer": writer})
    return {"seq": seq, "leaf_hash": merkle.encode(merkle.leaf_hash(body)), "record": body}


def write(
    path: Path,
    entries: Sequence[dict[str, Any]],
    *,
    head: merkle.Head | None = None,
    complete: bool = True,
    note: str | None = None,
    stamps: object = None,
) -> Path:
    """Write an export of `entries` under `head`, by default their own, with a checkpoint and time stamps."""
    head = head or head_of(entries)
    header = {
        "format": "clearance-audit",
        "version": 1,
        "complete": complete,
        "range": {"first": 0, "size": head.size},
        "filters": {} if complete else {"kind": "search.done"},
    } | {name: value for name, value in (("checkpoint", note), ("timestamps", stamps)) if value is not None}
    last = {"head": {"size": head.size, "root": merkle.encode(head.root)}}
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, *entries, last)))
    return path
