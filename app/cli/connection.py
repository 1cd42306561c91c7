"""Which service a command talks to, and as whom."""

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
# Not looked at by the library: what is wrong with the folder is told with its cure, by who reads it.
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
# For a command without a client too: its results go through `screen.result` or `screen.done`.
AsJson = Annotated[
    bool,
    typer.Option("--json", callback=lambda on: set_json_output(on=on), is_eager=True, help="print the result as JSON"),
]


class NotConnected(UserError):
    """It is not clear which service is meant, or as whom to speak."""


@dataclass(frozen=True)
class ConnectionOptions:
    """What the options of a command say."""

    as_person: str | None
    key_file: Path | None
    url: str | None
    home: Path


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a client as its first argument, the options that say which one, and --json."""
    own = list(inspect.signature(command).parameters.values())[1:]
    more = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=HOME if name == "home" else None, annotation=annotation
        )
        for name, annotation in OPTIONS.items()
    ]
    more.append(inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        wanted = ConnectionOptions(**{name: given.pop(name) for name in OPTIONS})
        given.pop("as_json")
        url = find_url(wanted, os.environ)
        # A service's own key does nothing without the token of the person it asks for.
        token = os.environ.get("CLEARANCE_ON_BEHALF_OF") or None
        with Client(url, find_key(wanted, os.environ), on_behalf_of=token) as client:
            command(client, **given)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + more
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def find_url(wanted: ConnectionOptions, environ: Mapping[str, str]) -> str:
    """The address given, or that of the instance that runs here."""
    if url := wanted.url or environ.get("CLEARANCE_URL"):
        if not url.startswith(("http://", "https://")):
            raise NotConnected(f"an address begins with http:// or https://, not {url!r}")
        return url.rstrip("/").removesuffix("/api/v1")
    if instance := Instance.running(wanted.home):
        return instance.api_url
    raise NotConnected(
        f"Clearance does not run from {wanted.home}: 'clearance run' starts it; --url or CLEARANCE_URL names another"
    )


def find_key(wanted: ConnectionOptions, environ: Mapping[str, str]) -> str:
    """The key that the options name, or that of the environment. Never one that nobody asked for."""
    if wanted.as_person and wanted.key_file:
        raise NotConnected("give either --as or --key-file")
    if wanted.key_file:
        return _read_key(wanted.key_file)
    if wanted.as_person:
        return person_key(wanted, environ, wanted.as_person)
    if key := environ.get("CLEARANCE_KEY"):
        return key
    people = read_people(wanted.home / PEOPLE_FILE)
    here = f" --as is one of {', '.join(people)}." if people else ""
    raise NotConnected(f"say as whom: --as PERSON, --key-file FILE or CLEARANCE_KEY.{here}")


def person_key(wanted: ConnectionOptions, environ: Mapping[str, str], person: str) -> str:
    """A sample person's key, for the instance that runs here and no other: it is nobody else's to see."""
    instance = Instance.running(wanted.home)
    if instance is None or find_url(wanted, environ) != instance.api_url:
        raise NotConnected("--as is for the sample company of the instance that runs here; use --key-file elsewhere")
    people = read_people(wanted.home / PEOPLE_FILE)
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
    """An option's date or time; UTC where no zone is given."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a date or a time, like 2027-01-31 or 2027-01-31T09:00:00+01:00") from None
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value


def split_list(text: str | None) -> list[str]:
    """The entries of an option like `a,b`."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]
