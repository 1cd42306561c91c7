"""What `clearance init` does: sets up a PostgreSQL elsewhere, and prints the secrets that it generated."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app.cli.output import print_note, print_result, print_success, print_text
from app.client.errors import UserError
from app.db.bootstrap import libpq, prepare
from app.db.revisions import UnknownRevision
from app.errors import Conflict
from app.local.administrator import create_first_administrator
from app.local.environment import (
    APP_URL,
    AUDIT_KEY,
    DELIVERY_URL,
    IDENTITY_KEY,
    INGEST_URL,
    SEARCH_URL,
    SEQUENCER_URL,
)

ADMIN_URL = "CLEARANCE_DATABASE__ADMIN_URL"
OWNER_PASSWORD, BACKUP_PASSWORD = "CLEARANCE_INIT_OWNER_PASSWORD", "CLEARANCE_INIT_BACKUP_PASSWORD"
# Passwords that no service gets, and what they are for.
VAULT_PASSWORDS = {
    OWNER_PASSWORD: "database role clearance_owner: migrations",
    BACKUP_PASSWORD: "database role clearance_backup: reads everything, for backups and 'clearance codebook check'",
}
DATABASE = "clearance"
MAINTENANCE_DATABASE = "postgres"  # exists before ours does


class CannotInit(UserError):
    """The database cannot be set up; the message says what to do."""


def set_up_database(environ: Mapping[str, str]) -> None:
    """Set the database up and create its first administrator. Prints generated secrets even if it fails midway."""
    plan = Plan.of(environ)
    try:
        prepare(
            admin_url=_with_password(plan.admin.set(database=MAINTENANCE_DATABASE)),
            database=plan.database,
            passwords=plan.passwords,
            identity_key=plan.identity_key,
        )
        key = _administrator_key(plan)
    except UnknownRevision as unknown:
        raise CannotInit(f"{unknown}. Run the version that made it, or name a new database in {ADMIN_URL}") from None
    except BaseException as error:
        if plan.generated and _passwords_are_set(plan):
            partial = {"database": None, "administrator_key": None, "drawn": plan.generated}
            print_result(
                partial, lambda: _print_generated(plan, "It broke off after these were set. Run it again with them:")
            )
        if isinstance(error, psycopg.Error | SQLAlchemyError):
            raise CannotInit(f"PostgreSQL refused: {str(error).strip()}") from error
        raise
    data = {"database": plan.database, "administrator_key": key, "drawn": plan.generated}
    print_result(data, lambda: _print_summary(plan, key))


def _administrator_key(plan: "Plan") -> str | None:
    """The key of the first administrator; None if the database has one already."""
    try:
        return create_first_administrator(plan.url("clearance_owner")).secret
    except Conflict:
        return None


def _passwords_are_set(plan: "Plan") -> bool:
    """Whether the server already accepts the owner's password of this plan."""
    owner = plan.admin.set(
        username="clearance_owner", password=plan.passwords["clearance_owner"], database=MAINTENANCE_DATABASE
    )
    try:
        psycopg.connect(libpq(owner), connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


def _print_summary(plan: "Plan", key: str | None) -> None:
    """Print the administrator's key, and each generated secret with where it belongs."""
    print_success(f"database {plan.database} is ready")
    if key is None:
        print_note("It has an administrator already; no key was made.")
    else:
        print_text(("The key of the administrator 'admin', shown this once:", "bold"))
        print_text(f"  {key}\n")
    if plan.generated:
        _print_generated(plan, "Set these for the services, and keep them; each goes to the process it is for:")


def _print_generated(plan: "Plan", heading: str) -> None:
    for_services = [name for name in plan.generated if name not in VAULT_PASSWORDS]
    if for_services:
        print_text((heading, "bold"))
    for name in for_services:
        print_text(f"{name}={plan.generated[name]}")
    for_vault = [name for name in plan.generated if name in VAULT_PASSWORDS]
    if for_vault:
        print_text(("\nKeep these in a vault and give them to no service:", "bold"))
    for name in for_vault:
        print_text((f"# {VAULT_PASSWORDS[name]}", "dim"))
        print_text(f"{name}={plan.generated[name]}")
    print_note(
        "Shown this once. With all of them in its environment, 'clearance init' changes none when it runs again."
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the environment says, completed by random secrets; `generated` are the variables to set."""

    admin: URL = field(repr=False)
    database: str
    passwords: dict[str, str] = field(repr=False)
    identity_key: str = field(repr=False)
    generated: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Plan":
        """Raises CannotInit if a setting is missing or contradicts another."""
        admin = _url(environ, ADMIN_URL)
        if admin is None:
            raise CannotInit(f"set {ADMIN_URL}=postgresql+psycopg://SUPERUSER:PASSWORD@HOST/{DATABASE}")
        database = admin.database if admin.database not in {None, "", MAINTENANCE_DATABASE} else DATABASE
        owner, backup = (environ.get(name) or secrets.token_hex(32) for name in VAULT_PASSWORDS)
        passwords = {"clearance_owner": owner, "clearance_backup": backup}
        generated = {}
        for role, name in (
            ("clearance_app", APP_URL), ("clearance_ingest", INGEST_URL), ("clearance_sequencer", SEQUENCER_URL),
            ("clearance_search", SEARCH_URL), ("clearance_delivery", DELIVERY_URL),
        ):  # fmt: skip
            url = _url(environ, name)
            if url is None:
                passwords[role] = secrets.token_hex(32)
                generated[name] = _with_password(admin.set(username=role, password=passwords[role], database=database))
            else:
                passwords[role] = _password(url, name, role=role, database=str(database))
        keys = {name: environ.get(name) or secrets.token_hex(32) for name in (IDENTITY_KEY, AUDIT_KEY)}
        keys |= {OWNER_PASSWORD: owner, BACKUP_PASSWORD: backup}
        generated |= {name: value for name, value in keys.items() if not environ.get(name)}
        _require_key(keys[IDENTITY_KEY], IDENTITY_KEY)
        _require_key(keys[AUDIT_KEY], AUDIT_KEY)
        return cls(
            admin=admin,
            database=str(database),
            passwords=passwords,
            identity_key=keys[IDENTITY_KEY],
            generated=generated,
        )

    def url(self, role: str) -> str:
        """The database's URL for this database role, with its password."""
        return _with_password(self.admin.set(username=role, password=self.passwords[role], database=self.database))


def _url(environ: Mapping[str, str], name: str) -> URL | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        return make_url(text).set(drivername="postgresql+psycopg")
    except ArgumentError:
        raise CannotInit(f"{name} is no URL like postgresql+psycopg://NAME:PASSWORD@HOST/{DATABASE}") from None


def _password(url: URL, name: str, *, role: str, database: str) -> str:
    """The password in a service's URL, which must name this role and database."""
    if url.username != role or url.database != database or not url.password:
        raise CannotInit(f"{name} must name the user {role} with a password and the database {database}")
    return str(url.password)


def _require_key(value: str, name: str) -> None:
    try:
        valid = len(bytes.fromhex(value)) == 32
    except ValueError:
        valid = False
    if not valid:
        raise CannotInit(f"{name} must be 32 bytes in hex: openssl rand -hex 32")


def _with_password(url: URL) -> str:
    return url.render_as_string(hide_password=False)
