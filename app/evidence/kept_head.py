"""Reads a head that somebody kept, in any of the forms in which we give heads away."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import Head, decode
from app.evidence.signed_note import MAX_NOTE_BYTES, VerifierKey


def read_head(given: str, trusted: Sequence[VerifierKey] = ()) -> Head:
    """The head in `size:root`, or in a file that holds this, a checkpoint, a head line, or an earlier export.

    Raises ValueError; also for a checkpoint that none of the trusted keys signed, where any are given.
    """
    path = Path(given)
    if not path.is_file():
        return Head.parse(given)
    raw = path.read_bytes()
    if b"\n\n" in raw[:MAX_NOTE_BYTES]:
        checkpoint = Checkpoint.parse(raw.decode())
        if trusted:
            checkpoint.log_signers(trusted)
        return checkpoint.head
    last = raw.strip().rpartition(b"\n")[2].decode()
    if not last.startswith("{"):
        return Head.parse(last)
    value = json.loads(last)
    return head_of(value.get("head", value))


def head_of(value: Any) -> Head:
    """The head of an export's last line; raises ValueError."""
    try:
        size, root = value["size"], decode(value["root"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("no head in it") from error
    if not isinstance(size, int) or isinstance(size, bool):
        raise ValueError("the size of a head is a number")
    if extra := set(value) - {"size", "root", "at"}:
        raise ValueError(f"it carries what no export writes: {', '.join(sorted(extra))}")
    if not isinstance(value.get("at", ""), str):
        raise ValueError("its time is no text")
    return Head(size, root)
