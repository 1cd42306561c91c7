"""`clearance eval`: measures search on a dataset, in a scratch service."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from app import log
from app.cli.connection import AsJson
from app.cli.console import out
from app.cli.evaluated_systems import configured_embedder, load_dataset, rank_by_bm25s, rank_by_legs, rank_by_search
from app.cli.output import print_note, print_result, print_success, print_table
from app.client.errors import UserError
from app.evaluation import baselines
from app.evaluation.datasets import Dataset, UnreadableDataset, read
from app.evaluation.measures import Mean
from app.evaluation.report import MEASURES, PRODUCT, Evaluation, evaluate, save
from app.local.scratch_instance import scratch_instance
from app.local.secrets import write_private

LEAKED = 1
DIGEST_FILE = "dataset.sha256"
MAX_LEAKS = 10  # printed for each system


class CannotEvaluate(UserError):
    """The dataset cannot be measured; the message says what to do."""


def evaluate_dataset(
    dataset: Annotated[Path, typer.Argument(help="folder: BEIR, corpus.jsonl with dev/queries.jsonl, or a handbook")],
    *,
    figures: Annotated[Path, typer.Option("--out", help="folder for the figures, as JSON")] = Path("evaluation"),
    keep: Annotated[
        Path | None, typer.Option(help="keep the service's state here: the next run embeds what is new alone")
    ] = None,
    questions_from: Annotated[
        Path | None, typer.Option(help="ask the questions of this dataset, matched by id")
    ] = None,
    _as_json: AsJson = False,
) -> None:
    """Measure search on a dataset, asked as the people who would, on a service of its own that is thrown away.

    Recall, nDCG and MRR with 95 % intervals: of the product's search, of its parts alone, and of bm25s where that is
    installed; by role, and by how much the asker sees. Exit status 1 if anything was found that its asker may not read.
    """
    try:
        loaded = read(dataset, questions_from=questions_from)
    except UnreadableDataset as error:
        raise CannotEvaluate(str(error)) from error
    print_note(
        f"{loaded.name}: {len(loaded.pages)} documents, {len(loaded.questions)} questions, {len(loaded.roles)} roles"
    )
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clearance-eval-")))
        home = keep.absolute() if keep else scratch / "service"
        _claim(home, loaded)
        evaluation = measure(home, loaded, scratch / "documents")
    file = save(evaluation, figures)

    def show() -> None:
        print_evaluation(evaluation)
        print_success(str(file))

    print_result({**json.loads(evaluation.as_json()), "files": [str(file)]}, show)
    raise typer.Exit(LEAKED if evaluation.leaked else 0)


def measure(home: Path, dataset: Dataset, scratch: Path) -> Evaluation:
    """Start a scratch service, load the dataset, rank all questions with each system, and stop the service."""
    log.configure(json=False, level="WARNING")
    absent = {} if baselines.installed() else {baselines.NAME: baselines.MISSING}
    questions = dataset.answerable().questions
    with scratch_instance(home, os.environ) as service:
        site = load_dataset(service, dataset, scratch)
        systems = [rank_by_search(site, questions)]
        systems += rank_by_legs(site, questions, configured_embedder(os.environ, home))
    if not absent:
        systems.append(rank_by_bm25s(dataset, questions))
    return evaluate(dataset, systems, absent=absent)


def print_evaluation(evaluation: Evaluation) -> None:
    sizes = f"{evaluation.questions} questions over {evaluation.documents} documents"
    heading = f"{evaluation.dataset}: {sizes}, means with 95 % intervals"
    if evaluation.left_out:
        heading += f"; {evaluation.left_out} left out, whose askers may read no answer"
    out.print(Text(heading, "bold"))
    print_table(("system", *MEASURES), _system_rows(evaluation), report=True)
    for title, groups in (
        ("by role", evaluation.by_role),
        ("by share of the documents that the asker sees", evaluation.by_share),
    ):
        if len(groups) > 1:
            out.print(Text(f"\n{PRODUCT}, {title}", "bold"))
            rows = ((g.name, str(g.questions), *map(_format_interval, _in_order(g.means[PRODUCT]))) for g in groups)
            print_table((title.split()[1], "questions", *MEASURES), rows, report=True)
    out.print(Text(f"\n{PRODUCT} less the others, on the same questions", "bold"))
    print_table(
        ("less", *MEASURES),
        ((name, *map(_format_difference, _in_order(means))) for name, means in evaluation.over.items()),
        report=True,
    )
    _print_leaks(evaluation)


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


def _in_order(means: Mapping[str, Mean]) -> list[Mean]:
    return [means[name] for name in MEASURES]


def _format_interval(mean: Mean) -> str:
    return f"{mean.mean:.3f} {mean.low:.2f}–{mean.high:.2f}"


def _format_difference(mean: Mean) -> str:
    return f"{mean.mean:+.3f} {mean.low:+.2f} {mean.high:+.2f}"


def _claim(home: Path, dataset: Dataset) -> None:
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
