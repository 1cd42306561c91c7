"""Which service a command talks to, and whose key it uses."""

import datetime as dt
import functools
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import set_json_output
from app.client.api import Client
from app.client.errors import UserError
from app.local.instance import Instance
from app.local.sample_people import PEOPLE_FILE, read_people

HOME = Path(".clearance")
PANEL = "Which service, and as whom"
# `readable=False`: whoever reads the folder reports what is wrong with it, and what to do.
Home = Annotated[
    Path,
    typer.Option("--home", readable=False, help="folder of the instance that runs here", rich_help_panel=PANEL),
]
AsPerson = Annotated[str | None, typer.Option("--as", metavar="PERSON", help="a sample person", rich_help_panel=PANEL)]
KeyFile = Annotated[
    Path | None, typer.Option(help="file that holds an API key; else CLEARANCE_KEY", rich_help_panel=PANEL)
]
Url = Annotated[str | None, typer.Option(help="address of Clearance; else CLEARANCE_URL", rich_help_panel=PANEL)]
OPTIONS: dict[str, Any] = {"as_person": AsPerson, "key_file": KeyFile, "url": Url, "home": Home}
# Also for commands without a client: all results go through `print_result` or `print_success`.
AsJson = Annotated[
    bool,
    typer.Option("--json", callback=lambda on: set_json_output(on=on), is_eager=True, help="print the result as JSON"),
]


class NotConnected(UserError):
    """The options and the environment do not say which service to use, or whose key."""


@dataclass(frozen=True)
class ConnectionOptions:
    """The options that `with_client` adds to a command."""

    as_person: str | None
    key_file: Path | None
    url: str | None
    home: Path


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Pass a command a client as its first argument, and add --json and the options for the connection."""
    own = list(inspect.signature(command).parameters.values())[1:]
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=HOME if name == "home" else None, annotation=annotation
        )
        for name, annotation in OPTIONS.items()
    ]
    added.append(inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson))

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        options = ConnectionOptions(**{name: arguments.pop(name) for name in OPTIONS})
        arguments.pop("as_json")
        url = find_url(options, os.environ)
        # The key of a service can do nothing without the token of the person it acts for.
        token = os.environ.get("CLEARANCE_ON_BEHALF_OF") or None
        with Client(url, find_key(options, os.environ), on_behalf_of=token) as client:
            command(client, **arguments)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + added
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def find_url(options: ConnectionOptions, environ: Mapping[str, str]) -> str:
    """The address in the options or the environment, or that of the instance that runs here."""
    if url := options.url or environ.get("CLEARANCE_URL"):
        if not url.startswith(("http://", "https://")):
            raise NotConnected(f"an address begins with http:// or https://, not {url!r}")
        return url.rstrip("/").removesuffix("/api/v1")
    if instance := Instance.running(options.home):
        return instance.api_url
    raise NotConnected(
        f"Clearance does not run from {options.home}: 'clearance run' starts it; --url or CLEARANCE_URL names another"
    )


def find_key(options: ConnectionOptions, environ: Mapping[str, str]) -> str:
    """The key that the options or the environment name; raises NotConnected if neither names one."""
    if options.as_person and options.key_file:
        raise NotConnected("give either --as or --key-file")
    if options.key_file:
        return _read_key(options.key_file)
    if options.as_person:
        return person_key(options, environ, options.as_person)
    if key := environ.get("CLEARANCE_KEY"):
        return key
    people = read_people(options.home / PEOPLE_FILE)
    names = f" --as is one of {', '.join(people)}." if people else ""
    raise NotConnected(f"say as whom: --as PERSON, --key-file FILE or CLEARANCE_KEY.{names}")


def person_key(options: ConnectionOptions, environ: Mapping[str, str], person: str) -> str:
    """A sample person's key, which is sent to no other instance than the one that runs here."""
    instance = Instance.running(options.home)
    if instance is None or find_url(options, environ) != instance.api_url:
        raise NotConnected("--as is for the sample company of the instance that runs here; use --key-file elsewhere")
    people = read_people(options.home / PEOPLE_FILE)
    if person not in people:
        known = f"the sample company has {', '.join(people)}" if people else "this instance has no sample company"
        raise NotConnected(f"nobody is named {person!r}: {known}")
    return str(people[person]["key"])


def _read_key(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConnected(f"cannot read the key in {file}: {error}") from error


def parse_time(text: str) -> dt.datetime:
    """A date or time in ISO format; UTC if it has no zone."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a date or a time, like 2027-01-31 or 2027-01-31T09:00:00+01:00") from None
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value


def split_list(text: str | None) -> list[str]:
    """`a, b` as ["a", "b"]."""
    return [entry.strip() for entry in (text or "").split(",") if entry.strip()]
