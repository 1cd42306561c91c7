"""The guardrail's policy: what is in force, and what another one would do with cases."""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.answer.policy_trials import show_policy, try_policy
from app.guardrail.policy.model import PolicyRule
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Administrator, ComponentsOf

router = APIRouter(prefix="/guardrail/policy", tags=["health"])

MAX_POLICY = 30_000  # characters of a policy or of cases; the body is 64 KB at most


class PolicyRuleOut(ApiModel):
    """What is done with values of these kinds. The first rule that is about a value counts."""

    kinds: list[str]
    roles: list[str] = Field(description="the caller has one of these; empty: everyone")
    min_label: str
    max_label: str
    origin: Literal["passage", "anywhere"] = Field(
        description="passage: only for values in a passage that the caller was shown and may read"
    )
    action: Literal["keep", "last_four", "pseudonym", "remove", "refuse"]

    @classmethod
    def of(cls, rule: PolicyRule) -> "PolicyRuleOut":
        return cls(
            kinds=sorted(rule.kinds),
            roles=sorted(rule.roles),
            min_label=rule.min_label.text,
            max_label=rule.max_label.text,
            origin=rule.origin,
            action=rule.action,
        )


class PolicyOut(ApiModel):
    """The policy in force; without one, version and digest are empty and every value that is found is removed."""

    version: str
    digest: str = Field(description="SHA-256 of the file")
    rules: list[PolicyRuleOut]
    look_for: list[str] = Field(description="kinds that are off otherwise")
    allowed: int = Field(description="how many public contacts are shown")
    own_checks: int = Field(description="how many patterns of its own it has, the list of denied terms among them")
    unknown_roles: list[str] = Field(description="roles that it names and that are not there")
    error: str | None = Field(description="why the file is not in force as it stands now; null: it is")


class PolicyTestBody(ApiModel):
    """A policy and cases, each as the text of its file. Nothing of them is kept."""

    policy: str = Field(min_length=1, max_length=MAX_POLICY, examples=["version: 1"])
    cases: str = Field(
        min_length=1, max_length=MAX_POLICY, examples=['- {text: "Ring 0171 2345678", shown: "Ring [redacted: phone]"}']
    )


class PolicyCaseOut(ApiModel):
    """What became of a case."""

    line: int
    passed: bool
    expected: str | None = Field(description="null: that the answer is withheld")
    shown: str | None = Field(description="null: the answer is withheld")


class PolicyTestOut(ApiModel):
    """What the policy does with the cases, in their order."""

    version: str
    digest: str
    passed: bool
    cases: list[PolicyCaseOut]


@router.get("")
def guardrail_policy(subject: Administrator, parts: ComponentsOf) -> PolicyOut:
    """The policy that the guardrail follows (administer). The contacts and terms themselves are in its file alone."""
    now = show_policy(parts.policy, subject)
    return PolicyOut(
        version=now.policy.version,
        digest=now.policy.digest,
        rules=[PolicyRuleOut.of(rule) for rule in now.policy.rules],
        look_for=sorted(now.policy.look_for),
        allowed=len(now.policy.contacts.values) + len(now.policy.contacts.domains),
        own_checks=len(now.policy.checks),
        unknown_roles=now.unknown_roles,
        error=now.error,
    )


@router.post("/test")
def try_guardrail_policy(body: PolicyTestBody, subject: Administrator, parts: ComponentsOf) -> PolicyTestOut:
    """Show what another policy would do with cases, without following it (administer)."""
    found = try_policy(parts.policy, subject, body.policy, body.cases)
    cases = [
        PolicyCaseOut(line=each.case.line, passed=each.passed, expected=each.case.shown, shown=each.shown)
        for each in found.results
    ]
    passed = all(each.passed for each in cases)
    return PolicyTestOut(version=found.policy.version, digest=found.policy.digest, passed=passed, cases=cases)
