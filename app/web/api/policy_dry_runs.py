"""POST /audit/policy-dry-run: what another policy would have done with past answers (audit)."""

import uuid
from functools import partial

from fastapi import APIRouter
from pydantic import Field

from app.admin.policy_dry_runs import MAX_ANSWERS, run_policy_dry
from app.answer.policy_trials import candidate_of, dry_run
from app.guardrail.policy.dry_run import Actions
from app.web.api.guardrail_policy import MAX_POLICY
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import AuditLogOf, ComponentsOf

router = APIRouter(prefix="/audit", tags=["audit"])


class PolicyDryRunBody(ApiModel):
    """Another policy, as the text of its file, and how many of the last answers to look at."""

    policy: str = Field(min_length=1, max_length=MAX_POLICY, examples=["version: 1"])
    answers: int = Field(50, ge=1, le=MAX_ANSWERS)


class ActionCountOut(ApiModel):
    """How many values of a kind an action is done with now, and would be."""

    kind: str
    action: str
    before: int
    after: int


class DifferingAnswerOut(ApiModel):
    """An answer for which the two policies differ."""

    trail: uuid.UUID
    actions: list[ActionCountOut]


class PolicyDryRunOut(ApiModel):
    """What the rules of two policies do with the values in the passages of answers, as their askers read now."""

    version: str
    digest: str
    looked_at: int
    not_readable: int = Field(description="answers whose asker is gone, or whose record names no passages")
    actions: list[ActionCountOut]
    differing: list[DifferingAnswerOut]
    recorded: uuid.UUID = Field(description="id of the record of this look")


@router.post("/policy-dry-run")
def policy_dry_run(body: PolicyDryRunBody, log: AuditLogOf, parts: ComponentsOf) -> PolicyDryRunOut:
    """Compare another policy's rules with those in force on the last answers, in numbers by kind; recorded (audit).

    Terms, patterns and contacts do not count: of no word can it be learnt here whether a document has it.
    """
    candidate = candidate_of(parts.policy, body.policy)
    digest = candidate.policy.digest
    done = run_policy_dry(log, body.answers, digest, partial(dry_run, parts, candidate))
    return PolicyDryRunOut(
        version=candidate.policy.version,
        digest=digest,
        looked_at=done.found.looked_at,
        not_readable=done.found.not_readable,
        actions=_counts(done.found.before, done.found.after),
        differing=[
            DifferingAnswerOut(trail=each.trail, actions=_counts(each.before, each.after))
            for each in done.found.differing
        ],
        recorded=done.recorded,
    )


def _counts(before: Actions, after: Actions) -> list[ActionCountOut]:
    return [
        ActionCountOut(kind=kind, action=action, before=before[kind, action], after=after[kind, action])
        for kind, action in sorted({*before, *after})
    ]
