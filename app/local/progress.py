"""What `clearance run` shows a person: steps with their time, and what to do next."""

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
from app.local.sample_cache import Welcome

# Where `clearance` looks if no --home is given.
HOME = Path(".clearance")
KEYS = "people.json"


@contextlib.contextmanager
def step(console: Console, name: str) -> Iterator[None]:
    """Show that `name` is in progress, then how long it took."""
    begin = time.monotonic()
    with console.status(Text(f"{name} …")):
        yield
    console.print(Text.assemble(("✓", "green"), f" {name:<34} ", (f"{time.monotonic() - begin:6.1f} s", "dim")))


def trouble(console: Console, message: str) -> None:
    """Show what went wrong; the text is shown as it is, whatever signs it holds."""
    console.print(Text.assemble(("✗ ", "bold red"), message))


def show(console: Console, instance: Instance, welcome: Welcome | None, home: Path) -> None:
    """Where it runs, who is there, what to try; `home` is the folder that it runs from."""
    console.print(Text.assemble("\nClearance runs at ", (instance.api_url, "bold"), "   (Ctrl-C ends it)\n"))
    if welcome is None:
        return
    people = Table(title="The sample company", title_justify="left", box=None, pad_edge=False)
    people.add_column("name", no_wrap=True)
    people.add_column("who they are", overflow="fold")
    for person in welcome.people:
        people.add_row(Text(person.name), Text(person.about))
    console.print(people)
    # Keys do not belong on a screen or in a log of it.
    keys = f"Their keys are in {_near(home) / KEYS} (for you alone); "
    console.print(Text.assemble(keys, ("--as NAME", "bold"), " uses one."))
    if welcome.commands:
        console.print("\nTry:")
        for command in welcome.commands:
            there = "" if home.absolute() == HOME.absolute() else f" --home {_near(home)}"
            console.print(Text(f"  {_as_typed(command)}{there}"), soft_wrap=True)


def _near(path: Path) -> Path:
    """The path as it is named from here."""
    full = path.absolute()
    return full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full


def _as_typed(command: str) -> str:
    """The command as it works in the folder where it is read: with its path, unless it is found without."""
    name, _, rest = command.partition(" ")
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) is not None or not beside.is_file():
        return command
    return f"{_near(beside)} {rest}"
