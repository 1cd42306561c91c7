"""A command group that knows its commands by name and summary, and imports the module of the one that is called.

Importing all of them loads the database driver, the vector index and the web framework, which costs seconds.
"""

import gc
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_group

# What a group or a single command is to its parent.
Command = TyperCommand | TyperGroup


@dataclass(frozen=True)
class Entry:
    """The module under `app.cli` that adds a command or group of commands, and what the list of commands says of it."""

    module: str
    summary: str


class LazyGroup(TyperGroup):
    """Lists `entries` without importing anything. A subclass sets them."""

    entries: ClassVar[dict[str, Entry]]

    def list_commands(self, _ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        return list(self.entries)

    def get_command(self, _ctx: Any, cmd_name: str) -> Command | None:
        """What a list shows of a command: its name and summary. `resolve_command` gives the command itself."""
        entry = self.entries.get(cmd_name)
        return None if entry is None else TyperCommand(cmd_name, help=entry.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The command that the arguments name, with what is left of them."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(self.entries[name].module, name), rest


def load(module: str, name: str) -> Command:
    """Import a module of `app.cli` and give the command or group of this name that it adds."""
    parent = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    collecting = gc.isenabled()
    gc.disable()  # modules are no garbage, and thousands of their objects would be looked through for it
    try:
        importlib.import_module(f"app.cli.{module}").add_to(parent)
    finally:
        if collecting:
            gc.enable()
    # Typer makes nothing but these two.
    return cast("Command", get_group(parent).commands[name])


class _Coercion:
    """Typer's coercion of a parameter, made only for a value that needs it: it loads Pydantic, a third of a start."""

    def __init__(self, param: Any, make: Callable[[Any], Any]) -> None:
        self._param, self._make = param, make

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """What is not given, given as text where text is wanted, or one of the choices, is as it must be already."""
        several = param.multiple or param.nargs == -1
        wanted = param.type_descriptor.annotation
        if value is None:
            return () if several else None
        if not several and param.type_descriptor.parameter_info.parser is None:
            if wanted is str or (isinstance(wanted, type) and isinstance(value, wanted)):
                return value
            if get_origin(wanted) is Literal and value in get_args(wanted):
                return value
        return self._make(self._param).coerce(value, param=param, ctx=ctx)


def _spare_coercion(kind: type[TyperOption | TyperArgument]) -> None:
    """Put `_Coercion` before Typer's own. Typer has no setting for it; a test holds that a start loads no Pydantic."""
    make = kind.get_runtime_param
    kind.get_runtime_param = lambda param: _Coercion(param, make)  # type: ignore[method-assign, assignment, return-value]  # all that is called on it is coerce


_spare_coercion(TyperOption)
_spare_coercion(TyperArgument)
