"""`clearance codebook check`: measures on the corpus how many candidates search must rank by code."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import ValidationError
from rich.text import Text

from app.cli.connection import HOME, AsJson, Home
from app.cli.console import out
from app.cli.doctor.installation import Installation
from app.cli.evaluated_systems import configured_embedder
from app.cli.output import print_error, print_note, print_result, print_success, print_table
from app.cli.progress import progress_bar
from app.client.errors import UserError
from app.embedding.protocol import UnusableWeights
from app.evaluation.codebook import (
    DEPTHS,
    MAX_DEPTH,
    NEAREST,
    NOT_OWN,
    TARGET_RECALL,
    Ids,
    SampleVectors,
    VectorBlock,
    ranks,
    required_depth,
)
from app.evaluation.codebook import table as recalls
from app.evaluation.measures import SEED, Mean
from app.evaluation.vectors import ROLE, StoredVectors, UnreadableVectors, VectorStats, open_snapshot
from app.local.environment import APP_URL, BACKUP_URL, SEARCH_URL
from app.retrieval.dense import EXACT_SCAN_LIMIT, effective_depth
from app.settings import SearchSettings

SETTING = "CLEARANCE_SEARCH__DEPTH"
TOO_SHALLOW, NOT_CHECKED = 1, 2
MIN_QUESTIONS = 20  # the confidence interval of fewer means nothing
STAND_IN = (
    "The corpus's own passages ask, each without its own row. They stand in for questions, which lie further from what"
    " answers them: --questions FILE measures with real ones."
)

codebook = typer.Typer(help="The codes that search ranks by before it compares exactly.", no_args_is_help=True)


class CannotCheck(UserError):
    """The corpus cannot be measured; the message says what to do."""


@codebook.command("check")
def check(
    *,
    questions: Annotated[
        Path | None, typer.Option(help="ask these, one a line, instead of the corpus's own passages")
    ] = None,
    sample: Annotated[int, typer.Option(min=MIN_QUESTIONS, help="how many ask at most")] = 200,
    home: Home = HOME,
    _as_json: AsJson = False,
) -> None:
    """Measure on this corpus how deep search has to look by code, and say what to set.

    Reads every vector once and no text, as the database role clearance_backup: CLEARANCE_DATABASE__BACKUP_URL, or
    that of the instance that runs here. Changes nothing. It judges CLEARANCE_SEARCH__DEPTH as it is set where the
    command runs. Exit status: 0 deep enough, 1 too shallow, 2 it could not be measured.
    """
    try:
        status = _check(questions, sample, home)
    except UserError as error:
        print_error(error)
        status = NOT_CHECKED
    raise typer.Exit(status)


def _check(questions: Path | None, sample: int, home: Path) -> int:
    """Measure, print the result, and return the exit status."""
    texts = None if questions is None else _read_questions(questions)
    depth = _depth(os.environ)
    try:
        with open_snapshot(_url(home, os.environ)) as stored:
            asked = stored.sample(sample) if texts is None else _embed(texts, sample, stored.stats, home)
            code_ranks = _measure(stored, asked)
    except UnreadableVectors as error:
        raise CannotCheck(str(error)) from error
    min_depth, passages = required_depth(code_ranks), stored.stats.passages
    set_depth = effective_depth(passages, depth)
    # Few passages are ranked exactly by PostgreSQL.
    enough = passages <= EXACT_SCAN_LIMIT or (min_depth is not None and set_depth >= min_depth)

    def show() -> None:
        _print_corpus(stored.stats, asked)
        _print_recall(code_ranks, {min_depth: "least", set_depth: "set"})
        _print_verdict(passages, min_depth, depth)

    data = {"passages": passages, "questions": len(asked.vectors), "least_depth": min_depth, "set_depth": set_depth}
    print_result({**data, "deep_enough": enough}, show)
    return 0 if enough else TOO_SHALLOW


def setting_for(depth: int, passages: int) -> int:
    """The smallest setting, a multiple of ten, that ranks `depth` candidates if all `passages` are visible."""
    return next(setting for setting in range(10, depth + 11, 10) if effective_depth(passages, setting) >= depth)


def _measure(stored: StoredVectors, asked: SampleVectors) -> Ids:
    passages = stored.stats.passages
    if passages <= NEAREST:
        raise CannotCheck(
            f"{passages} passages are too few to measure: from {NEAREST + 1} on the {NEAREST} nearest exist"
        )
    with progress_bar("comparing", passages) as advance:
        return ranks(stored.stats.quantizer, asked, _with_progress(stored.blocks(), advance))


def _with_progress(blocks: Iterator[VectorBlock], advance: Callable[[int], None]) -> Iterator[VectorBlock]:
    for block in blocks:
        yield block
        advance(len(block.ids))


def _print_corpus(stats: VectorStats, asked: SampleVectors) -> None:
    out.print(Text(f"{stats.passages:,} passages with codes, {stats.quantizer.dimensions} dimensions", "bold"))
    print_note(f"embedder {stats.embedder}\ncodebook {stats.quantizer.digest}")
    own = bool((asked.own != NOT_OWN).any())
    print_note(f"{len(asked.vectors)} {'passages' if own else 'questions'} asked. {STAND_IN if own else ''}".strip())


def _print_recall(code_ranks: Ids, marks: Mapping[int | None, str]) -> None:
    """Print recall by depth, with a row for each marked depth, and stop where it is 1."""
    # Ranks are known down to MAX_DEPTH. If both marks have one depth, the row says `set`.
    marked = {depth: mark for depth, mark in marks.items() if depth is not None and depth <= MAX_DEPTH}
    rows = []
    for row in recalls(code_ranks, sorted({*DEPTHS, *marked})):
        rows.append((f"{row.depth:,}", *map(_format_interval, row.recall.values()), marked.get(row.depth, "")))
        if row.depth >= max(marked, default=MAX_DEPTH) and all(mean.low == 1 for mean in row.recall.values()):
            break
    print_table(("depth", *(f"recall@{k}, 95 % interval" for k in TARGET_RECALL), "which"), rows, report=True)


def _format_interval(mean: Mean) -> str:
    return f"{mean.mean:.4f} {mean.low:.3f}–{mean.high:.3f}"


def _print_verdict(passages: int, min_depth: int | None, setting: int) -> None:
    """Print the least depth, whether the setting reaches it, and what to set if not."""
    target = ", ".join(f"recall@{k} ≥ {share}" for k, share in TARGET_RECALL.items())
    if min_depth is None:
        text = f"These codes do not reach {target} by depth {MAX_DEPTH:,}."
        text += f" Without {SEARCH_URL} search is exact, and slower."
    else:
        text = f"Least depth for {target} (lower ends of the 95 % intervals): {min_depth:,}."
    out.print(Text(text), soft_wrap=True)
    if passages <= EXACT_SCAN_LIMIT:
        print_note(
            f"Up to {EXACT_SCAN_LIMIT:,} passages PostgreSQL alone answers, exactly: here no depth plays a part yet."
        )
    elif min_depth is not None:
        depth = f"{SETTING}={setting} looks {effective_depth(passages, setting):,} deep"
        if effective_depth(passages, setting) >= min_depth:
            print_success(f"{depth} among {passages:,}: deep enough")
        else:
            out.print(Text(f"{depth}. Set for the API, and restart it:", "bold"))
            out.print(Text(f"{SETTING}={setting_for(min_depth, passages)}"), soft_wrap=True)


def _url(home: Path, environ: Mapping[str, str]) -> str:
    """The database's URL in the environment, or that of the instance in `home`."""
    if url := environ.get(BACKUP_URL):
        return url
    if environ.get(APP_URL):
        raise CannotCheck(
            f"set {BACKUP_URL}: {ROLE} alone reads every vector; its password is the one 'clearance init' got"
        )
    return Installation.of(home, environ).urls[ROLE]


def _depth(environ: Mapping[str, str]) -> int:
    try:
        return SearchSettings.model_validate({"depth": environ[SETTING]} if environ.get(SETTING) else {}).depth
    except ValidationError as error:
        raise CannotCheck(f"{SETTING}: {error.errors()[0]['msg']}") from error


def _read_questions(file: Path) -> list[str]:
    try:
        lines = (line.strip() for line in file.read_text("utf-8").splitlines())
        texts = list(dict.fromkeys(line for line in lines if line))
    except (OSError, UnicodeDecodeError) as error:
        raise CannotCheck(f"cannot read the questions in {file}: {error}") from error
    if len(texts) < MIN_QUESTIONS:
        raise CannotCheck(
            f"{file} holds {len(texts)} different questions: at least {MIN_QUESTIONS} are needed, one a line"
        )
    return texts


def _embed(texts: list[str], sample: int, stats: VectorStats, home: Path) -> SampleVectors:
    """A random sample of these texts, embedded by the embedder that the index was made with."""
    try:
        embedder = configured_embedder(os.environ, home)
    except (UnusableWeights, ModuleNotFoundError) as error:
        raise CannotCheck(f"{error}; 'clearance doctor' looks at the embedder") from error
    if embedder.digest != stats.embedder:
        raise CannotCheck(
            f"the index was made with {stats.embedder[:12]}…, CLEARANCE_EMBEDDER__KIND and __NAME give"
            f" {embedder.digest[:12]}…: questions must be embedded as the passages were"
        )
    drawn = np.random.default_rng(SEED).permutation(len(texts))[:sample].tolist()
    vectors = [embedder.embed_query(texts[n]) for n in sorted(drawn)]
    return SampleVectors(np.array(vectors, np.float32), np.full(len(vectors), NOT_OWN, np.int64))
