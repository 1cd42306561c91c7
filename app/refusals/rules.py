"""What a file of refusals says, as values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from app.identity.subject import Label
from app.llm.protocol import Endpoint
from app.refusals.classifier import Classifier

Action = Literal["refuse", "redirect", "flag"]
ACTIONS: tuple[Action, ...] = get_args(Action)
WhenOut = Literal["refuse", "pass"]
WHEN_OUT: tuple[WhenOut, ...] = get_args(WhenOut)
Form = Literal["llama-guard", "classifier", "guardrails-ai", "nemo-guardrails"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True)
class GuardModel:
    """A model that is asked about questions. `model` is its own name there: of the model, the guard or the
    configuration. `key` goes out as a bearer token.
    """

    name: str
    form: Form
    endpoint: Endpoint
    seconds: float
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ModelUse:
    """What a category makes of a model: which of its codes count (none: all), and what holds while it is out."""

    model: str
    codes: frozenset[str]
    when_out: WhenOut


@dataclass(frozen=True)
class Category:
    """Questions that are refused, sent elsewhere or flagged. `messages` are by language, the first for all others."""

    name: str
    action: Action
    messages: Mapping[str, str]
    phrases: tuple[re.Pattern[str], ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    exceptions: tuple[re.Pattern[str], ...] = ()
    exempt_roles: frozenset[str] = frozenset()
    examples: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    models: tuple[ModelUse, ...] = ()


@dataclass(frozen=True)
class RefusalsFile:
    """A file as it was read. `harmless` are questions that no category may take for its own; `question_label` is the
    label that every question is taken to have.
    """

    question_label: Label
    false_refusals: float
    categories: tuple[Category, ...]
    models: Mapping[str, GuardModel]
    harmless: tuple[str, ...]


@dataclass(frozen=True)
class RefusalRules:
    """A file at work: with the classifier of each category that has examples, and the digest of its bytes."""

    digest: str
    question_label: Label
    categories: tuple[Category, ...]
    models: Mapping[str, GuardModel]
    classifiers: Mapping[str, Classifier]

    @property
    def exempt_roles(self) -> frozenset[str]:
        """All roles that are exempt from something, by name."""
        return frozenset().union(*(each.exempt_roles for each in self.categories))
