"""Proofs of entries from what is kept of the tree, held to the roots of all leaves; and what no proof survives."""

import contextlib
import random
from collections.abc import Iterator

import pytest

from app.audit.proofs import Verification
from app.evidence.merkle import Head
from tests.db.audit_db import AuditDb
from tests.db.proved_log import SIZES, Log
from tests.support.cluster import TEMPLATE, Cluster, Db, copied


@pytest.fixture(scope="module")
def log(cluster: Cluster) -> Iterator[Log]:
    with copied(cluster, TEMPLATE) as db, contextlib.closing(AuditDb(db)) as world:
        yield Log(world)


@pytest.fixture
def small(db: Db) -> Iterator[Log]:
    with contextlib.closing(AuditDb(db)) as world:
        yield Log(world, (600, 601))


def failed(found: Verification) -> set[str]:
    return {check.name for check in found.checks if not check.holds}


def test_entries_are_proved_under_every_head(log: Log) -> None:
    """The root that the proof leads to is the one of all leaves, by the definition."""
    rng = random.Random(1)
    for size in SIZES:
        chosen = {0, size - 1, *(rng.randrange(size) for _ in range(12)), *(s for s in SIZES if s < size)}
        for seq in sorted(chosen):
            found = log.verify(seq, log.head(size))
            assert found.holds, (seq, size, found.checks)
            assert found.proof is not None
            assert found.proof.holds(log.leaves[seq])
            assert len(found.proof.path) <= size.bit_length()


def test_without_a_head_that_was_kept_it_says_so(log: Log) -> None:
    found = log.verify(7)
    assert found.holds
    assert found.proof is not None
    assert found.proof.head == log.head(SIZES[-1])
    assert [check.name for check in found.checks] == ["form", "leaf", "inclusion", "head"]
    assert "was not compared with a head kept elsewhere" in found.checks[-1].said


def test_an_entry_behind_a_head_or_under_none_is_not_proved(log: Log) -> None:
    assert failed(log.verify(300, log.head(300))) == {"inclusion"}
    assert failed(log.verify(7, log.head(400))) == {"inclusion"}
    assert log.verify(7, log.head(400)).proof is None


def test_another_head_than_was_kept_is_found(log: Log) -> None:
    assert failed(log.verify(7, Head(512, bytes(32)))) == {"inclusion", "head"}


# In the order of their numbers the records count up: entry 7 says 7.
CHANGED = "update audit_leaf set body = replace(body, 'count\":7,', 'count\":8,') where strpos(body, 'count\":7,') > 0"
REHASHED = "update audit_leaf set leaf_hash = sha256('\\x00'::bytea || convert_to(body, 'UTF8'))"
COPIED = "update audit_entry e set leaf_hash = l.leaf_hash from audit_leaf l where l.id = e.leaf_id"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([CHANGED], {"leaf", "inclusion"}),
        ([CHANGED, REHASHED, COPIED], {"inclusion"}),
        (["update audit_node set hash = sha256('') where level = 8 and place = 1"], {"inclusion"}),
        (["delete from audit_node where level = 8"], {"inclusion"}),
        (["update audit_entry set leaf_hash = sha256('') where seq = 6"], {"inclusion"}),
        (["update audit_entry set seq = 1000 where seq = 6", "update audit_entry set seq = 6 where seq = 7",
          "update audit_entry set seq = 7 where seq = 1000"], {"inclusion"}),
    ],
    ids=["the record", "record and hashes", "a node", "no nodes", "the leaf beside", "two places"],
)  # fmt: skip
def test_what_was_changed_in_the_database_is_found(small: Log, changes: list[str], found: set[str]) -> None:
    """Of entry 7, whatever else was made to fit: the head is what it cannot be made to fit with."""
    assert small.verify(7).holds
    small.change(*changes)
    assert failed(small.verify(7)) == found


def test_a_text_that_is_no_record_is_named(small: Log) -> None:
    small.change("update audit_leaf set body = '{}'", REHASHED, COPIED)
    assert failed(small.verify(7)) == {"form", "inclusion"}
