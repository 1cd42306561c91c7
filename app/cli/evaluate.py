"""`clearance eval`: how good search is on a dataset, measured on a service of its own."""

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
from app.cli.evaluated_systems import bring_in, embedder_of, searched, searched_by_legs, searched_outside
from app.cli.output import print_note, print_result, print_success, print_table
from app.client.errors import UserError
from app.evaluation import baselines
from app.evaluation.datasets import Dataset, UnreadableDataset, read
from app.evaluation.measures import Mean
from app.evaluation.report import MEASURES, PRODUCT, Evaluation, Group, evaluate, save
from app.local.scratch_instance import temporary
from app.local.secrets import write_private

LEAKED = 1
MARK = "dataset.sha256"
SHOWN = 10


class CannotEvaluate(UserError):
    """The dataset cannot be measured; the message says what to do."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("eval")(evaluate_dataset)


def evaluate_dataset(
    dataset: Annotated[Path, typer.Argument(help="folder: BEIR, corpus.jsonl with dev/queries.jsonl, or a handbook")],
    *,
    figures: Annotated[Path, typer.Option("--out", help="folder for figures and plots")] = Path("evaluation"),
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
        wanted = read(dataset, questions_from=questions_from)
    except UnreadableDataset as error:
        raise CannotEvaluate(str(error)) from error
    print_note(
        f"{wanted.name}: {len(wanted.pages)} documents, {len(wanted.questions)} questions, {len(wanted.roles)} roles"
    )
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clearance-eval-")))
        home = keep.absolute() if keep else scratch / "service"
        _claim(home, wanted)
        found = measure(home, wanted, scratch / "documents")
    files = save(found, figures)

    def shown() -> None:
        show(found)
        for file in files:
            print_success(str(file))

    print_result({**json.loads(found.as_json()), "files": [str(file) for file in files]}, shown)
    raise typer.Exit(LEAKED if found.leaked else 0)


def measure(home: Path, dataset: Dataset, scratch: Path) -> Evaluation:
    """Start a service, bring the dataset in, ask everything, stop."""
    log.configure(json=False, level="WARNING")
    absent = {} if baselines.installed() else {baselines.NAME: baselines.MISSING}
    questions = dataset.answerable().questions
    with temporary(home, os.environ) as service:
        site = bring_in(service, dataset, scratch)
        systems = [searched(site, questions)]
        systems += searched_by_legs(site, questions, embedder_of(os.environ, home))
    if not absent:
        systems.append(searched_outside(site, questions))
    return evaluate(dataset, systems, absent=absent)


def show(found: Evaluation) -> None:
    """The tables, and every leak."""
    heading = (
        f"{found.dataset}: {found.questions} questions over {found.documents} documents, means with 95 % intervals"
    )
    if found.left_out:
        heading += f"; {found.left_out} left out, whose askers may read no answer"
    out.print(Text(heading, "bold"))
    print_table(("system", *MEASURES), _systems(found), report=True)
    for title, groups in (
        ("by role", found.by_role),
        ("by share of the documents that the asker sees", found.by_share),
    ):
        if len(groups) > 1:
            out.print(Text(f"\n{PRODUCT}, {title}", "bold"))
            print_table((title.split()[1], "questions", *MEASURES), _groups(groups), report=True)
    out.print(Text(f"\n{PRODUCT} less the others, on the same questions", "bold"))
    print_table(
        ("less", *MEASURES), ((name, *map(_signed, _chosen(means))) for name, means in found.over.items()), report=True
    )
    _show_leaks(found)


def _systems(found: Evaluation) -> Iterator[tuple[str, ...]]:
    for name, means in found.everything.means.items():
        yield (name, *map(_interval, _chosen(means)))
    for name, why in found.absent.items():
        yield (name, why, *("–" for _ in MEASURES[1:]))


def _groups(groups: tuple[Group, ...]) -> Iterator[tuple[str, ...]]:
    for group in groups:
        yield (group.name, str(group.questions), *map(_interval, _chosen(group.means[PRODUCT])))


def _show_leaks(found: Evaluation) -> None:
    if not found.leaked:
        out.print(Text("\nNothing was found that its asker may not read.", "green"))
        return
    out.print(Text(f"\n{found.leaked} times something was found that its asker may not read:", "bold red"))
    for name, leaks in found.leaks.items():
        for question, document in leaks[:SHOWN]:
            out.print(Text(f"✗ {name}: question {question} gave {document}", "red"), soft_wrap=True)


def _chosen(means: Mapping[str, Mean]) -> list[Mean]:
    return [means[name] for name in MEASURES]


def _interval(mean: Mean) -> str:
    return f"{mean.mean:.3f} {mean.low:.2f}–{mean.high:.2f}"


def _signed(mean: Mean) -> str:
    return f"{mean.mean:+.3f} {mean.low:+.2f} {mean.high:+.2f}"


def _claim(home: Path, dataset: Dataset) -> None:
    """A folder that is kept belongs to one corpus: documents of another one would be found among its own."""
    digest = hashlib.sha256()
    for page in dataset.pages:
        for part in (page.path.encode(), page.role.encode(), page.content):
            digest.update(hashlib.sha256(part).digest())
    mark = home / MARK
    if mark.exists() and mark.read_text("utf-8") != digest.hexdigest():
        raise CannotEvaluate(f"{home} holds another corpus: name another folder, or remove it")
    if not mark.exists() and home.is_dir() and any(home.iterdir()):
        raise CannotEvaluate(f"{home} holds something else: name a folder that is new or empty")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(mark, digest.hexdigest())
