"""Figures of answers by group: how they ended, their measures, broken forms, and what grounding did. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.evaluation.answer_measures import ANSWER_MEASURES, Reply, broken_forms, measure_answer
from app.evaluation.answer_questions import AskedQuestion
from app.evaluation.measures import Mean, mean
from app.evaluation.question_results import QuestionResult, SystemResult


@dataclass(frozen=True)
class AnswerGroup:
    """Answers of one group: the share of each outcome, the means, how many answers have each broken form, and how many
    sentences of a model grounding kept, dropped and marked.
    """

    name: str
    questions: int
    outcomes: Mapping[str, float]
    means: Mapping[str, Mean]
    forms: Mapping[str, int]
    grounding: Mapping[str, int]
    fallbacks: Mapping[str, int]


def answer_result(asked: AskedQuestion, mode: str, reply: Reply, readable: frozenset[str]) -> QuestionResult:
    """One answer as a line of results; a source that the asker may not read is a leak."""
    question = asked.question
    measures = measure_answer(reply, question, refusable=asked.refusable)
    leaks = tuple(d for d in dict.fromkeys((*reply.cited, *reply.sources)) if d not in readable)
    found = SystemResult(reply.cited, measures, leaks, reply)
    return QuestionResult(question.id, question.text, question.role, question.gold, {mode: found}, asked.group)


def answer_groups(results: Sequence[QuestionResult], mode: str) -> tuple[AnswerGroup, ...]:
    """The groups in the order of the results."""
    names = dict.fromkeys(r.group for r in results if mode in r.systems)
    return tuple(
        _group(name, [r.systems[mode] for r in results if r.group == name and mode in r.systems]) for name in names
    )


def measure_means(found: Sequence[SystemResult]) -> dict[str, Mean]:
    """The means of the measures that any has, each over those that have it."""
    values = {m: [f.measures[m] for f in found if m in f.measures] for m in ANSWER_MEASURES}
    return {name: mean(each) for name, each in values.items() if each}


def _group(name: str, found: Sequence[SystemResult]) -> AnswerGroup:
    replies = [f.reply for f in found if f.reply is not None]
    outcomes = Counter(r.outcome for r in replies)
    forms, grounding = Counter[str](), Counter[str]()
    for reply in replies:
        forms.update(broken_forms(reply.blocks).keys())
        grounding.update(reply.grounding)
    return AnswerGroup(
        name,
        len(found),
        {outcome: count / len(found) for outcome, count in outcomes.most_common()},
        measure_means(found),
        dict(forms.most_common()),
        dict(grounding),
        dict(Counter(r.fallback for r in replies if r.fallback)),
    )
