"""`clearance run` and `clearance init`: on this machine, or on a database elsewhere."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
import typer
from rich.text import Text
from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from app.cli.connect import HOME, Home
from app.cli.screen import done, note, out
from app.db.bootstrap import prepare
from app.errors import Conflict
from app.local.administrator import make_first_administrator
from app.local.environments import APP_URL, AUDIT_KEY, IDENTITY_KEY, INGEST_URL, SEARCH_URL, SEQUENCER_URL
from app.local.failure import LocalFailure
from app.local.run import run as run_here
from app.local.sample import loader

ADMIN_URL = "CLEARANCE_DATABASE__ADMIN_URL"
OWNER_PASSWORD, BACKUP_PASSWORD = "CLEARANCE_INIT_OWNER_PASSWORD", "CLEARANCE_INIT_BACKUP_PASSWORD"
DATABASE = "clearance"
# Where to connect before our database is there.
MAINTENANCE = "postgres"


class CannotInit(LocalFailure):
    """The database cannot be made ready; the message says what to do."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("run")(run)
    app.command("init")(init)


def run(*, home: Home = HOME) -> None:
    """Start everything on this machine, with a sample company, until Ctrl-C."""
    raise typer.Exit(run_here(home, environ=os.environ, sample=loader(home.absolute()), console=out))


def init() -> None:
    """Make a PostgreSQL elsewhere ready: database roles, tables, the first administrator. Safe to run again.

    CLEARANCE_DATABASE__ADMIN_URL names it, as a superuser. URLs and keys that are set are used, the others are drawn
    at random and shown. CLEARANCE_INIT_OWNER_PASSWORD and CLEARANCE_INIT_BACKUP_PASSWORD set the passwords of the
    database roles that no service uses.
    """
    plan = Plan.of(os.environ)
    try:
        prepare(
            admin_url=_shown(plan.admin.set(database=MAINTENANCE)),
            database=plan.database,
            passwords=plan.passwords,
            identity_key=plan.identity_key,
        )
    except psycopg.Error as error:
        raise CannotInit(f"PostgreSQL refused: {str(error).strip()}") from error
    done(f"database {plan.database} is ready")
    try:
        key = make_first_administrator(plan.url("clearance_owner"))
    except Conflict:
        note("It has an administrator already; no key was made.")
    else:
        out.print(Text("The key of the administrator 'admin', shown this once:", "bold"))
        out.print(Text(f"  {key.secret}\n"), soft_wrap=True)
    if plan.drawn:
        out.print(Text("Set these for the services, and keep them; each goes to the process it is for:", "bold"))
        for name, value in plan.drawn.items():
            out.print(Text(f"{name}={value}"), soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the environment says, completed by secrets drawn at random; `drawn` are the variables to set."""

    admin: URL = field(repr=False)
    database: str
    passwords: dict[str, str] = field(repr=False)
    identity_key: str = field(repr=False)
    drawn: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Plan":
        """Raises CannotInit for what is missing or contradicts itself."""
        admin = _url(environ, ADMIN_URL)
        if admin is None:
            raise CannotInit(f"set {ADMIN_URL}=postgresql+psycopg://SUPERUSER:PASSWORD@HOST/{DATABASE}")
        database = admin.database if admin.database not in {None, "", MAINTENANCE} else DATABASE
        passwords = {
            "clearance_owner": environ.get(OWNER_PASSWORD) or secrets.token_hex(32),
            "clearance_backup": environ.get(BACKUP_PASSWORD) or secrets.token_hex(32),
        }
        drawn = {}
        for role, name in (
            ("clearance_app", APP_URL), ("clearance_ingest", INGEST_URL), ("clearance_sequencer", SEQUENCER_URL),
            ("clearance_search", SEARCH_URL),
        ):  # fmt: skip
            given = _url(environ, name)
            if given is None:
                passwords[role] = secrets.token_hex(32)
                drawn[name] = _shown(admin.set(username=role, password=passwords[role], database=database))
            else:
                passwords[role] = _password(given, name, role=role, database=str(database))
        keys = {name: environ.get(name) or secrets.token_hex(32) for name in (IDENTITY_KEY, AUDIT_KEY)}
        drawn |= {name: value for name, value in keys.items() if not environ.get(name)}
        _require_key(keys[IDENTITY_KEY], IDENTITY_KEY)
        _require_key(keys[AUDIT_KEY], AUDIT_KEY)
        return cls(
            admin=admin, database=str(database), passwords=passwords, identity_key=keys[IDENTITY_KEY], drawn=drawn
        )

    def url(self, role: str) -> str:
        """URL as this database role."""
        return _shown(self.admin.set(username=role, password=self.passwords[role], database=self.database))


def _url(environ: Mapping[str, str], name: str) -> URL | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        return make_url(text).set(drivername="postgresql+psycopg")
    except ArgumentError:
        raise CannotInit(f"{name} is no URL like postgresql+psycopg://NAME:PASSWORD@HOST/{DATABASE}") from None


def _password(url: URL, name: str, *, role: str, database: str) -> str:
    """The password that a service's URL holds; the URL must name the role and the database that are made here."""
    if url.username != role or url.database != database or not url.password:
        raise CannotInit(f"{name} must name the user {role} with a password and the database {database}")
    return str(url.password)


def _require_key(value: str, name: str) -> None:
    try:
        right = len(bytes.fromhex(value)) == 32
    except ValueError:
        right = False
    if not right:
        raise CannotInit(f"{name} must be 32 bytes in hex: openssl rand -hex 32")


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)
