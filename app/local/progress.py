"""What `clearance run` prints: each step with its time, and then what to do next."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.local.instance import Instance
from app.local.sample_cache import SampleWelcome
from app.local.sample_people import PEOPLE_FILE

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


def print_welcome(console: Console, instance: Instance, welcome: SampleWelcome | None, home: Path) -> None:
    """Print the address, the people of the sample company, and commands to try; the instance runs from `home`."""
    console.print(Text.assemble("\nClearance runs at ", (instance.api_url, "bold"), "   (Ctrl-C ends it)\n"))
    if welcome is None:
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
    if welcome.commands:
        console.print("\nTry:")
        for command in welcome.commands:
            option = "" if home.absolute() == HOME.absolute() else f" --home {_relative(home)}"
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
