"""`clearance run`."""

import os

import typer

from app.cli.connection import HOME, Home


def run(*, home: Home = HOME) -> None:
    """Start everything on this machine, with a sample company, until Ctrl-C."""
    # Imported here, since the help needs none of it.
    from app.cli.console import out  # noqa: PLC0415
    from app.local.run import run as run_here  # noqa: PLC0415
    from app.local.sample import sample_loader  # noqa: PLC0415

    raise typer.Exit(run_here(home, environ=os.environ, sample=sample_loader(home.absolute()), console=out))
