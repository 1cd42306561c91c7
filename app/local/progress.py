"""What `clearance run` prints: each step with its time, and then what to do next."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.local.instance import Instance
from app.local.sample_cache import SampleWelcome
from app.local.sample_people import ADMINISTRATOR, PEOPLE_FILE

HOME = Path(".clearance")  # the default of --home


@contextlib.contextmanager
def timed_step(console: Console, name: str) -> Iterator[None]:
    """Print that `name` is in progress, then how long it took."""
    begin = time.monotonic()
    with console.status(Text(f"{name} …")):
        yield
    console.print(Text.assemble(("✓", "green"), f" {name:<34} ", (f"{time.monotonic() - begin:6.1f} s", "dim")))


def print_error(console: Console, message: str) -> None:
    """Print an error message; nothing in it is markup."""
    console.print(Text.assemble(("✗ ", "bold red"), message))


def print_welcome(
    console: Console,
    instance: Instance,
    welcome: SampleWelcome | None,
    home: Path,
    links: Sequence[tuple[str, str]] = (),
) -> None:
    """Print the address, the people of the sample company, and what to try; the instance runs from `home`.

    `links`: names, and the address at which a browser of this machine signs in as that person, once.
    """
    console.print(Text.assemble("\nClearance runs at ", (instance.api_url, "bold"), "   (Ctrl-C ends it)\n"))
    if welcome is None:
        invite = _runnable("clearance people invite NAME --key-file FILE")
        console.print(Text(f"With an administrator's key, '{invite}' prints a link that signs NAME in from a browser."))
        return
    people = Table(title="The sample company", title_justify="left", box=None, pad_edge=False)
    people.add_column("name", no_wrap=True)
    people.add_column("who they are", overflow="fold")
    for person in welcome.people:
        people.add_row(Text(person.name), Text(person.about))
    console.print(people)
    # Keys are not printed, since terminals are logged and shared.
    keys = f"Their keys are in {_relative(home) / PEOPLE_FILE} (for you alone); "
    console.print(Text.assemble(keys, ("--as NAME", "bold"), " uses one."))
    option = "" if home.absolute() == HOME.absolute() else f" --home {_relative(home)}"
    if links:
        console.print("\nSign in with a browser of this machine; each link is good once:")
        for name, address in links:
            console.print(Text(f"  {name:<8}{address}"), soft_wrap=True)
        another = f"{_runnable('clearance people invite NAME --loopback')} --as {ADMINISTRATOR}{option}"
        console.print(Text(f"  {'others':<8}{another}"), soft_wrap=True)
    if welcome.commands:
        console.print("\nTry:")
        for command in welcome.commands:
            console.print(Text(f"  {_runnable(command)}{option}"), soft_wrap=True)


def _relative(path: Path) -> Path:
    """The path relative to the current folder, if it is below it."""
    full = path.absolute()
    return full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full


def _runnable(command: str) -> str:
    """The command as it works here: with the path of its program, if that is not on PATH."""
    name, _, rest = command.partition(" ")
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) is not None or not beside.is_file():
        return command
    return f"{_relative(beside)} {rest}"
