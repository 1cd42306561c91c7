"""What is recorded: one frozen class for each kind of record. `docs/audit.md` lists the kinds, under test.

No event carries document text, titles or file names in the clear: an auditor reads the log, not the documents. What
was released of them stands in it where the policy says so, sealed, and is opened for a reason alone.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.audit.events.base import CommittedText, Event, SealedText
from app.evidence.merkle import canonical

Outcome = Literal[
    "answered", "quoted", "may_help", "nothing", "asked_back", "refused", "failed", "abandoned", "hung_up"
]


@dataclass(frozen=True)
class ShownPassage:
    """A passage as it was shown: public ids of chunk, document and version, rank from 1, the document's label.

    `warnings` are kinds of what was found in it and kept from the model.
    """

    chunk: uuid.UUID
    document: uuid.UUID
    version: uuid.UUID
    rank: int
    label: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelRoute:
    """The model that the context went to and why it was allowed to."""

    name: str
    endpoint: str
    reason: str


@dataclass(frozen=True)
class SearchedTurn:
    """An earlier text that the search leaned on: the trail of its turn, whether it was the question or the answer, and
    what its words and its vector weighed, in thousandths of the question's own.
    """

    turn: uuid.UUID
    part: Literal["question", "answer"]
    words: int
    meaning: int


@dataclass(frozen=True)
class EntailmentCheck:
    """What an entailment model had to do with an answer: its digest, how many sentences it judged, and whether it then
    failed or took too long, so that rules decided the rest alone.
    """

    model: str
    judged: int
    failed: bool


@dataclass(frozen=True)
class Grounding:
    """What was found of a model's sentences: how many were kept, dropped and marked, and the verdict on each in order
    with its reason ("wrong:number"). No `entailment` where rules alone judge.
    """

    outcome: str
    kept: int
    dropped: int
    marked: int
    verdicts: tuple[str, ...] = ()
    entailment: EntailmentCheck | None = None


@dataclass(frozen=True)
class ShownBlock:
    """A quote as it was shown: its passage, what kind it is, where it stands there, and how sure it was.

    `pieces` are [start, end) in characters of the passage's text; blocks are numbered from 1, in the order shown.
    """

    chunk: uuid.UUID
    form: str
    pieces: tuple[tuple[int, int], ...]
    confidence: str


@dataclass(frozen=True)
class AskedGuard:
    """A guard model that the question went to, why that was allowed, and what it said: safe, unsafe, or the cause for
    which it gave no verdict ("TimeLimit").
    """

    name: str
    endpoint: str
    reason: str
    said: str


@dataclass(frozen=True)
class RefusalCheck:
    """What the rules of refusals, by the digest of their file, made of a question: the category that it was refused for
    and what found it ("phrase 3", "pattern 1", "examples", "model NAME", "model NAME out"), and the flags, each as
    "category: rule". Null and empty for a question that nothing was found in. Never a text of the rules.
    """

    rules: str
    category: str | None = None
    action: str | None = None
    rule: str | None = None
    flags: tuple[str, ...] = ()
    models: tuple[AskedGuard, ...] = ()


# `hidden`: the guardrail hid something that the asker should have seen.
FeedbackReason = Literal["wrong", "incomplete", "outdated", "unclear", "hidden"]


def scopes_digest(scopes: Sequence[str]) -> str:
    """SHA-256 in hex over the canonical list of scope names, sorted."""
    return hashlib.sha256(canonical(sorted(scopes)).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class AnswerOpened(Event):
    """Committed before the model is called: exactly what it will be shown. Without a model (quoting), no route."""

    kind = "answer.opened"
    trail: uuid.UUID
    question: SealedText
    mode: str
    policy_epoch: int
    valid_until: dt.datetime | None
    scopes: tuple[str, ...]
    scopes_digest: str = field(init=False)
    passages: tuple[ShownPassage, ...]
    label: str
    embedder: str
    template: str
    prompt: CommittedText | None
    model: ModelRoute | None
    # The version of the prompt whose digest `template` is; null in records made before versions had names.
    template_version: str | None = None
    # The digest of the codebook whose lists found the nearest passages; null if PostgreSQL compared them all.
    codebook: str | None = None
    # How many of the nearest by code were compared exactly, as it was set; null as well if all were.
    depth: int | None = None
    # The digest of the cross-encoder that ordered the best anew; null if none did.
    reranker: str | None = None
    conversation: uuid.UUID | None = None
    # The collections that the asker chose to search in, of `scopes`; none: all of these.
    collections: tuple[uuid.UUID, ...] = ()
    # The earlier turns of the conversation that the model is shown too, oldest first, by their trails.
    history: tuple[uuid.UUID, ...] = ()
    # The earlier texts that the search leaned on; the words that earlier questions added, and those of an answer, which
    # are text of documents; whether the question was taken for another topic than theirs.
    searched: tuple[SearchedTurn, ...] = ()
    added_words: SealedText | None = None
    answer_words: CommittedText | None = None
    topic_changed: bool = False
    # How many values of each kind the prompt has placeholders for, as it leaves the house; null: it was not redacted.
    prompt_redactions: Mapping[str, int] | None = None
    # What the rules of refusals made of the question; null where there are none.
    refusal: RefusalCheck | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes_digest", scopes_digest(self.scopes))


@dataclass(frozen=True)
class GuardrailPolicyUsed:
    """The policy that decided what the asker was shown: the SHA-256 of its file, and the version that this names."""

    digest: str
    version: str


@dataclass(frozen=True, kw_only=True)
class AnswerClosed(Event):
    """How an answer ended. Times in microseconds by stage; redactions by type, counts only. `output` is the released
    answer: sealed, or, as the policy says, a commitment alone.

    `kept` says whether the turn was kept in its conversation; null outside of one. `blocks` are the quotes, in order;
    `conflicts` counts the pairs of sentences of its sources that were shown to contradict each other.
    """

    kind = "answer.closed"
    trail: uuid.UUID
    outcome: Outcome
    reason: str | None = None
    redactions: Mapping[str, int] = field(default_factory=dict)
    # By kind, the values that the company's policy has the asker see.
    shown_values: Mapping[str, int] = field(default_factory=dict)
    # Null if there is none, or no text was made.
    guardrail_policy: GuardrailPolicyUsed | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_us: Mapping[str, int] = field(default_factory=dict)
    output: SealedText | CommittedText | None = None
    # What was shown of the sources, as JSON, where the policy keeps answers.
    excerpts: SealedText | None = None
    kept: bool | None = None
    # Null if no model wrote anything.
    grounding: Grounding | None = None
    blocks: tuple[ShownBlock, ...] = ()
    conflicts: int = 0


@dataclass(frozen=True, kw_only=True)
class AnswerFeedback(Event):
    """The asker says of a block of an answer whether it helped, and, if not, what was amiss."""

    kind = "answer.feedback"
    trail: uuid.UUID
    block: int
    helpful: bool
    reason: FeedbackReason | None = None


@dataclass(frozen=True, kw_only=True)
class SearchDone(Event):
    """A search and the chunks it gave, best first; `codebook`, `depth` and `reranker` as in `AnswerOpened`.

    `documents` are those that the hits are from, each once.
    """

    kind = "search.done"
    query: SealedText
    policy_epoch: int
    hits: tuple[uuid.UUID, ...]
    documents: tuple[uuid.UUID, ...]
    # Passages shown beside the hits.
    around: tuple[uuid.UUID, ...] = ()
    codebook: str | None = None
    depth: int | None = None
    reranker: str | None = None


@dataclass(frozen=True, kw_only=True)
class _DocumentSeen(Event):
    document: uuid.UUID
    version: uuid.UUID
    policy_epoch: int


@dataclass(frozen=True, kw_only=True)
class DocumentOpened(_DocumentSeen):
    """Somebody read a document's text."""

    kind = "document.opened"


@dataclass(frozen=True, kw_only=True)
class DocumentDownloaded(_DocumentSeen):
    """Somebody took a document's original file."""

    kind = "document.downloaded"


@dataclass(frozen=True, kw_only=True)
class DocumentUploaded(Event):
    """A file came in and waits for the worker; `job` names it until it is indexed."""

    kind = "document.uploaded"
    job: uuid.UUID
    collection: uuid.UUID
    scope: str
    size: int


@dataclass(frozen=True, kw_only=True)
class DocumentIndexed(Event):
    """A version of a document became searchable."""

    kind = "document.indexed"
    job: uuid.UUID | None
    document: uuid.UUID
    version: uuid.UUID
    collection: uuid.UUID
    scope: str
    chunks: int
    embedder: str


@dataclass(frozen=True, kw_only=True)
class DocumentFailed(Event):
    """A file could not be indexed; `reason` is a code, never a parser's own words."""

    kind = "document.failed"
    job: uuid.UUID | None
    collection: uuid.UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class UploadRemoved(Event):
    """Somebody removed an upload of theirs that had ended, with its bytes if it had failed."""

    kind = "upload.removed"
    job: uuid.UUID
    collection: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class DocumentDeleted(Event):
    """A document and all that was derived from it were deleted."""

    kind = "document.deleted"
    document: uuid.UUID
    version: uuid.UUID
    collection: uuid.UUID
