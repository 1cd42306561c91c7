"""Checkpoints (c2sp.org/tlog-checkpoint): a head of the log under a signature of the log, and of those who saw it.

A head that was kept shows that nothing under it was changed; a checkpoint also shows whose head it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.evidence.merkle import Head, decode, encode
from app.evidence.signed_note import BadNote, SignedNote, SigningKey, VerifierKey

SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says: the log it is of, and its head. `note` is the whole, with who signed it."""

    origin: str
    head: Head
    note: SignedNote

    def __str__(self) -> str:
        return str(self.note)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint; raises BadNote. Its signatures are not checked yet."""
        note = SignedNote.parse(text)
        origin, size, root, *_extensions = [*note.text.split("\n"), "", ""]
        if not (origin and SIZE.fullmatch(size)):
            raise BadNote("a checkpoint begins with the name of its log and a number of entries")
        try:
            return cls(origin, Head(int(size), decode(root)), note)
        except ValueError as error:
            raise BadNote("the third line of a checkpoint is a root in base64") from error

    @classmethod
    def sign(cls, head: Head, keys: Sequence[SigningKey]) -> "Checkpoint":
        """The checkpoint of a head, in the name of the first key and signed by each."""
        text = f"{keys[0].name}\n{head.size}\n{encode(head.root)}\n"
        return cls(keys[0].name, head, SignedNote(text, tuple(key.sign(text) for key in keys)))

    def log_signers(self, trusted: Iterable[VerifierKey]) -> Sequence[VerifierKey]:
        """Those of the trusted keys by which the log itself signed it, at least one; raises BadNote.

        A key counts for the log that it is named after, and for no other.
        """
        return self.note.signers(key for key in trusted if key.use == "log" and key.name == self.origin)

    def witnesses(self, trusted: Iterable[VerifierKey]) -> Sequence[VerifierKey]:
        """Those of the trusted witnesses that signed it, perhaps none; raises BadNote for a forged signature."""
        of_witnesses = {(key.name, key.id): key for key in trusted if key.use == "witness"}
        if not any((each.name, each.key_id) in of_witnesses for each in self.note.signatures):
            return ()
        return self.note.signers(of_witnesses.values())


def key_change_text(previous: VerifierKey, key: VerifierKey) -> str:
    """What the key before signs, so that who trusts it can trust the next. No checkpoint reads like this."""
    return f"clearance/audit-key-change/v1\n{previous}\n{key}\n"


def follow_key_change(trusted: Iterable[VerifierKey], record: Mapping[str, Any]) -> VerifierKey | None:
    """The key that a record `signingkey.changed` introduces, if one of the trusted keys signed for it."""
    try:
        key, previous = VerifierKey.parse(record["key"]), VerifierKey.parse(record["previous"])
        endorsement = decode(record["endorsement"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    same_log = key.name == previous.name and key.use == previous.use == "log"
    if previous in trusted and same_log and previous.signed(key_change_text(previous, key), endorsement):
        return key
    return None
