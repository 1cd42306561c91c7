"""What another policy would have done with past answers, out of the log: for auditors, in numbers alone."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.admin.audit_log import AuditLog
from app.audit.listing import list_events
from app.audit.query import Choice, LogQuery
from app.audit.replay import RecordedPrompt, read_recorded_prompt
from app.evidence.records import read_record
from app.guardrail.policy.dry_run import DryRun

MAX_ANSWERS = 100
# Compares two policies on past answers: `app.answer.policy_trials`.
Compare = Callable[[Sequence[tuple[uuid.UUID, RecordedPrompt | None]]], DryRun]


@dataclass(frozen=True)
class PolicyDryRun:
    """What came of it, and the id of the record of this look."""

    found: DryRun
    recorded: uuid.UUID


def run_policy_dry(log: AuditLog, answers: int, digest: str, compare: Compare) -> PolicyDryRun:
    """Compare policies on the last so many answers (audit); recorded, with the digest of the other policy."""
    chosen = _latest(log, answers)
    # Recorded before anything is known of the documents.
    recorded = log.record(log.look({"policy_dry_run": digest}, len(chosen)))
    return PolicyDryRun(compare(chosen), recorded)


def _latest(log: AuditLog, answers: int) -> list[tuple[uuid.UUID, RecordedPrompt | None]]:
    """The last openings of answers, newest first, each with what its prompt was made of; None where it had none."""
    found: list[tuple[uuid.UUID, RecordedPrompt | None]] = []
    query, reached = LogQuery(kind=Choice(frozenset(("answer.opened",)))), None
    with log.reading() as session:
        while len(found) < answers:
            page = list_events(session, query, after_seq=reached, limit=answers - len(found), newest_first=True)
            for entry in page.entries:
                record = read_record(entry.body)
                if record is not None:
                    found.append((uuid.UUID(record["trail"]), read_recorded_prompt(record, "")))
            reached = page.reached
            if reached is None:
                break
    return found
