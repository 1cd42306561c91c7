"""`clearance guard train-names` and `learn-words`: a model that finds names, and the words that are none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.cli.connection import AsJson
from app.cli.output import print_note, print_result, print_text
from app.cli.progress import progress_bar
from app.client.errors import UserError
from app.guardrail.names import lexicon

_BASE, _TEXTS = "en_core_web_sm", 80_000
_TEXT_FILES = {".md", ".txt", ".rst", ".adoc", ".html", ".htm", ".csv", ".eml"}


class NoNamesModel(UserError):
    """No model can be trained, or the folder holds none; the message says what to do."""


def train_names(
    folder: Annotated[Path, typer.Argument(help="where to write the model; must not exist")],
    *,
    base: Annotated[str, typer.Option(help="the model of spaCy to start from, installed or a folder")] = _BASE,
    texts: Annotated[int, typer.Option(min=1000, help="so many texts are made to learn from")] = _TEXTS,
    seed: Annotated[int, typer.Option(help="another one makes other texts")] = 0,
    _as_json: AsJson = False,
) -> None:
    """Train a model that finds names of people, on texts made here: some minutes on one CPU core.

    Then set CLEARANCE_GUARDRAIL__NAMES=model and CLEARANCE_GUARDRAIL__NAMES_MODEL to the folder, and let `learn-words`
    read documents of the company. Needs `pip install clearance[names]`.
    """
    if folder.exists():
        raise NoNamesModel(f"{folder} is there already: name another folder, or remove it.")
    # It loads libraries that take seconds, and are no part of a plain installation.
    from app.guardrail.names.training.train import train  # noqa: PLC0415

    try:
        with progress_bar("texts", texts) as advance:
            train(folder, base, texts=texts, seed=seed, progress=advance)
    except ValueError as error:
        raise NoNamesModel(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    print_result({"folder": str(folder)}, lambda: print_text(f"The model is in {folder}."))


def learn_words(
    folder: Annotated[Path, typer.Argument(help="a model that `train-names` made")],
    documents: Annotated[list[Path], typer.Argument(help="text files, and folders of them")],
    _as_json: AsJson = False,
) -> None:
    """Learn from documents which words with capitals are no names here, such as products and teams.

    Words count that two documents or more also write in small letters, or with an article before them ("the Batch").
    They take the place of those learned before. A service reads them when it starts.
    """
    if not (folder / "meta.json").exists() or not lexicon.read(folder):
        raise NoNamesModel(f"{folder} holds no model of 'clearance guard train-names'.")
    from app.guardrail.names.training.company_words import company_words  # noqa: PLC0415

    files = sorted({file for each in documents for file in _files(each)})
    if not files:
        raise NoNamesModel(f"No text to read: files that end in {', '.join(sorted(_TEXT_FILES))} count.")
    words = company_words(file.read_text("utf-8", errors="replace") for file in files)
    lexicon.write_learnt(folder, words)
    if len(files) < 10:
        print_note("From few documents little is learned: let it read some hundreds.")
    print_result(
        {"documents": len(files), "words": len(words)},
        lambda: print_text(f"{len(words):,} words of {len(files):,} documents are no names."),
    )


def _files(path: Path) -> Iterator[Path]:
    """The text files of a folder; a file that was named is one, whatever its name."""
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in _TEXT_FILES)
    else:
        raise NoNamesModel(f"{path} is neither a file nor a folder.")
