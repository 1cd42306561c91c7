"""Whether a question may be answered: by the rules first, and then by the models that its categories name.

The verdict depends on the rules, the question and the roles that are exempt, and on nothing else: no document is read,
and nothing is kept from one question to the next.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio
from anyio.to_thread import run_sync as in_thread

from app.guardrail.guarded import guarded
from app.identity.subject import Label
from app.llm.protocol import route
from app.refusals.folding import views
from app.refusals.guards.client import GuardOut, ask
from app.refusals.guards.protocol import GuardVerdict
from app.refusals.patterns import found
from app.refusals.rules import Action, Category, GuardModel, RefusalRules

# What stands where an exception was: no phrase reaches across it.
_GAP = " ······ "


@dataclass(frozen=True)
class Ruling:
    """What a category does to a question, and what found it: "phrase 3", "pattern 1", "examples", "model NAME".

    `outage`: nothing found it; the model that should have said is out.
    """

    category: str
    action: Action
    rule: str
    outage: bool = False
    messages: Mapping[str, str] = field(default_factory=dict)

    def message(self, language: str) -> str:
        """What the asker is told in this language, or in the first one of the category."""
        return self.messages.get(language) or next(iter(self.messages.values()))


@dataclass(frozen=True)
class AskedModel:
    """A model that the question went to, why it might, and what it said: safe, unsafe, or the cause why nothing."""

    model: str
    address: str
    route: str
    said: str

    @property
    def out(self) -> bool:
        return self.said not in {"safe", "unsafe"}


@dataclass(frozen=True)
class QuestionVerdict:
    """What was ruled. Without a `ruling` the question is answered, whatever flags it has."""

    rules: str
    ruling: Ruling | None = None
    flags: tuple[Ruling, ...] = ()
    asked: tuple[AskedModel, ...] = ()


Said = Mapping[str, GuardVerdict | None]


async def judge(
    rules: RefusalRules, question: str, roles: frozenset[str], *, redact: Callable[[str], str]
) -> QuestionVerdict:
    """The verdict on a question of somebody who is in these of the exempt roles. `redact` is what an endpoint outside
    the house sees. Raises GuardrailFailed.

    What the rules refuse goes to no model.
    """
    concerned = [each for each in rules.categories if not each.exempt_roles & roles]
    ruled = await in_thread(guarded, "refusals", find, rules, concerned, question)
    refused = _first_refusal(ruled)
    if refused is not None:
        return QuestionVerdict(rules.digest, refused, _flags(ruled))
    wanted = dict.fromkeys(use.model for each in concerned for use in each.models)
    said, asked = await _ask_all([rules.models[name] for name in wanted], question, rules.question_label, redact)
    ruled += [ruling for each in concerned if (ruling := _by_model(each, said)) is not None]
    return QuestionVerdict(rules.digest, _first_refusal(ruled), _flags(ruled), asked)


def find(rules: RefusalRules, categories: Sequence[Category], question: str) -> list[Ruling]:
    """What the rules alone find in a question, in the order of the categories."""
    shown = views(question)
    ruled = []
    for category in categories:
        rule = _rule(rules, category, shown)
        if rule is not None:
            ruled.append(Ruling(category.name, category.action, rule, messages=category.messages))
    return ruled


def without_exceptions(category: Category, shown: Sequence[str]) -> list[str]:
    """The views without what a category's exceptions cover; what stands beside is looked at all the same."""
    left = []
    for view in shown:
        for each in category.exceptions:
            view = each.sub(_GAP, view)  # noqa: PLW2901
        left.append(view)
    return left


def _rule(rules: RefusalRules, category: Category, shown: Sequence[str]) -> str | None:
    left = without_exceptions(category, shown)
    if (number := found(category.phrases, left)) is not None:
        return f"phrase {number + 1}"
    if (number := found(category.patterns, left)) is not None:
        return f"pattern {number + 1}"
    classifier = rules.classifiers.get(category.name)
    return "examples" if classifier and any(classifier.is_of(view) for view in left) else None


async def _ask_all(
    models: Sequence[GuardModel], question: str, label: Label, redact: Callable[[str], str]
) -> tuple[Said, tuple[AskedModel, ...]]:
    """All models at once, each within its time. Raises LabelTooHigh, though a file with such a model is not read."""
    said: dict[str, GuardVerdict | None] = {}
    asked: dict[str, AskedModel] = {}

    async def one(model: GuardModel) -> None:
        reason = route(model.endpoint, label)
        text = question if model.endpoint.internal else await in_thread(redact, question)
        try:
            verdict = await ask(model, text)
            said[model.name], answer = verdict, "unsafe" if verdict.unsafe else "safe"
        except GuardOut as error:
            said[model.name], answer = None, error.cause
        asked[model.name] = AskedModel(model.name, model.endpoint.address, reason, answer)

    async with anyio.create_task_group() as tasks:
        for model in models:
            tasks.start_soon(one, model)
    return said, tuple(asked[model.name] for model in models)


def _by_model(category: Category, said: Said) -> Ruling | None:
    """What the first of its models that finds something, or that should have been asked, makes of the question."""
    out = None
    for use in category.models:
        verdict = said[use.model]
        if verdict is None:
            if use.when_out == "refuse":
                out = out or Ruling(category.name, "refuse", f"model {use.model} out", outage=True)
        elif verdict.unsafe and (not use.codes or not verdict.codes or use.codes & verdict.codes):
            return Ruling(category.name, category.action, f"model {use.model}", messages=category.messages)
    return out


def _first_refusal(ruled: Sequence[Ruling]) -> Ruling | None:
    """The first that refuses; one that knows something of the question before one that knows of an outage."""
    refusing = [each for each in ruled if each.action != "flag"]
    return min(refusing, key=lambda each: each.outage, default=None)


def _flags(ruled: Sequence[Ruling]) -> tuple[Ruling, ...]:
    return tuple(each for each in ruled if each.action == "flag")
