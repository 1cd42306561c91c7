"""The command tree, and the one place where an error becomes a message."""

import atexit
import gc
import os
import sys
from typing import Annotated, ClassVar

import typer

from app.cli.lazy import CommandEntry, LazyGroup
from app.cli.output import print_error, set_json_output
from app.client.errors import UserError
from app.errors import AppError

HELP = "Ask your company's documents; see only what you are cleared for; prove it afterwards."


class Commands(LazyGroup):
    """The top-level commands. A summary is the first line of the command's own help (tests/unit/cli/test_app.py)."""

    entries: ClassVar[dict[str, CommandEntry]] = {
        "run": CommandEntry("run:run", "Start everything on this machine, with a sample company, until Ctrl-C."),
        "init": CommandEntry(
            "init:init",
            "Make a PostgreSQL elsewhere ready: database roles, tables, the first administrator. Safe to run again.",
        ),
        "demo": CommandEntry(
            "demo:demo",
            "One question, two people, two answers; secrets redacted; all of it in the audit log, proved to be "
            "unchanged.",
        ),
        "ingest": CommandEntry(
            "ingest:ingest",
            "Upload a folder and wait until each file is indexed, unchanged, or failed with a reason (curate).",
        ),
        "ask": CommandEntry(
            "ask:ask",
            "Answer a question from the documents you may read, with its sources. Nothing is kept outside a "
            "conversation.",
        ),
        "reveal": CommandEntry(
            "reveal:reveal",
            "What a pseudonym of an answer stands for, if you read a passage now in which it stands; recorded "
            "(reveal).",
        ),
        "search": CommandEntry("ask:search", "Find passages you may read, without an answer."),
        "conversations": CommandEntry(
            "conversations:conversations", "Your conversations: kept for you, and for nobody else."
        ),
        "leak-test": CommandEntry(
            "leak_test:leak_test",
            "Try to leak: plant canaries, ask as everybody through every surface, remove it all (administer).",
        ),
        "eval": CommandEntry(
            "evaluate:evaluate_dataset",
            "Measure search on a dataset, asked as the people who would, on a service of its own that is thrown away.",
        ),
        "codebook": CommandEntry("codebook:codebook", "The codes that search ranks by before it compares exactly."),
        "guard": CommandEntry("guard:guard", "What the guardrail hides in a text, and what a policy does with it."),
        "doctor": CommandEntry(
            "doctor.command:doctor",
            "Check every part: settings, database, locks, embedder, model, worker, audit. Exit status 1 if one fails.",
        ),
        "people": CommandEntry("people:people", "People and services."),
        "erasures": CommandEntry("erasures:erasures", "Erasures, which take two people."),
        "hold": CommandEntry("holds:hold", "Legal holds."),
        "retention": CommandEntry("retention:retention", "How long records of the log are kept."),
        "roles": CommandEntry("roles:roles", "Roles, who is in them, and which lie inside which."),
        "grants": CommandEntry("grants:grants", "Who may read a collection or a document."),
        "keys": CommandEntry("keys:keys", "API keys."),
        "sessions": CommandEntry("sessions:sessions", "Browsers that are signed in."),
        "passkeys": CommandEntry("passkeys:passkeys", "Passkeys, by which people sign in."),
        "delegations": CommandEntry("delegations:delegations", "What you let services do for you."),
        "collections": CommandEntry("collections:collections", "Collections: their rules and curators."),
        "documents": CommandEntry("documents:documents", "Documents you may read."),
        "jobs": CommandEntry("jobs:jobs", "Your uploads."),
        "explain": CommandEntry("explain:explain", "Why a person may read a document, or may not."),
        "who-can-see": CommandEntry(
            "explain:who_can_see",
            "Everybody who may read a document now (its curators, and administrators who may read it).",
        ),
        "what-can-see": CommandEntry(
            "explain:what_can_see",
            "How many documents a person or a role may read, by collection (administrators; curators: of their own).",
        ),
        "audit": CommandEntry("audit:audit", "The audit log."),
        "witness": CommandEntry(
            "witness:witness",
            "Watch logs from elsewhere: sign each checkpoint that only adds to the one before, and refuse a rewritten "
            "log.",
        ),
    }


# Plain help: boxes need a Markdown parser and a highlighter, and loading these doubles the time of `--help`.
app = typer.Typer(cls=Commands, help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(given: bool) -> None:  # Typer passes it by position
    if given:
        from importlib.metadata import version  # noqa: PLC0415  # takes longer than all other imports of a command

        sys.stdout.write(f"clearance {version('clearance')}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    """Options before a command."""


def main() -> None:
    set_json_output(on=False)
    # The last garbage collection at exit walks all modules, which takes an eighth of a command's time.
    atexit.register(gc.freeze)
    try:
        app()
    except (UserError, AppError) as error:
        print_error(error)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; what Python has buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
