"""What a running service is made of. Built once by `app.main.build`, never a global."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.answer.entailment import EntailmentBudget
from app.answer.known_names import KnownNames
from app.answer.live_policy import LivePolicy
from app.audit.encryption import Sealer
from app.db.session import Database
from app.embedding.protocol import EmbeddingModel
from app.guardrail.check import Check
from app.guardrail.meter import GuardrailMeter
from app.guardrail.redaction import Redaction
from app.identity.feedback_tokens import FeedbackTokens
from app.llm.protocol import ChatModel
from app.oidc.provider import Provider
from app.refusals.kept import KeptRules
from app.retrieval.counters import OutcomeCounter
from app.retrieval.rerank import Reranking
from app.scope_index.protocol import VectorIndex
from app.settings import Settings


@dataclass(frozen=True)
class Components:
    """The replaceable parts behind their protocols, and the settings."""

    settings: Settings
    database: Database
    embedder: EmbeddingModel
    index: VectorIndex
    chat: ChatModel
    sealer: Sealer
    policy: LivePolicy
    feedback: FeedbackTokens
    searches: OutcomeCounter = field(default_factory=OutcomeCounter)
    guardrail: GuardrailMeter = field(default_factory=GuardrailMeter)
    reranking: Reranking | None = None
    entailment: EntailmentBudget | None = None
    # Whose names the checks look for, if any.
    names: KnownNames | None = None
    # Which questions are not answered, if any.
    refusals: KeptRules | None = None
    # Identity providers by the source that each vouches for.
    providers: Mapping[str, Provider] = field(default_factory=dict)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the guardrail looks for now."""
        return self.policy.checks

    @property
    def redaction(self) -> Redaction:
        """What is hidden from whoever it is, where the policy's rules for one caller do not count."""
        return Redaction(self.policy.checks)

    @property
    def reranked(self) -> int:
        """How many of the best passages of a search the cross-encoder looks at; 0 without one."""
        return self.reranking.candidates if self.reranking else 0
