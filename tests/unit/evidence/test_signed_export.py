"""Exports whose head is signed: what the key shows, what it does not, and what is no signature of the log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.evidence.checkpoint import Checkpoint
from app.evidence.kept_head import read_head
from app.evidence.merkle import Head, leaf_hash
from app.evidence.report import VerifyReport
from app.evidence.signed_note import SigningKey
from app.evidence.verify import verify
from tests.support.exported_log import entry, head_of, key_change, rehash, write
from tests.support.log_keys import LOG_KEY, NEXT_KEY, STRANGER_KEY, WITNESS_KEY

ENTRIES = [entry(n, f"question {n}") for n in range(11)]


def note(entries: Sequence[dict[str, Any]] = ENTRIES, key: SigningKey = LOG_KEY) -> str:
    return str(Checkpoint.sign(head_of(entries), [key]))


def check(folder: Path, signed: str | None, *trusted: SigningKey, entries: Sequence[Any] = ENTRIES) -> VerifyReport:
    path = write(folder / "log.jsonl", entries, note=signed)
    return verify(path, trusted=[key.verifier for key in trusted])


def kinds(report: VerifyReport) -> set[str]:
    return {finding.kind for finding in report.findings}


@pytest.mark.parametrize("size", [0, 1, 7, 8, 11])
def test_a_signed_head_anywhere_in_the_file_is_held_to_its_entries(tmp_path: Path, size: int) -> None:
    report = check(tmp_path, note(ENTRIES[:size]), LOG_KEY)
    assert report.ok
    assert report.lines[-1] == f"  the first {size} entries are signed by log.example/audit"


def test_without_a_key_a_signed_file_is_still_held_to_its_checkpoint(tmp_path: Path) -> None:
    assert check(tmp_path, note()).ok
    assert "agrees with itself" in check(tmp_path, note()).lines[-1]
    changed = [*ENTRIES[:4], entry(4, "another question"), *ENTRIES[5:]]
    assert kinds(check(tmp_path, note(), entries=changed)) == {"rewrite"}


def test_a_log_that_was_rewritten_needs_the_key(tmp_path: Path) -> None:
    """Every hash made to fit: nothing but the signature is missing."""
    changed = [rehash({**e, "record": e["record"].replace("ck_ada", "ck_eve")}) for e in ENTRIES]
    assert kinds(check(tmp_path, note(), LOG_KEY, entries=changed)) == {"rewrite"}
    assert kinds(check(tmp_path, note(changed, STRANGER_KEY), LOG_KEY, entries=changed)) == {"signature"}
    assert kinds(check(tmp_path, None, LOG_KEY, entries=changed)) == {"signature"}


def test_whoever_has_the_key_can_rewrite_all_unless_somebody_kept_a_head_or_saw_it(tmp_path: Path) -> None:
    changed = [rehash({**e, "record": e["record"].replace("ck_ada", "ck_eve")}) for e in ENTRIES]
    path = write(tmp_path / "log.jsonl", changed, note=note(changed))
    trusted = [LOG_KEY.verifier]
    assert verify(path, trusted=trusted).ok, "the key alone does not show it"
    assert kinds(verify(path, trusted=trusted, head=head_of(ENTRIES))) == {"rewrite"}
    assert kinds(verify(path, trusted=[*trusted, WITNESS_KEY.verifier])) == {"signature"}
    text = Checkpoint.sign(head_of(ENTRIES), [LOG_KEY]).note.text
    seen = note() + str(WITNESS_KEY.sign(text, moment=1))
    report = check(tmp_path, seen, LOG_KEY, WITNESS_KEY)
    assert report.ok
    assert report.signers == (LOG_KEY.name, WITNESS_KEY.name)
    assert kinds(
        check(tmp_path, note(changed) + str(WITNESS_KEY.sign(text, moment=1)), LOG_KEY, WITNESS_KEY, entries=changed)
    ) == {"signature"}


@pytest.mark.parametrize("signer", [LOG_KEY, NEXT_KEY, STRANGER_KEY], ids=["the key before", "itself", "a stranger"])
def test_a_new_key_counts_where_the_one_before_signed_for_it(tmp_path: Path, signer: SigningKey) -> None:
    entries = [*ENTRIES, key_change(11, NEXT_KEY, LOG_KEY, signer), entry(12, "later")]
    report = check(tmp_path, note(entries, NEXT_KEY), LOG_KEY, entries=entries)
    assert report.ok is (signer is LOG_KEY)
    assert check(tmp_path, note(entries, NEXT_KEY), NEXT_KEY, entries=entries).ok, (
        "who trusts the new key needs no old one"
    )


@pytest.mark.parametrize("signed", ["", "no note", "a\n1\nb\n\n— c AAAAAAAA\n", note().replace("log", "\ud800", 1)])
def test_a_checkpoint_that_is_none_is_named(tmp_path: Path, signed: str) -> None:
    assert kinds(check(tmp_path, signed)) == {"format"}
    assert "format" in kinds(check(tmp_path, signed, LOG_KEY))


def test_a_file_that_ends_before_its_checkpoint_is_cut(tmp_path: Path) -> None:
    longer = [*ENTRIES, entry(11, "later")]
    assert kinds(check(tmp_path, note(longer), LOG_KEY)) == {"truncation"}


def test_a_selection_is_not_compared_with_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", ENTRIES, complete=False)
    assert kinds(verify(path, trusted=[LOG_KEY.verifier])) == {"selection"}


def test_a_kept_checkpoint_is_a_head_if_the_log_signed_it(tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_text(note())
    assert read_head(str(kept)) == read_head(str(kept), [LOG_KEY.verifier]) == head_of(ENTRIES)
    with pytest.raises(ValueError, match="none of the keys"):
        read_head(str(kept), [STRANGER_KEY.verifier])
    kept.write_text(str(Checkpoint.sign(Head(3, leaf_hash("x")), [LOG_KEY])).replace("\n3\n", "\n4\n"))
    with pytest.raises(ValueError, match="does not belong"):
        read_head(str(kept), [LOG_KEY.verifier])
