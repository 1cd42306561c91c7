"""`clearance init`."""

import os

from app.cli.connection import AsJson


def init(*, _as_json: AsJson = False) -> None:
    """Make a PostgreSQL elsewhere ready: database roles, tables, the first administrator. Safe to run again.

    CLEARANCE_DATABASE__ADMIN_URL names it, as a superuser. URLs, keys and passwords that are set are used, the others
    are drawn at random and shown: the two passwords of database roles that no service uses too, which
    CLEARANCE_INIT_OWNER_PASSWORD and CLEARANCE_INIT_BACKUP_PASSWORD set.
    """
    from app.cli.database_setup import set_up_database  # noqa: PLC0415  # the help needs none of what this imports

    set_up_database(os.environ)
