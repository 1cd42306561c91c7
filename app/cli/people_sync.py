"""`clearance people sync`: a directory read once, on the machine whose environment has its settings."""

from typing import Annotated, Any

import typer

from app.cli.connection import AsJson
from app.cli.output import print_note, print_result, print_table
from app.client.errors import UserError

MAX_SHOWN = 10

commands = typer.Typer()


class CannotSync(UserError):
    """The settings are wrong, or the directory cannot be read; nothing was changed."""


@commands.command("sync")
def sync(
    *,
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="make people like the directory, or only show what that does")
    ] = False,
    large: Annotated[
        bool, typer.Option("--allow-large-removal", help="with --apply: more than a fifth may be switched off or leave")
    ] = False,
    _as_json: AsJson = False,
) -> None:
    """Read a directory once (CLEARANCE_LDAP__…), as its process does; shown, and changed only with --apply."""
    if large and not apply:
        raise CannotSync("--allow-large-removal belongs to --apply")
    # They load the database's driver, which takes a second: the other commands of people do without.
    from app.directories.ldap import DirectoryUnreadable  # noqa: PLC0415
    from app.directories.report import report  # noqa: PLC0415
    from app.directories.settings import DirectorySettings  # noqa: PLC0415
    from app.directories.sync import NobodyKeepsSource  # noqa: PLC0415
    from app.directories.wiring import build_sync  # noqa: PLC0415
    from app.settings import SettingMissing  # noqa: PLC0415

    try:
        syncing = build_sync(DirectorySettings())
        found = report(syncing.run(allow_large_removal=large) if apply else syncing.foresee())
    except (ValueError, SettingMissing, DirectoryUnreadable, NobodyKeepsSource) as error:
        raise CannotSync(str(error)) from error
    print_result(found, lambda: _print(found, applied=apply))


def _print(found: dict[str, Any], *, applied: bool) -> None:
    rows = [(name.replace("_", " "), _shown(value)) for name, value in found.items() if value and name != "left_out"]
    print_table(("what", "applied" if applied else "would be"), rows, report=True)
    for note in found["left_out"]:
        print_note(note)
    if not applied:
        print_note("Nothing is changed yet: --apply does it.")


def _shown(value: Any) -> Any:
    """A list as its length and its first names."""
    if not isinstance(value, list):
        return value
    more = f" and {len(value) - MAX_SHOWN:,} more" if len(value) > MAX_SHOWN else ""
    return f"{len(value):,}: {', '.join(value[:MAX_SHOWN])}{more}"
