"""Prints evaluations and comparisons: each a few tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from app.cli.console import out
from app.cli.output import print_table
from app.evaluation.answer_measures import ANSWER_MEASURES
from app.evaluation.answer_report import AnswerGroup
from app.evaluation.comparison import MeasureChange, RunComparison
from app.evaluation.measures import Mean
from app.evaluation.question_results import QuestionResult, SystemResult
from app.evaluation.report import MEASURES, PRODUCT, Evaluation
from app.evaluation.thresholds import Threshold

MAX_LEAKS = 10  # printed for each system
MAX_ANSWER = 400  # characters of an answer beside another


def print_evaluation(evaluation: Evaluation) -> None:
    sizes = f"{evaluation.questions} questions over {evaluation.documents} documents"
    heading = f"{evaluation.dataset}: {sizes}, means with 95 % intervals"
    if evaluation.sampled_from:
        heading += f"; a sample of {evaluation.sampled_from}"
    if evaluation.left_out:
        heading += f"; {evaluation.left_out} left out, whose askers may read no answer"
    out.print(Text(heading, "bold"))
    if evaluation.everything.means:
        print_table(("system", *MEASURES), _system_rows(evaluation), report=True)
    for title, groups in (
        ("by role", evaluation.by_role),
        ("by share of the documents that the asker sees", evaluation.by_share),
    ):
        if len(groups) > 1 and PRODUCT in groups[0].means:
            out.print(Text(f"\n{PRODUCT}, {title}", "bold"))
            rows = ((g.name, str(g.questions), *map(_format_interval, _in_order(g.means[PRODUCT]))) for g in groups)
            print_table((title.split()[1], "questions", *MEASURES), rows, report=True)
    if evaluation.over:
        out.print(Text(f"\n{PRODUCT} less the others, on the same questions", "bold"))
        differences = ((name, *map(_format_difference, _in_order(means))) for name, means in evaluation.over.items())
        print_table(("less", *MEASURES), differences, report=True)
    for mode, answers in evaluation.answers.items():
        print_answers(mode, answers)
    _print_leaks(evaluation)


def print_answers(mode: str, groups: Sequence[AnswerGroup]) -> None:
    """How answers ended by group, the means of their measures, and what was wrong with their form."""
    outcomes = list(dict.fromkeys(outcome for group in groups for outcome in group.outcomes))
    out.print(Text(f"\n{mode}: how answers ended", "bold"))
    shares = ((g.name, str(g.questions), *(f"{g.outcomes.get(o, 0):.3f}" for o in outcomes)) for g in groups)
    print_table(("asked by", "questions", *(o.replace("_", " ") for o in outcomes)), shares, report=True)
    measures = [m for m in ANSWER_MEASURES if any(m in g.means for g in groups)]
    out.print(Text(f"\n{mode}: means with 95 % intervals", "bold"))
    means = ((g.name, *(_format_interval(g.means[m]) if m in g.means else "–" for m in measures)) for g in groups)
    print_table(("asked by", *measures), means, report=True)
    for group in groups:
        for title, counts in (
            ("answers with a broken form", group.forms),
            ("the model's sentences", group.grounding),
            ("quotes instead of the model's answer", group.fallbacks),
        ):
            if counts:
                listed = ", ".join(f"{name} {count}" for name, count in counts.items())
                out.print(Text(f"{group.name}, {title}: {listed}"), soft_wrap=True)


def print_comparison(found: RunComparison) -> None:
    """What changed, with paired intervals, and the questions that came out worst, before and after side by side."""
    heading = f"{found.questions} questions of both runs, the later less the earlier, means with 95 % intervals"
    if found.only_before or found.only_after:
        heading += f"; left out: {found.only_before} of the earlier run alone, {found.only_after} of the later"
    out.print(Text(f"\n{heading}", "bold"))
    rows = ((s, m, *_change_cells(change)) for s, each in found.changes.items() for m, change in each.items())
    print_table(("system", "measure", "before", "after", "difference", "better", "worse"), rows, report=True)
    for system, worst in found.worst.items():
        if worst:
            out.print(Text(f"\nWorse than before, {system}", "bold"))
            cells = (
                (r.after.question, *(_found(each.systems[system], each) for each in (r.before, r.after))) for r in worst
            )
            print_table(("question", "before", "after"), cells, report=True)


def comparison_json(found: RunComparison) -> dict[str, Any]:
    return asdict(found)


def print_missed(missed: Sequence[Threshold], means: Mapping[str, Mean]) -> None:
    for bound in missed:
        below = f"{bound.measure} is {means[bound.measure].mean:.3f}, below {bound.least:g}"
        out.print(Text(f"✗ {below}", "bold red"), soft_wrap=True)


def _system_rows(evaluation: Evaluation) -> Iterator[tuple[str, ...]]:
    for name, means in evaluation.everything.means.items():
        yield (name, *map(_format_interval, _in_order(means)))
    for name, why in evaluation.absent.items():
        yield (name, why, *("–" for _ in MEASURES[1:]))


def _print_leaks(evaluation: Evaluation) -> None:
    if not evaluation.leaked:
        out.print(Text("\nNothing was found that its asker may not read.", "green"))
        return
    out.print(Text(f"\n{evaluation.leaked} times something was found that its asker may not read:", "bold red"))
    for name, leaks in evaluation.leaks.items():
        for question, document in leaks[:MAX_LEAKS]:
            out.print(Text(f"✗ {name}: question {question} gave {document}", "red"), soft_wrap=True)


def _change_cells(change: MeasureChange) -> tuple[str, ...]:
    means = (f"{change.before.mean:.3f}", f"{change.after.mean:.3f}", _format_difference(change.difference))
    return (*means, str(change.better), str(change.worse))


def _found(found: SystemResult, result: QuestionResult) -> str:
    """The answer with its outcome, else the rank of the first document that answers."""
    if found.reply is not None:
        text = " ".join(found.reply.text.split())
        return f"{found.reply.outcome}: {text[:MAX_ANSWER]}{'…' if len(text) > MAX_ANSWER else ''}"
    rank = next((n for n, document in enumerate(found.ranking, start=1) if document in result.gold), None)
    return f"not among {len(found.ranking)}" if rank is None else f"rank {rank}"


def _in_order(means: Mapping[str, Mean]) -> list[Mean]:
    return [means[name] for name in MEASURES]


def _format_interval(mean: Mean) -> str:
    return f"{mean.mean:.3f} {mean.low:.2f}–{mean.high:.2f}"


def _format_difference(mean: Mean) -> str:
    return f"{mean.mean:+.3f} {mean.low:+.2f} {mean.high:+.2f}"
