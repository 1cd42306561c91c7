"""Proofs that an entry stands under a published head, and that one head continues another, from what is kept of the
tree: the leaf hashes of one block of 256, a node for each level above it, and the later head's frontier.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, tuple_, union_all
from sqlalchemy.orm import Session

from app.audit.listing import Entry
from app.db.tables.audit import AuditEntry, AuditHead, AuditNode
from app.db.tables.retention import AuditPruned
from app.evidence.consistency import consistency_ranges
from app.evidence.inclusion import InclusionProof, path_ranges
from app.evidence.merkle import Frontier, Head, leaf_hash, merkle_root
from app.evidence.records import read_record

# Nodes are kept from this level on.
KEPT_LEVEL = 8
# In the place of a hash that is not there.
MISSING = bytes(32)
CheckName = Literal["form", "leaf", "inclusion", "head"]


@dataclass(frozen=True)
class EntryCheck:
    """One thing that was checked, whether it holds, and in words what was found."""

    name: CheckName
    holds: bool
    said: str


@dataclass(frozen=True)
class Verification:
    """What was found of one entry; `proof` can be checked by anybody, None where there is no such head."""

    checks: tuple[EntryCheck, ...]
    proof: InclusionProof | None

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


def verify_entry(session: Session, entry: Entry, kept: Head | None = None) -> Verification:
    """Check an entry against the newest head, or against one that somebody kept: nothing of it is taken on trust but
    that head's root.
    """
    published = _published(session, None if kept is None else kept.size)
    checks = [_check_form(entry), _check_leaf(entry)]
    if published is None or entry.seq >= published.size:
        size = "any size" if kept is None else f"the size {kept.size}"
        checks.append(EntryCheck("inclusion", False, f"No head of {size} was published that covers entry {entry.seq}."))
        return Verification(tuple(checks), None)
    head = kept or Head(published.size, bytes(published.root))
    proof = InclusionProof(entry.seq, head, _path(session, entry.seq, published))
    checks += [_check_inclusion(entry, proof), _check_head(published, kept)]
    return Verification(tuple(checks), proof)


def inclusion_proof(session: Session, seq: int, size: int) -> InclusionProof:
    """The proof of an entry under the published head of this size. Raises LookupError if there is none, or NoProof."""
    published = _published(session, size)
    if published is None:
        raise LookupError(f"no head of {size} entries was published")
    return InclusionProof(seq, Head(published.size, bytes(published.root)), _path(session, seq, published))


def consistency_path(session: Session, earlier: int, later: int) -> tuple[bytes, ...]:
    """The hashes that lead from a tree of `earlier` entries to the published head of `later`; none from nothing.

    Raises LookupError if no such head was published, and NoProof where it is the smaller one.
    """
    published = _published(session, later)
    if published is None:
        raise LookupError(f"no head of {later} entries was published")
    if earlier == 0:
        return ()
    # Small subtrees stand on both sides of the earlier tree's end, in the block of its last entry.
    return _hashes(session, earlier - 1, consistency_ranges(earlier, later), published)


def _published(session: Session, size: int | None) -> AuditHead | None:
    newest = select(AuditHead).order_by(AuditHead.size.desc()).limit(1)
    return session.scalar(newest if size is None else newest.where(AuditHead.size == size))


def _check_form(entry: Entry) -> EntryCheck:
    if read_record(entry.body) is None:
        return EntryCheck("form", False, "The text is no record in the form in which the service writes them.")
    return EntryCheck("form", True, "The record is in its one canonical form.")


def _check_leaf(entry: Entry) -> EntryCheck:
    if leaf_hash(entry.body) != entry.leaf_hash:
        return EntryCheck("leaf", False, f"The record does not hash to the leaf of entry {entry.seq}: it was changed.")
    return EntryCheck("leaf", True, f"The record hashes to the leaf of entry {entry.seq}.")


def _check_inclusion(entry: Entry, proof: InclusionProof) -> EntryCheck:
    over = f"the root over {proof.head.size} entries"
    # From the record itself: not from the hash that stands beside it.
    if proof.holds(leaf_hash(entry.body)):
        return EntryCheck("inclusion", True, f"With {len(proof.path)} hashes it leads to {over}.")
    return EntryCheck("inclusion", False, f"It does not lead to {over}: the log was changed after that head.")


def _check_head(published: AuditHead, kept: Head | None) -> EntryCheck:
    at = f"{published.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    if kept is None:
        said = f"That root is the newest head, published {at}. It was not compared with a head kept elsewhere."
        return EntryCheck("head", True, said)
    if kept.root != bytes(published.root):
        said = f"The head kept is not the one of {published.size} entries that stands here: the log was rewritten."
        return EntryCheck("head", False, said)
    return EntryCheck("head", True, f"The head kept is the one that was published {at}.")


def _path(session: Session, seq: int, head: AuditHead) -> tuple[bytes, ...]:
    return _hashes(session, seq, path_ranges(seq, head.size), head)


def _hashes(session: Session, seq: int, ranges: list[tuple[int, int]], head: AuditHead) -> tuple[bytes, ...]:
    """The hashes over these ranges, each from where it is kept; small ones stand in the block of entry `seq`."""
    block, nodes = _block(session, seq, head.size), _nodes(session, ranges)

    def hash_over(first: int, end: int) -> bytes:
        if _level(first, end) >= KEPT_LEVEL:
            return nodes.get((first, end), MISSING)
        if first in block and end - 1 in block:
            return merkle_root([block.get(number, MISSING) for number in range(first, end)])
        # It ends with the tree: over the last subtrees of the frontier.
        left = end - first
        return Frontier(left, head.frontier[-left.bit_count() :]).root()

    return tuple(hash_over(first, end) for first, end in ranges)


def _level(first: int, end: int) -> int:
    """The level of the perfect subtree over these entries; -1 if they are none."""
    width = end - first
    return width.bit_length() - 1 if width.bit_count() == 1 and first % width == 0 else -1


def _block(session: Session, seq: int, size: int) -> Mapping[int, bytes]:
    """The leaf hashes of the 256 entries among which this one is, by their numbers."""
    first = seq >> KEPT_LEVEL << KEPT_LEVEL
    end = min(first + (1 << KEPT_LEVEL), size)
    leaves = [
        select(table.seq, table.leaf_hash).where(table.seq >= first, table.seq < end)
        for table in (AuditEntry, AuditPruned)
    ]
    return {number: bytes(leaf) for number, leaf in session.execute(union_all(*leaves))}


def _nodes(session: Session, ranges: list[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
    """The nodes that are kept over these ranges, by them."""
    levels = {each: _level(*each) for each in ranges}
    wanted = {(level, each[0] >> level): each for each, level in levels.items() if level >= KEPT_LEVEL}
    kept = select(AuditNode.level, AuditNode.place, AuditNode.hash).where(
        tuple_(AuditNode.level, AuditNode.place).in_(list(wanted))
    )
    return {wanted[level, place]: bytes(node) for level, place, node in session.execute(kept)}
