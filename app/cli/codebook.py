"""`clearance codebook check`: how deep search has to look by code, measured on the corpus itself."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.cli.connection import HOME, AsJson, Home
from app.cli.console import err, out
from app.cli.doctor.installation import Setup
from app.cli.evaluated_systems import embedder_of
from app.cli.output import print_error, print_note, print_result, print_success, print_table
from app.client.errors import UserError
from app.embedding.protocol import UnusableWeights
from app.evaluation.codebook import DEEPEST, DEPTHS, ENOUGH, NEAREST, NOT_OWN, Asked, Block, Ids, Row, least, ranks
from app.evaluation.codebook import table as recalls
from app.evaluation.measures import SEED, Mean
from app.evaluation.vectors import ROLE, Stock, StoredVectors, Unreadable, reading
from app.local.environment import APP_URL, BACKUP_URL, SEARCH_URL
from app.retrieval.dense import FEW, depth_of
from app.settings import SearchSettings

SETTING = "CLEARANCE_SEARCH__DEPTH"
TOO_SHALLOW, NOT_CHECKED = 1, 2
# The interval of fewer questions says nothing: that of one is its mean.
FEWEST = 20
STAND_IN = (
    "The corpus's own passages ask, each without its own row. They stand in for questions, which lie further from what"
    " answers them: --questions FILE measures with real ones."
)

codebook = typer.Typer(help="The codes that search ranks by before it compares exactly.", no_args_is_help=True)


class CannotCheck(UserError):
    """There is nothing to measure, or no way to it; the message says what to do."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(codebook, name="codebook")


@codebook.command("check")
def check(
    *,
    questions: Annotated[
        Path | None, typer.Option(help="ask these, one a line, instead of the corpus's own passages")
    ] = None,
    sample: Annotated[int, typer.Option(min=FEWEST, help="how many ask at most")] = 200,
    home: Home = HOME,
    _as_json: AsJson = False,
) -> None:
    """Measure on this corpus how deep search has to look by code, and say what to set.

    Reads every vector once and no text, as the database role clearance_backup: CLEARANCE_DATABASE__BACKUP_URL, or
    that of the instance that runs here. Changes nothing. It judges CLEARANCE_SEARCH__DEPTH as it is set where the
    command runs. Exit status: 0 deep enough, 1 too shallow, 2 it could not be measured.
    """
    try:
        status = _checked(questions, sample, home)
    except UserError as failure:
        print_error(failure)
        status = NOT_CHECKED
    raise typer.Exit(status)


def _checked(questions: Path | None, sample: int, home: Path) -> int:
    """Measure and show; gives the exit status."""
    texts = None if questions is None else _read(questions)
    depth = _depth(os.environ)
    try:
        with reading(_url(home, os.environ)) as stored:
            asked = stored.draw(sample) if texts is None else _embedded(texts, sample, stored.stock, home)
            found = _measured(stored, asked)
    except Unreadable as error:
        raise CannotCheck(str(error)) from error
    deep, passages = least(found), stored.stock.passages

    def show() -> None:
        _show(stored.stock, asked)
        _draw(found, {deep: "least", depth_of(passages, depth): "set"})
        _verdict(passages, deep, depth)

    status = _status(passages, deep, depth)
    set_depth = depth_of(passages, depth)
    says = {"passages": passages, "questions": len(asked.vectors), "least_depth": deep, "set_depth": set_depth}
    print_result({**says, "deep_enough": status == 0}, show)
    return status


def _status(passages: int, deep: int | None, depth: int) -> int:
    """The exit status. Among few passages PostgreSQL alone answers, exactly."""
    enough = passages <= FEW or (deep is not None and depth_of(passages, depth) >= deep)
    return 0 if enough else TOO_SHALLOW


def setting_for(deep: int, passages: int) -> int:
    """The setting, a multiple of ten, that looks so deep where all of so many passages are visible."""
    return next(setting for setting in range(10, deep + 11, 10) if depth_of(passages, setting) >= deep)


def _measured(stored: StoredVectors, asked: Asked) -> Ids:
    passages = stored.stock.passages
    if passages <= NEAREST:
        raise CannotCheck(
            f"{passages} passages are too few to measure: from {NEAREST + 1} on the {NEAREST} nearest exist"
        )
    with _bar(passages) as moved:
        return ranks(stored.stock.book, asked, _counted(stored.blocks(), moved))


def _counted(blocks: Iterator[Block], moved: Callable[[int], None]) -> Iterator[Block]:
    for block in blocks:
        yield block
        moved(len(block.ids))


def _show(stock: Stock, asked: Asked) -> None:
    out.print(Text(f"{stock.passages:,} passages with codes, {stock.book.dimensions} dimensions", "bold"))
    print_note(f"embedder {stock.embedder}\ncodebook {stock.book.digest}")
    own = bool((asked.own != NOT_OWN).any())
    print_note(f"{len(asked.vectors)} {'passages' if own else 'questions'} asked. {STAND_IN if own else ''}".strip())


def _draw(found: Ids, marks: Mapping[int | None, str]) -> None:
    """The table, with a row for each depth that has a mark, down to where nothing more is to be found."""
    # Ranks are known down to DEEPEST; if both marks are one depth, that is what is set.
    marked = {depth: mark for depth, mark in marks.items() if depth is not None and depth <= DEEPEST}
    rows = []
    for row in recalls(found, sorted({*DEPTHS, *marked})):
        rows.append((*_row(row), marked.get(row.depth, "")))
        if row.depth >= max(marked, default=DEEPEST) and all(mean.low == 1 for mean in row.recall.values()):
            break
    print_table(("depth", *(f"recall@{k}, 95 % interval" for k in ENOUGH), "which"), rows, report=True)


def _row(row: Row) -> tuple[str, ...]:
    return (f"{row.depth:,}", *map(_interval, row.recall.values()))


def _interval(mean: Mean) -> str:
    return f"{mean.mean:.4f} {mean.low:.3f}–{mean.high:.3f}"


def _verdict(passages: int, deep: int | None, depth: int) -> None:
    """Say what follows from the least depth."""
    wanted = ", ".join(f"recall@{k} ≥ {share}" for k, share in ENOUGH.items())
    if deep is None:
        says = (
            f"These codes do not reach {wanted} by depth {DEEPEST:,}. Without {SEARCH_URL} search is exact, and slower."
        )
    else:
        says = f"Least depth for {wanted} (lower ends of the 95 % intervals): {deep:,}."
    out.print(Text(says), soft_wrap=True)
    if passages <= FEW:
        print_note(f"Up to {FEW:,} passages PostgreSQL alone answers, exactly: here no depth plays a part yet.")
        return
    if deep is None:
        return
    if depth_of(passages, depth) >= deep:
        print_success(f"{SETTING}={depth} looks {depth_of(passages, depth):,} deep among {passages:,}: deep enough")
        return
    out.print(
        Text(f"{SETTING}={depth} looks {depth_of(passages, depth):,} deep. Set for the API, and restart it:", "bold")
    )
    out.print(Text(f"{SETTING}={setting_for(deep, passages)}"), soft_wrap=True)


def _url(home: Path, environ: Mapping[str, str]) -> str:
    """The URL that is set, or that of the instance whose state lies in `home`."""
    if url := environ.get(BACKUP_URL):
        return url
    if environ.get(APP_URL):
        raise CannotCheck(
            f"set {BACKUP_URL}: {ROLE} alone reads every vector; its password is the one 'clearance init' got"
        )
    return Setup.of(home, environ).urls[ROLE]


def _depth(environ: Mapping[str, str]) -> int:
    """The depth that is set where this runs."""
    try:
        return SearchSettings.model_validate({"depth": environ[SETTING]} if environ.get(SETTING) else {}).depth
    except ValidationError as error:
        raise CannotCheck(f"{SETTING}: {error.errors()[0]['msg']}") from error


def _read(file: Path) -> list[str]:
    try:
        lines = (line.strip() for line in file.read_text("utf-8").splitlines())
        texts = list(dict.fromkeys(line for line in lines if line))
    except (OSError, UnicodeDecodeError) as error:
        raise CannotCheck(f"cannot read the questions in {file}: {error}") from error
    if len(texts) < FEWEST:
        raise CannotCheck(f"{file} holds {len(texts)} different questions: at least {FEWEST} are needed, one a line")
    return texts


def _embedded(texts: list[str], sample: int, stock: Stock, home: Path) -> Asked:
    """Questions drawn from these, embedded by the embedder that made the index."""
    try:
        embedder = embedder_of(os.environ, home)
    except (UnusableWeights, ModuleNotFoundError) as error:
        raise CannotCheck(f"{error}; 'clearance doctor' looks at the embedder") from error
    if embedder.digest != stock.embedder:
        raise CannotCheck(
            f"the index was made with {stock.embedder[:12]}…, CLEARANCE_EMBEDDER__KIND and __NAME give"
            f" {embedder.digest[:12]}…: questions must be embedded as the passages were"
        )
    drawn = np.random.default_rng(SEED).permutation(len(texts))[:sample].tolist()
    vectors = [embedder.embed_query(texts[n]) for n in sorted(drawn)]
    return Asked(np.array(vectors, np.float32), np.full(len(vectors), NOT_OWN, np.int64))


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("comparing", total=total)
        yield lambda count: bar.advance(task, count)
