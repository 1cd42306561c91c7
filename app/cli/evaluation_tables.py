"""Prints evaluations and comparisons: each a few tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from app.cli.console import out
from app.cli.output import print_table
from app.evaluation.comparison import MeasureChange, RunComparison
from app.evaluation.measures import Mean
from app.evaluation.question_results import QuestionResult
from app.evaluation.report import MEASURES, PRODUCT, Evaluation
from app.evaluation.thresholds import Threshold

MAX_LEAKS = 10  # printed for each system


def print_evaluation(evaluation: Evaluation) -> None:
    sizes = f"{evaluation.questions} questions over {evaluation.documents} documents"
    heading = f"{evaluation.dataset}: {sizes}, means with 95 % intervals"
    if evaluation.sampled_from:
        heading += f"; a sample of {evaluation.sampled_from}"
    if evaluation.left_out:
        heading += f"; {evaluation.left_out} left out, whose askers may read no answer"
    out.print(Text(heading, "bold"))
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
    _print_leaks(evaluation)


def print_comparison(found: RunComparison) -> None:
    """What changed, with paired intervals, and the questions that came out worst, before and after side by side."""
    heading = f"{found.questions} questions of both runs, the later less the earlier, means with 95 % intervals"
    if found.only_before or found.only_after:
        heading += f"; left out: {found.only_before} of the earlier run alone, {found.only_after} of the later"
    out.print(Text(f"\n{heading}", "bold"))
    rows = ((s, m, *_change_cells(change)) for s, each in found.changes.items() for m, change in each.items())
    print_table(("system", "measure", "before", "after", "difference", "better", "worse"), rows, report=True)
    if found.worst:
        out.print(Text(f"\nWorse than before, by {found.worst[0].system}: the rank of the first answer", "bold"))
        worst = ((r.after.question, _rank(r.before, r.system), _rank(r.after, r.system)) for r in found.worst)
        print_table(("question", "before", "after"), worst, report=True)


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


def _rank(result: QuestionResult, system: str) -> str:
    ranking = result.systems[system].ranking
    found = next((n for n, document in enumerate(ranking, start=1) if document in result.gold), None)
    return f"not among {len(ranking)}" if found is None else str(found)


def _in_order(means: Mapping[str, Mean]) -> list[Mean]:
    return [means[name] for name in MEASURES]


def _format_interval(mean: Mean) -> str:
    return f"{mean.mean:.3f} {mean.low:.2f}–{mean.high:.2f}"


def _format_difference(mean: Mean) -> str:
    return f"{mean.mean:+.3f} {mean.low:+.2f} {mean.high:+.2f}"
