"""The policy that the guardrail follows: read again while the service runs, and made a redaction for each caller."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app import log
from app.answer.prompt import Context
from app.guardrail.check import Check
from app.guardrail.gate import redact
from app.guardrail.policy.document import PolicyFileError, read_policy
from app.guardrail.policy.model import DEFAULT_POLICY, GuardrailPolicy
from app.guardrail.policy.rendering import PolicyRenderer
from app.guardrail.policy.values import ReadableText, ValueOrigins
from app.guardrail.redaction import Redaction
from app.identity.subject import Label, Subject
from app.retrieval.passage import Passage
from app.watched_file import Refresher, file_state

# The checks of a policy beside those that are always there.
MakeChecks = Callable[[GuardrailPolicy], tuple[Check, ...]]
RoleNames = Callable[[], Mapping[uuid.UUID, str]]


@dataclass(frozen=True)
class PolicyInForce:
    """A policy with its checks, and the roles of this instance by id. `error`: why a newer file is not in force."""

    policy: GuardrailPolicy
    checks: tuple[Check, ...]
    role_names: Mapping[uuid.UUID, str]
    error: str | None = None

    def redaction(self, subject: Subject, origins: ValueOrigins, *, answers: bool = False) -> Redaction:
        """What is hidden from a caller; `answers`: in an answer, see `PolicyRenderer`."""
        return self.redaction_for(self.roles_of(subject), origins, answers=answers)

    def redaction_for(self, roles: frozenset[str], origins: ValueOrigins, *, answers: bool = False) -> Redaction:
        """What is hidden from who has these roles, by name."""
        policy = self.policy
        if not policy.rules and policy.contacts.empty:
            return Redaction(self.checks, None, policy.digest, policy.version)
        renderer = PolicyRenderer(policy, roles, origins, answers=answers)
        return Redaction(self.checks, renderer, policy.digest, policy.version)

    def roles_of(self, subject: Subject) -> frozenset[str]:
        """The names of a caller's roles."""
        return frozenset(self.role_names[role] for role in subject.roles if role in self.role_names)

    @property
    def unknown_roles(self) -> list[str]:
        """Roles that the policy names and that are not there, in order: their rules are about nobody."""
        return sorted(self.policy.roles - set(self.role_names.values()))


def passages_read(passages: Iterable[Passage]) -> ValueOrigins:
    """Passages as places in which a value may stand."""
    return ValueOrigins((p.label, (p.text, p.title, p.path, *p.heading_path), p.chunk) for p in passages)


class LivePolicy:
    """Keeps the policy of a file in force. One that is wrong leaves the one before in force."""

    def __init__(self, path: Path | None, make_checks: MakeChecks, role_names: RoleNames, *, seconds: float) -> None:
        """Reads the file: raises PolicyFileError, or what `role_names` raises."""
        self._path, self._make_checks, self._role_names = path, make_checks, role_names
        self._state: tuple[int, ...] | None = None
        self._refresher = Refresher(self._look, seconds=seconds, name="policy")
        if path is None:
            self.current = PolicyInForce(DEFAULT_POLICY, make_checks(DEFAULT_POLICY), {})
        else:
            self._state = _state(path)
            policy = read_policy(path)
            self.current = PolicyInForce(policy, _made(make_checks, policy), role_names())
            self._tell()

    @property
    def checks(self) -> tuple[Check, ...]:
        """What is looked for now."""
        return self.current.checks

    def for_answer(self, subject: Subject, context: Context) -> Redaction:
        """What an answer from this context hides from who asked."""
        return self.current.redaction(subject, passages_read(context.passages), answers=True)

    def for_text(self, subject: Subject, label: Label = Label.RESTRICTED) -> Redaction:
        """What is hidden in a text that the caller may read and that has this label."""
        return self.current.redaction(subject, ReadableText(label))

    def candidate(self, policy: GuardrailPolicy) -> PolicyInForce:
        """Another policy as it would be in force here."""
        return PolicyInForce(policy, _made(self._make_checks, policy), self._role_names())

    def start(self) -> None:
        """Look at the file and the roles every so often."""
        if self._path is not None:
            self._refresher.start()

    def close(self) -> None:
        self._refresher.close()

    def refresh(self) -> None:
        """Look at the file and the roles now. On an error what was in force stays."""
        if self._path is None:
            return
        current = self.current
        try:
            state = _state(self._path)
            if state != self._state:
                policy = read_policy(self._path)
                self._state = state
                if policy.digest == current.policy.digest:
                    self.current = PolicyInForce(current.policy, current.checks, current.role_names)
                else:
                    self.current = PolicyInForce(policy, _made(self._make_checks, policy), current.role_names)
                    self._tell()
        except PolicyFileError as error:
            self._refuse(str(error))
        self._read_roles()

    def _read_roles(self) -> None:
        try:
            names = self._role_names()
        except Exception as error:  # noqa: BLE001  # of a database
            log.get().error("policy.roles_not_read", error=type(error).__name__, where=log.where(error))
            return
        now = self.current
        self.current = PolicyInForce(now.policy, now.checks, names, now.error)

    def _refuse(self, message: str) -> None:
        now = self.current
        if now.error != message:
            log.get().error("policy.refused", message=message, in_force=now.policy.digest)
            self.current = PolicyInForce(now.policy, now.checks, now.role_names, message)

    def _tell(self) -> None:
        now = self.current
        log.get().info(
            "policy.in_force",
            digest=now.policy.digest,
            version=now.policy.version,
            rules=len(now.policy.rules),
            unknown_roles=now.unknown_roles,
        )

    def _look(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # noqa: BLE001  # the thread goes on, and so does what is in force
            log.get().error("policy.not_read", error=type(error).__name__, where=log.where(error))


def _made(make_checks: MakeChecks, policy: GuardrailPolicy) -> tuple[Check, ...]:
    """The checks of a policy, ready for the first text: the second may not tell by the clock that it is none."""
    checks = make_checks(policy)
    redact("", checks)
    return checks


def _state(path: Path) -> tuple[int, ...]:
    """What changes with the file."""
    try:
        return file_state(path)
    except OSError as error:
        raise PolicyFileError(f"{path}: cannot be read: {error.strerror}") from None
