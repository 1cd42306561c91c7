"""`clearance run` and `clearance init`: on this machine, or on a database elsewhere."""

import os

import typer

from app.cli.connection import HOME, AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("run")(run)
    app.command("init")(init)


def run(*, home: Home = HOME) -> None:
    """Start everything on this machine, with a sample company, until Ctrl-C."""
    # What these two load is what they start and set up; their help needs none of it.
    from app.cli.console import out  # noqa: PLC0415
    from app.local.run import run as run_here  # noqa: PLC0415
    from app.local.sample import loader  # noqa: PLC0415

    raise typer.Exit(run_here(home, environ=os.environ, sample=loader(home.absolute()), console=out))


def init(*, _as_json: AsJson = False) -> None:
    """Make a PostgreSQL elsewhere ready: database roles, tables, the first administrator. Safe to run again.

    CLEARANCE_DATABASE__ADMIN_URL names it, as a superuser. URLs, keys and passwords that are set are used, the others
    are drawn at random and shown: the two passwords of database roles that no service uses too, which
    CLEARANCE_INIT_OWNER_PASSWORD and CLEARANCE_INIT_BACKUP_PASSWORD set.
    """
    from app.cli.init import prepare_database  # noqa: PLC0415  # as above

    prepare_database(os.environ)
