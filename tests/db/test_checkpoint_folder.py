"""Signed heads as files that stay: written once committed, never over one, and loud where the log says otherwise."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.audit.checkpoint_folder import keep_in
from app.audit.signing import LogSigner
from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import Head
from app.sequencer_process import Sequencer
from tests.db.audit_db import AuditDb
from tests.db.audit_passes import NEVER, passes
from tests.support.cluster import Db
from tests.support.log_keys import LOG_KEY


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


def kept(folder: Path) -> list[int]:
    """The sizes of the heads in the folder, each signed by the log."""
    found = [Checkpoint.parse(path.read_text("utf-8")) for path in sorted(folder.iterdir())]
    assert all(each.log_signers([LOG_KEY.verifier]) for each in found)
    return [each.head.size for each in found]


def test_each_signed_head_is_a_file(world: AuditDb, tmp_path: Path) -> None:
    signer = LogSigner(LOG_KEY, entries=2)
    with passes(world, signer) as made:
        made.sequencer = Sequencer(made.engine, close_after=NEVER, signer=signer, keep=partial(keep_in, tmp_path))
        for leaves in (1, 1, 1, 5):
            made.add(leaves)
        assert kept(tmp_path) == made.sizes() == [2, 4, 9]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o444}


def test_what_was_not_committed_is_not_kept(world: AuditDb, tmp_path: Path) -> None:
    signer = LogSigner(LOG_KEY)
    with passes(world, signer) as made:
        made.sequencer = Sequencer(made.engine, close_after=NEVER, signer=signer, keep=partial(keep_in, tmp_path))
        # At the commit, as a failing constraint of a later time would be.
        with world.session("admin") as session:
            session.execute(text(
                "create constraint trigger broken after insert on audit_checkpoint deferrable initially deferred"
                " for each row execute function clearance.refuse_audit_change()"))  # fmt: skip
        with pytest.raises(DBAPIError, match="append-only: INSERT on audit_checkpoint"):
            made.add(1)
        assert made.signed() == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_and_a_contradiction_is_said(tmp_path: Path) -> None:
    first, other = (Checkpoint.sign(Head(5, bytes([n]) * 32), [LOG_KEY]) for n in range(2))
    shorter = Checkpoint.sign(Head(3, bytes(32)), [LOG_KEY])
    for checkpoint, said in ((first, []), (first, []), (other, ["audit.log_was_rewritten"]),
                             (shorter, ["audit.log_is_shorter"])):  # fmt: skip
        with capture_logs() as logs:
            keep_in(tmp_path, checkpoint)
        assert [each["event"] for each in logs] == said
    assert (tmp_path / f"{5:020d}.checkpoint").read_text("utf-8") == str(first)


def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    with capture_logs() as logs:
        keep_in(tmp_path / "gone", Checkpoint.sign(Head(5, bytes(32)), [LOG_KEY]))
    assert [each["event"] for each in logs] == ["audit.checkpoint_not_kept"]
