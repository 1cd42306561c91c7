"""A receipt: the records of one answer in one file, each with its proof, that a stranger verifies without us.

JSON on one line: `format`, `version`, and `records`, each with `record` verbatim, `opened` and `proof`
(c2sp.org/tlog-proof). What it proves is what the records say; of an answer's text it has only the commitment, which
whoever holds the text compares.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import leaf_hash
from app.evidence.opened import matches_commitment, opened_text_matches
from app.evidence.records import is_sealed, part, read_record, unique_keys
from app.evidence.signed_note import BadNote, VerifierKey
from app.evidence.tlog_proof import read_proof

FORMAT, VERSION = "clearance-receipt", 1
MAX_RECORDS = 1_000


@dataclass(frozen=True)
class ReceiptRecord:
    """A record verbatim, its personal words where they are opened, and its proof as a file."""

    record: str
    opened: Mapping[str, Mapping[str, Any]]
    proof: str


@dataclass
class ReceiptReport:
    """What was found of a receipt. `ok`: each record stands in a log whose head a trusted key signed."""

    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.wrong

    @property
    def lines(self) -> list[str]:
        """The report for a person, the verdict first."""
        verdict = "OK" if self.ok else f"{len(self.wrong)} FINDINGS"
        return [f"receipt: {verdict}", *(f"  {line}" for line in (*self.wrong, *self.said))]


def write_receipt(records: Iterable[ReceiptRecord]) -> str:
    """The receipt as a file."""
    entries = [{"record": r.record, "opened": r.opened, "proof": r.proof} for r in records]
    return json.dumps({"format": FORMAT, "version": VERSION, "records": entries}, separators=(",", ":")) + "\n"


def is_receipt(first_line: bytes) -> bool:
    """Whether a file that begins so is a receipt."""
    return first_line.startswith(f'{{"format":"{FORMAT}"'.encode())


def verify_receipt(text: str, *, trusted: Sequence[VerifierKey], answer: str | None = None) -> ReceiptReport:
    """Check a receipt with the keys that you trust; with `answer`, also that it is the text that was given."""
    report = ReceiptReport()
    try:
        entries = _entries(json.loads(text, object_pairs_hook=unique_keys))
    except (ValueError, RecursionError) as error:
        report.wrong.append(f"it is no receipt that this program knows: {error}")
        return report
    records = [_record(report, number, entry, trusted) for number, entry in enumerate(entries, 1)]
    known = [record for record in records if record is not None]
    trails = {record.get("trail") for record in known}
    if len(trails) != 1 or None in trails or not known or known[0].get("kind") != "answer.opened":
        report.wrong.append("its records are not those of one answer, from its opening on")
    if answer is not None:
        _answer(report, entries, known, answer)
    return report


def _entries(value: Any) -> list[ReceiptRecord]:
    match value:
        case {"format": str(name), "version": int(version), "records": list(entries), **beside} if not beside:
            if (name, version) != (FORMAT, VERSION) or not 0 < len(entries) <= MAX_RECORDS:
                raise ValueError(f"format {name!r}, version {version}, {len(entries)} records")
        case _:
            raise ValueError("not an object with a format, a version and records")
    found = []
    for entry in entries:
        match entry:
            case {"record": str(record), "opened": dict(opened), "proof": str(proof), **beside} if not beside:
                found.append(ReceiptRecord(record, opened, proof))
            case _:
                raise ValueError("a record of it has not exactly record, opened and proof")
    return found


def _record(
    report: ReceiptReport, number: int, entry: ReceiptRecord, trusted: Sequence[VerifierKey]
) -> dict[str, Any] | None:
    """The record, with what was found of it in the report."""
    record = read_record(entry.record)
    if record is None:
        report.wrong.append(f"record {number} is no record as the service writes them")
        return None
    try:
        proof, checkpoint = read_proof(entry.proof)
        signers = checkpoint.log_signers(trusted)
        seen = checkpoint.witnesses(trusted)
    except BadNote as error:
        report.wrong.append(f"record {number}: {error}")
        return record
    if not proof.holds(leaf_hash(entry.record)):
        report.wrong.append(f"record {number} does not lead to the head of its checkpoint: it was changed")
    for name, words in entry.opened.items():
        if not opened_text_matches(record.get(name), words, left_out=True):
            report.wrong.append(f"record {number}: the opened {name} is not what was recorded")
    report.said.append(_said(record, proof.seq, checkpoint, [key.name for key in (*signers, *seen)]))
    return record


def _said(record: Mapping[str, Any], seq: int, checkpoint: Checkpoint, signers: Sequence[str]) -> str:
    by = " and ".join(dict.fromkeys(signers))
    return f"entry {seq}, {record['kind']} at {record.get('at')}, under {checkpoint.head.size} entries signed by {by}"


def _answer(
    report: ReceiptReport, entries: Sequence[ReceiptRecord], records: Sequence[Mapping[str, Any]], answer: str
) -> None:
    """Compare a text with the commitment to what was given."""
    for record, entry in zip(records, entries, strict=False):
        output, salt = record.get("output"), part(entry.opened.get("output"), "salt")
        if record.get("kind") != "answer.closed" or not is_sealed(output) or salt is None:
            continue
        if matches_commitment(output, answer, str(salt)):
            report.said.append("the text that you gave is the answer that was given")
        else:
            report.wrong.append("the text that you gave is not the answer that was given")
        return
    report.wrong.append("it does not open the answer's commitment, so that no text can be compared")
