"""`clearance eval`: measures search and answers on a dataset, in a scratch service, and compares runs."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from app import log
from app.cli.connection import AsJson, split_list
from app.cli.evaluated_answers import measure_answers
from app.cli.evaluated_systems import configured_embedder, load_dataset, rank_by_bm25s, rank_by_legs, rank_by_search
from app.cli.evaluation_tables import comparison_json, print_comparison, print_evaluation, print_missed
from app.cli.output import print_error, print_note, print_result, print_success
from app.client.errors import UserError
from app.errors import AppError
from app.evaluation import baselines
from app.evaluation.answer_measures import ANSWER_MEASURES
from app.evaluation.answer_questions import answer_questions
from app.evaluation.answer_report import measure_means
from app.evaluation.comparison import NotComparable, RunComparison, compare
from app.evaluation.datasets import Dataset, UnreadableDataset
from app.evaluation.layouts import read
from app.evaluation.legs import LEGS
from app.evaluation.measures import ALL_MEASURES, Mean
from app.evaluation.question_results import QuestionResult, UnreadableResults, merge_results, read_results
from app.evaluation.report import PRODUCT, Evaluation, SystemRankings, evaluate, question_results, save
from app.evaluation.thresholds import Threshold, WrongThreshold, parse_thresholds
from app.local.scratch_instance import scratch_instance
from app.local.secrets import write_private

LEAKED, NOT_MEASURED, BELOW = 1, 2, 3
SYSTEMS = (PRODUCT, *LEGS, baselines.NAME)
NO_SYSTEM = "none"
MODES = ("quote", "generate")
DIGEST_FILE = "dataset.sha256"


class CannotEvaluate(UserError):
    """The dataset, an option or the folder that is kept cannot be used; the message says what to do."""


def evaluate_dataset(  # noqa: PLR0913  # each is one option of the command
    dataset: Annotated[
        Path, typer.Argument(help="folder of a dataset; with --against also the NAME.questions.jsonl of a run")
    ],
    *,
    split: Annotated[
        str | None, typer.Option(help="which of its sets of questions; else dev, test, or the one")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="ask so many, drawn by their ids: the same ones each time")
    ] = None,
    legs: Annotated[str, typer.Option(help=f"what is measured, of {','.join(SYSTEMS)}, or {NO_SYSTEM}; else all")] = "",
    answers: Annotated[str, typer.Option(help="measure answers too: quote, or generate (slow), or both")] = "",
    figures: Annotated[Path, typer.Option("--out", help="folder for the figures, as JSON")] = Path("evaluation"),
    keep: Annotated[
        Path | None, typer.Option(help="keep the service's state here: the next run embeds what is new alone")
    ] = None,
    questions_from: Annotated[
        Path | None, typer.Option(help="ask the questions of this dataset, matched by id")
    ] = None,
    fail_under: Annotated[
        list[str] | None, typer.Option(help="a bound for a mean, such as recall@10=.9; may be given again")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="compare with this NAME.questions.jsonl of an earlier run")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="how many questions to show that came out worse")] = 20,
    _as_json: AsJson = False,
) -> None:
    """Measure search on a dataset, asked as the people who would, on a service of its own that is thrown away.

    Recall, nDCG and MRR with 95 % intervals: of the product's search, of its parts alone, and of bm25s where that is
    installed; by role, and by how much the asker sees. With --answers also what is cited, from where and in which form,
    and what is refused. Beside the figures a file has a line for each question.

    Exit status: 0 measured, 1 something was found that its asker may not read, 2 it could not be measured, 3 a mean is
    below its bound.
    """
    with _ends_not_measured():
        wanted = Wanted(tuple(_choose_systems(legs)), tuple(_choose_modes(answers)))
        if not wanted.systems and not wanted.modes:
            raise CannotEvaluate("nothing is measured: name --legs or --answers")
        bounds = parse_thresholds(fail_under or [], wanted.measures)
        before = read_results(against) if against else None
        if before is not None and dataset.is_file():
            _show_comparison(compare(before, read_results(dataset), worst=worst))
            return
        loaded = _load(dataset, split=split, limit=limit, questions_from=questions_from)
        found = _measure_in(keep, loaded, wanted)
        after = None if before is None else compare(before, found.lines, worst=worst)
        status = _report(loaded, wanted, found, bounds=bounds, figures=figures, after=after)
    raise typer.Exit(status)


@dataclass(frozen=True)
class Wanted:
    """The systems whose rankings are measured, and the modes in which answers are asked for."""

    systems: tuple[str, ...]
    modes: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """What a bound may name."""
        return (*(ALL_MEASURES if PRODUCT in self.systems else ()), *(ANSWER_MEASURES if self.modes else ()))


@dataclass(frozen=True)
class Measured:
    """Results of search, and by mode those of answers."""

    search: list[QuestionResult]
    answers: Mapping[str, list[QuestionResult]] = field(default_factory=dict)

    @property
    def lines(self) -> list[QuestionResult]:
        return merge_results(self.search, *self.answers.values())


def measure(
    home: Path, dataset: Dataset, scratch: Path, wanted: Wanted
) -> tuple[list[SystemRankings], dict[str, list[QuestionResult]]]:
    """Start a scratch service, load the dataset, rank and ask all questions, and stop the service."""
    log.configure(json=False, level="WARNING")
    questions = dataset.answerable().questions
    found: list[SystemRankings] = []
    with scratch_instance(home, os.environ, model="generate" in wanted.modes) as service:
        site = load_dataset(service, dataset, scratch)
        if PRODUCT in wanted.systems:
            found.append(rank_by_search(site, questions))
        if chosen := [name for name in LEGS if name in wanted.systems]:
            found += rank_by_legs(site, questions, configured_embedder(os.environ, home), chosen)
        answers = {mode: list(measure_answers(site, answer_questions(dataset), mode)) for mode in wanted.modes}
    if baselines.NAME in wanted.systems and baselines.installed():
        found.append(rank_by_bm25s(dataset, questions))
    return found, answers


def _load(dataset: Path, *, split: str | None, limit: int | None, questions_from: Path | None) -> Dataset:
    loaded = read(dataset, split=split, questions_from=questions_from)
    if limit is not None:
        loaded = loaded.sample(limit)
    if not loaded.answerable().questions:
        raise CannotEvaluate("no question of the sample has an answer that its asker may read: raise --limit")
    sampled = f" of {loaded.sampled_from}" if loaded.sampled_from else ""
    print_note(
        f"{loaded.name}: {len(loaded.pages)} documents, {len(loaded.questions)}{sampled} questions ({loaded.split}), "
        f"{len(loaded.roles)} roles"
    )
    return loaded


def _measure_in(keep: Path | None, dataset: Dataset, wanted: Wanted) -> Measured:
    """Measure with the state in `keep`, or in a folder that is removed at the end."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clearance-eval-")))
        home = keep.absolute() if keep else scratch / "service"
        claim(home, dataset)
        rankings, answers = measure(home, dataset, scratch / "documents", wanted)
        return Measured(question_results(dataset, rankings) if rankings else [], answers)


def _report(
    dataset: Dataset,
    wanted: Wanted,
    found: Measured,
    *,
    bounds: Sequence[Threshold],
    figures: Path,
    after: RunComparison | None,
) -> int:
    """Save and print everything; returns the exit status."""
    measured = found.search[0].systems if found.search else {}
    absent = {name: baselines.MISSING for name in wanted.systems if name not in measured}
    evaluation = evaluate(dataset, found.search, absent=absent, answers=found.answers)
    files = [str(file) for file in save(evaluation, found.lines, figures)]
    means = _means(evaluation, found)
    missed = [bound for bound in bounds if bound.missed(means)]

    def show() -> None:
        print_evaluation(evaluation)
        if after is not None:
            print_comparison(after)
        print_missed(missed, means)
        print_success(", ".join(files))

    compared = {} if after is None else {"comparison": comparison_json(after)}
    missing = {"missed": [bound.measure for bound in missed]} if bounds else {}
    print_result({**json.loads(evaluation.as_json()), **compared, **missing, "files": files}, show)
    return LEAKED if evaluation.leaked else BELOW if missed else 0


def _means(evaluation: Evaluation, found: Measured) -> dict[str, Mean]:
    """What bounds are held against: of search, and of the answers in all modes together."""
    asked = [r.systems[mode] for mode, results in found.answers.items() for r in results]
    return {**evaluation.everything.means.get(PRODUCT, {}), **measure_means(asked)}


def _show_comparison(found: RunComparison) -> None:
    print_result(comparison_json(found), lambda: print_comparison(found))


def _choose_systems(written: str) -> list[str]:
    """The systems that --legs names, in the order of the tables; all without it."""
    named = split_list(written)
    if unknown := [name for name in named if name not in (*SYSTEMS, NO_SYSTEM)]:
        raise CannotEvaluate(f"--legs: {unknown[0]!r} is none of {', '.join(SYSTEMS)}, {NO_SYSTEM}")
    if baselines.NAME in named and not baselines.installed():
        raise CannotEvaluate(f"--legs: {baselines.NAME} is {baselines.MISSING}")
    return [name for name in SYSTEMS if name in named or not named]


def _choose_modes(written: str) -> list[str]:
    named = split_list(written)
    if unknown := [name for name in named if name not in MODES]:
        raise CannotEvaluate(f"--answers: {unknown[0]!r} is none of {', '.join(MODES)}")
    return [name for name in MODES if name in named]


@contextmanager
def _ends_not_measured() -> Iterator[None]:
    """Whatever keeps the command from measuring is said, and ends it with a status of its own."""
    try:
        yield
    except (UnreadableDataset, UnreadableResults, WrongThreshold, NotComparable) as error:
        print_error(CannotEvaluate(str(error)))
        raise typer.Exit(NOT_MEASURED) from error
    except (UserError, AppError) as error:
        print_error(error)
        raise typer.Exit(NOT_MEASURED) from error


def claim(home: Path, dataset: Dataset) -> None:
    """Reserve a folder that is kept for one corpus: search would find documents of another one among its own."""
    digest = hashlib.sha256()
    for page in dataset.pages:
        for part in (page.path.encode(), page.role.encode(), page.content):
            digest.update(hashlib.sha256(part).digest())
    digest_file = home / DIGEST_FILE
    if digest_file.exists() and digest_file.read_text("utf-8") != digest.hexdigest():
        raise CannotEvaluate(f"{home} holds another corpus: name another folder, or remove it")
    if not digest_file.exists() and home.is_dir() and any(home.iterdir()):
        raise CannotEvaluate(f"{home} holds something else: name a folder that is new or empty")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(digest_file, digest.hexdigest())
