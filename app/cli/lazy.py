"""A command group that lists its commands from a table and imports only the module of the one that runs.

Importing them all would load the database driver, the vector index and the web framework, which takes seconds.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_group

from app.imports import uncollected

Command = TyperCommand | TyperGroup


@dataclass(frozen=True)
class CommandEntry:
    """A command or group, as `module:attribute` under `app.cli`, and its line in the list of commands."""

    target: str
    summary: str


class LazyGroup(TyperGroup):
    """Lists `entries`, which a subclass sets, without importing their modules."""

    entries: ClassVar[dict[str, CommandEntry]]

    def list_commands(self, _ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(self.entries)

    def get_command(self, _ctx: Any, cmd_name: str) -> Command | None:
        """A placeholder with name and summary, enough for a list; `resolve_command` gives the command itself."""
        entry = self.entries.get(cmd_name)
        return None if entry is None else TyperCommand(cmd_name, help=entry.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Name, imported command and remaining arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(self.entries[name].target, name), rest


def load(target: str, name: str) -> Command:
    """Import `module:attribute` of `app.cli`, a Typer group or a function, and return it as a command."""
    module, _, attribute = target.partition(":")
    with uncollected():
        member = getattr(importlib.import_module(f"app.cli.{module}"), attribute)
    parent = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    if isinstance(member, typer.Typer):
        parent.add_typer(member, name=name)
    else:
        parent.command(name)(member)
    # Typer creates nothing but these two.
    return cast("Command", get_group(parent).commands[name])


class _LazyCoercion:
    """Typer's coercion of a parameter, created only for a value that needs it: Pydantic takes a third of a start."""

    def __init__(self, param: Any, create: Callable[[Any], Any]) -> None:
        self._param, self._create = param, create

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """Return missing values, text for text, and valid choices as they are; leave the rest to Typer."""
        is_list = param.multiple or param.nargs == -1
        expected = param.type_descriptor.annotation
        if value is None:
            return () if is_list else None
        if not is_list and param.type_descriptor.parameter_info.parser is None:
            if expected is str or (isinstance(expected, type) and isinstance(value, expected)):
                return value
            if get_origin(expected) is Literal and value in get_args(expected):
                return value
        return self._create(self._param).coerce(value, param=param, ctx=ctx)


def _defer_coercion(kind: type[TyperOption | TyperArgument]) -> None:
    """Put `_LazyCoercion` before Typer's own, for which Typer has no setting. A test holds that no Pydantic loads."""
    create = kind.get_runtime_param
    kind.get_runtime_param = lambda param: _LazyCoercion(param, create)  # type: ignore[method-assign, assignment, return-value]  # all that is called on it is coerce


_defer_coercion(TyperOption)
_defer_coercion(TyperArgument)
