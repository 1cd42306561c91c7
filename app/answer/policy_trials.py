"""The policy that the guardrail follows, as administrators see it, and what another one would do."""

import dataclasses
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from app.answer.components import Components
from app.answer.live_policy import LivePolicy, PolicyInForce, passages_read
from app.answer.replay import read_again
from app.audit.replay import RecordedPrompt
from app.errors import InvalidInput
from app.guardrail.guarded import guarded
from app.guardrail.policy.cases import CaseResult, PolicyCasesError, parse_cases, run_cases
from app.guardrail.policy.document import PolicyFileError, parse_policy
from app.guardrail.policy.dry_run import Actions, AnswerDryRun, DryRun, count_actions
from app.guardrail.policy.model import Contacts, GuardrailPolicy
from app.guardrail.policy.rendering import PolicyRenderer
from app.identity.subject import Capability, Subject, require_capability
from app.retrieval.passage import Passage

MAX_CASES = 200


@dataclass(frozen=True)
class PolicyTrial:
    """What a policy does with its cases."""

    policy: GuardrailPolicy
    results: tuple[CaseResult, ...]


def show_policy(policy: LivePolicy, subject: Subject) -> PolicyInForce:
    """What is in force in this process (administer)."""
    require_capability(subject, Capability.ADMINISTER)
    return policy.current


def try_policy(policy: LivePolicy, subject: Subject, text: str, cases: str) -> PolicyTrial:
    """What another policy would do with these cases (administer); nothing of it comes into force or is kept.

    Raises InvalidInput with the line of what is wrong, and GuardrailFailed.
    """
    require_capability(subject, Capability.ADMINISTER)
    candidate = candidate_of(policy, text)
    try:
        parsed = parse_cases(cases)
    except PolicyCasesError as error:
        raise InvalidInput(str(error)) from None
    if len(parsed) > MAX_CASES:
        raise InvalidInput(f"These are more than {MAX_CASES} cases: use 'clearance guard test', or test them in parts.")
    return PolicyTrial(candidate.policy, guarded("redaction", run_cases, candidate.policy, candidate.checks, parsed))


def candidate_of(policy: LivePolicy, text: str) -> PolicyInForce:
    """A policy as it would be in force here. Raises InvalidInput with the line of what is wrong."""
    try:
        return policy.candidate(parse_policy(text.encode()))
    except PolicyFileError as error:
        raise InvalidInput(str(error)) from None


def dry_run(
    parts: Components, candidate: PolicyInForce, answers: Iterable[tuple[uuid.UUID, RecordedPrompt | None]]
) -> DryRun:
    """What another policy's rules would do with the values in the passages of past answers, beside those of today.

    Values that were hidden are kept nowhere, so the passages are read again, under the asker's own identity as for a
    replay (ADR 40). Terms, patterns and contacts do not count, in either policy: who chooses them could ask of any word
    whether it stands in documents that they may not read. Raises GuardrailFailed.
    """
    now, then = (_rules_alone(parts.policy, policy) for policy in (parts.policy.current, candidate))
    found = DryRun()
    for trail, recorded in answers:
        reading = recorded and read_again(parts.database, recorded, dimensions=parts.embedder.dimensions)
        if not reading:
            found.not_readable += 1
            continue
        before, after = (guarded("redaction", _actions, policy, *reading) for policy in (now, then))
        found.add(AnswerDryRun(trail, before, after))
    return found


def _rules_alone(live: LivePolicy, policy: PolicyInForce) -> PolicyInForce:
    return live.candidate(dataclasses.replace(policy.policy, contacts=Contacts(), checks=()))


def _actions(policy: PolicyInForce, asker: Subject, passages: list[Passage]) -> Actions:
    renderer = PolicyRenderer(policy.policy, policy.roles_of(asker), passages_read(passages), answers=True)
    texts = (text for passage in passages for text in (passage.title, *passage.heading_path, passage.text))
    return count_actions(renderer, policy.checks, texts)
