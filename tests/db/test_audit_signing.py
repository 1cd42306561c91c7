"""The sequencer signs heads: when, with which key, and so that no other part of the service can."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.admin.audit_log import AuditLog
from app.audit.checkpoints import find_checkpoint, list_checkpoints
from app.audit.proofs import consistency_path
from app.audit.query import EVERYTHING
from app.audit.signing import LogSigner
from app.db.paging import Page
from app.db.session import Database, Signer
from app.evidence.checkpoint import Checkpoint
from app.evidence.consistency import is_consistent
from app.evidence.merkle import Head
from app.evidence.signed_note import BadKey, SigningKey
from app.evidence.verify import verify
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb
from tests.db.audit_passes import passes
from tests.db.proved_log import SIZES, Log
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.log_keys import LOG_KEY, NEXT_KEY
from tests.support.sealing import SEALER


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def export(world: AuditDb, folder: Path) -> Path:
    """The whole log as its auditor exports it."""
    auditor = world.person("au", may=[Capability.AUDIT, Capability.EXPORT])
    database = Database(
        world.engine("app"), Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=10_000, sealer=SEALER
    )
    log = AuditLog(database, SEALER, world.subject(auditor))
    path = folder / "log.jsonl"
    path.write_bytes(b"".join(log.export(EVERYTHING, "jsonl")))
    return path


def test_the_first_head_is_signed_at_once_and_says_with_which_key(world: AuditDb, tmp_path: Path) -> None:
    with passes(world, LogSigner(LOG_KEY)) as made:
        made.add(3)
        [first] = made.signed()
    assert first.head == world.check_order(4)
    assert first.log_signers([LOG_KEY.verifier])
    assert world.text("select kind from audit_entry where seq = 3") == "signingkey.changed"
    report = verify(export(world, tmp_path), trusted=[LOG_KEY.verifier])
    assert report.ok, report.lines
    assert report.signers == (LOG_KEY.name,)


def test_a_head_is_signed_after_so_many_records_or_so_long(world: AuditDb) -> None:
    with passes(world, LogSigner(LOG_KEY, entries=5, seconds=3_600)) as made:
        made.add(1)
        made.add(4)
        assert made.sizes() == [2], "four more are not five"
        made.add(1)
        assert made.sizes() == [2, 7]
        made.sequencer.step()
        assert made.sizes() == [2, 7], "and none where nothing was added"
    with passes(world, LogSigner(LOG_KEY, entries=1_000, seconds=3_600)) as later:
        later.add(1)
        assert later.sizes() == [2, 7]
    with world.session("admin") as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("alter table audit_checkpoint disable trigger append_only"))
        session.execute(text("update audit_checkpoint set at = at - interval '2 hours'"))
    with passes(world, LogSigner(LOG_KEY, entries=1_000, seconds=3_600)) as after:
        after.sequencer.step()
        assert after.sizes() == [2, 7, 8]
    assert world.value("owner", "select count(*) from audit_leaf where kind = 'signingkey.changed'") == 1


def test_nothing_is_signed_in_an_empty_log_or_without_a_key(world: AuditDb) -> None:
    with passes(world, None) as made:
        made.add(3)
        assert made.signed() == []
    with passes(world, LogSigner(LOG_KEY)) as made:
        made.sequencer.step()
        assert made.sizes() == [4], "what was there before the key is under the first signed head"


@pytest.mark.parametrize("handed_over", [True, False], ids=["by the key before", "where that was lost"])
def test_another_key_is_recorded_before_it_signs(world: AuditDb, tmp_path: Path, handed_over: bool) -> None:
    with passes(world, LogSigner(LOG_KEY)) as made:
        made.add(1)
    with passes(world, LogSigner(NEXT_KEY, previous=LOG_KEY if handed_over else None)) as made:
        made.add(1)
        assert made.sizes() == [2, 4]
        assert made.signed()[-1].log_signers([NEXT_KEY.verifier])
        made.sequencer.step()
    path = export(world, tmp_path)
    assert verify(path, trusted=[NEXT_KEY.verifier]).ok
    assert verify(path, trusted=[LOG_KEY.verifier]).ok is handed_over
    assert world.value("owner", "select count(*) from audit_leaf where kind = 'signingkey.changed'") == 2


def test_a_key_of_another_name_or_use_is_refused() -> None:
    for key, previous in (
        (SigningKey("w.example", "witness", bytes(32)), None),
        (LOG_KEY, SigningKey("other.example", "log", bytes(32))),
        (LOG_KEY, SigningKey(LOG_KEY.name, "witness", bytes(32))),
    ):
        with pytest.raises(BadKey):
            LogSigner(key, previous)


def note(head: Head, key: SigningKey = LOG_KEY) -> dict[str, Any]:
    return {"size": head.size, "note": str(Checkpoint.sign(head, [key]))}


PUBLISH = "select clearance.publish_checkpoint(:size, :note)"
COSIGN = "select clearance.keep_cosignature(:size, :signer, :line)"


def test_no_note_stands_for_a_head_that_was_not_published(world: AuditDb) -> None:
    with passes(world, None) as made:
        made.add(3)
    head = world.check_order(3)
    for wrong in (
        note(Head(3, bytes(32))),
        note(Head(2, head.root)),
        note(head) | {"size": 2},
        note(Head(2, head.root)) | {"size": 3},
        {"size": 3, "note": ""},
        {"size": 3, "note": f"a\n3\n{'A' * 44}\n\n"},
    ):
        world.check_refused("no head of the log", "sequencer", PUBLISH, **wrong)
    world.check_refused("note_check", "sequencer", PUBLISH, size=3, note=note(head)["note"] + "x" * 8192)
    world.run("sequencer", PUBLISH, **note(head))
    world.check_refused("pkey", "sequencer", PUBLISH, **note(head, NEXT_KEY))


@pytest.mark.parametrize("role", ["app", "ingest"])
def test_only_the_sequencer_publishes(world: AuditDb, role: str) -> None:
    with passes(world, None) as made:
        made.add(1)
    head = world.check_order(1)
    world.check_refused("permission denied", role, PUBLISH, **note(head))
    world.check_refused("permission denied", role, COSIGN, size=1, signer="w", line="— w AAAA\n")


def test_signatures_of_witnesses_stand_under_the_note_in_the_order_in_which_they_came(world: AuditDb) -> None:
    with passes(world, LogSigner(LOG_KEY)) as made:
        made.add(1)
        [signed] = made.signed()
    for bad in ("w AAAA\n", "— w AAAA", "— w AAAA\n— w AAAA\n", "— " + "w" * 1024 + "\n"):
        world.check_refused("line_check", "sequencer", COSIGN, size=2, signer="x", line=bad)
    lines = []
    for number in range(34):
        witness = SigningKey(f"w{number}.example", "witness", bytes([number]) * 32)
        lines.append(str(witness.sign(signed.note.text, moment=number)))
        world.run("sequencer", COSIGN, size=2, signer=str(witness.verifier), line=lines[-1])
    world.run("sequencer", COSIGN, size=2, signer=str(witness.verifier), line=lines[0])
    auditor = world.person("au", may=[Capability.AUDIT])
    with world.as_user(auditor) as session:
        [found] = list_checkpoints(session, Page(limit=5))
        assert found.note == str(signed) + "".join(lines[:32]), "and not without end"
        assert find_checkpoint(session) == find_checkpoint(session, at_most=2) == found
        assert find_checkpoint(session, at_most=1) is None
        assert find_checkpoint(session, at_least=3) is None
    with passes(world, LogSigner(LOG_KEY)) as made:
        made.add(1)
        made.sequencer.step()
    newer = world.check_order(3)
    world.run("sequencer", PUBLISH, **note(newer))
    with world.as_user(auditor) as session:
        assert find_checkpoint(session) == found, "what a witness saw comes first"
        later = find_checkpoint(session, at_least=3)
        assert later is not None
        assert later.size == 3, "but not where it covers too little"


def test_heads_of_every_size_are_shown_to_continue_one_another(world: AuditDb) -> None:
    log = Log(world)
    with world.as_user(log.auditor) as session:
        for later in SIZES:
            assert consistency_path(session, 0, later) == ()
            for earlier in range(1, later + 1):
                if earlier in SIZES or earlier % 97 == 0 or earlier % 256 in {0, 1, 255}:
                    path = consistency_path(session, earlier, later)
                    assert is_consistent(log.head(earlier), log.head(later), path), (earlier, later)
        with pytest.raises(LookupError):
            consistency_path(session, 1, 4)
