"""All commands in one tree, and the one place where an error becomes a line for a person."""

import atexit
import gc
import os
import sys
from typing import Annotated, ClassVar

import typer

from app.cli.lazy import Entry, LazyGroup
from app.cli.output import json_output, trouble
from app.client.errors import UserError
from app.errors import AppError

HELP = "Ask your company's documents; see only what you are cleared for; prove it afterwards."


class Commands(LazyGroup):
    """The tree. The summaries are the first lines of the commands' own help (tests/unit/cli/test_app.py)."""

    entries: ClassVar[dict[str, Entry]] = {
        "run": Entry("start", "Start everything on this machine, with a sample company, until Ctrl-C."),
        "init": Entry(
            "start",
            "Make a PostgreSQL elsewhere ready: database roles, tables, the first administrator. Safe to run again.",
        ),
        "demo": Entry(
            "demo",
            "One question, two people, two answers; secrets redacted; all of it in the audit log, proved to be "
            "unchanged.",
        ),
        "ingest": Entry(
            "ingest",
            "Upload a folder and wait until each file is indexed, unchanged, or failed with a reason (curate).",
        ),
        "ask": Entry(
            "ask",
            "Answer a question from the documents you may read, with its sources. Nothing is kept outside a "
            "conversation.",
        ),
        "search": Entry("ask", "Find passages you may read, without an answer."),
        "conversations": Entry("conversations", "Your conversations: kept for you, and for nobody else."),
        "leak-test": Entry(
            "leak_test",
            "Try to leak: plant canaries, ask as everybody through every surface, remove it all (administer).",
        ),
        "eval": Entry(
            "evaluate",
            "Measure search on a dataset, asked as the people who would, on a service of its own that is thrown away.",
        ),
        "codebook": Entry("codebook", "The codes that search ranks by before it compares exactly."),
        "doctor": Entry(
            "doctor.command",
            "Check every part: settings, database, locks, embedder, model, worker, audit. Exit status 1 if one fails.",
        ),
        "people": Entry("people", "People and services."),
        "roles": Entry("people", "Roles, who is in them, and which lie inside which."),
        "grants": Entry("plans", "Who may read a collection or a document."),
        "keys": Entry("keys", "API keys."),
        "delegations": Entry("delegations", "What you let services do for you."),
        "collections": Entry("library", "Collections: their rules and curators."),
        "documents": Entry("library", "Documents you may read."),
        "jobs": Entry("library", "Your uploads."),
        "explain": Entry("library", "Why a person may read a document, or may not."),
        "who-can-see": Entry(
            "library", "Everybody who may read a document now (its curators, and administrators who may read it)."
        ),
        "what-can-see": Entry(
            "library",
            "How many documents a person or a role may read, by collection (administrators; curators: of their own).",
        ),
        "audit": Entry("audit", "The audit log."),
    }


# Plain help: the boxed one loads a Markdown parser and a highlighter first, which doubles the time of `--help`.
app = typer.Typer(cls=Commands, help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _show_version(wanted: bool) -> None:  # the library calls it so
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # costs more than all else a command loads before it

        sys.stdout.write(f"clearance {version('clearance')}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    """Options that stand before a command."""


def main() -> None:
    """Run the command that the arguments name; exit with its status."""
    json_output(on=False)
    # When the process ends, looking for garbage among all modules once more takes an eighth of a command's time.
    atexit.register(gc.freeze)
    try:
        app()
    except (UserError, AppError) as failure:
        trouble(failure)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. What Python still holds back has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
