"""All commands in one tree, and the one place where an error becomes a line for a person."""

import os
import sys

import typer

from app.cli import (
    access,
    ask,
    audit,
    codebook,
    conversations,
    delegations,
    demo,
    doctor,
    evaluate,
    ingest,
    keys,
    leak_test,
    library,
    people,
    plans,
    start,
)
from app.cli.screen import trouble
from app.errors import AppError
from app.local.failure import LocalFailure

HELP = "Ask your company's documents; see only what you are cleared for; prove it afterwards."

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for module in (start, demo, ingest, ask, conversations, leak_test, evaluate, codebook, doctor):
    module.add_to(app)
for module in (people, access, plans, keys, delegations, library, audit):
    module.add_to(app)


def main() -> None:
    """Run the command that the arguments name; exit with its status."""
    try:
        app()
    except (LocalFailure, AppError) as failure:
        trouble(failure)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. What Python still holds back has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
