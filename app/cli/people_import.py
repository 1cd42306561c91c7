"""`clearance people import` and `people directories`: people from lists, and how fresh those of directories are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.output import format_time, print_note, print_result, print_success, print_table, print_text, wants_json
from app.client.api import Client, File
from app.client.errors import UserError

MAX_ROWS = 40  # shown one by one; --json has all
MAX_NAMES = 4
LABELS = {"display_name": "full name", "external_id": "external id", "capabilities": "may"}

commands = typer.Typer()


class CannotImport(UserError):
    """The file or the options are wrong; nothing was changed."""


@commands.command("import")
@with_client
def import_people(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8, columns: name, display_name, source, external_id, …")],
    *,
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="make people like the list, or only show what that does")
    ] = False,
    complete: Annotated[
        str | None, typer.Option(help="a source of which the list has everybody: others are switched off")
    ] = None,
    fingerprint: Annotated[str | None, typer.Option(help="with --apply: of what was looked at; does not ask")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="with --apply: do not ask")] = False,
    large: Annotated[
        bool, typer.Option("--allow-large-removal", help="with --complete: more than a fifth may be switched off")
    ] = False,
) -> None:
    """Make and change people from a list (administer). Shown first; nothing is changed without --apply."""
    if (yes or fingerprint) and not apply:
        raise CannotImport("--yes and --fingerprint belong to --apply")
    if large and complete is None:
        raise CannotImport("--allow-large-removal belongs to --complete")
    list_of_people = _read(file)
    form: dict[str, str | list[str]] = {} if complete is None else {"complete": complete}
    if fingerprint is None:
        plan = client.upload("/users/import", list_of_people, form)
        if not apply:
            print_result(plan, lambda: print_import(plan, file))
            return
        if not wants_json():
            print_import(plan, None)
        _refuse_large(plan, large=large)
        if not plan["people"]:
            print_success("nothing to change", plan)
            return
        if not yes:
            typer.confirm(f"Make and change {len(plan['people'])} people like this?", abort=True, err=True)
        fingerprint = str(plan["fingerprint"])
    order = {**form, "fingerprint": fingerprint, "allow_large_removal": "true" if large else "false"}
    done = client.upload("/users/import", list_of_people, order)
    print_success(f"{len(done['people'])} people are as the list has them", done)


@commands.command("directories")
@with_client
def list_directories(client: Client) -> None:
    """The directories that people come from, and until when their roles count (administer)."""
    found = list(client.pages("/directories"))
    headings = ("source", "kind", "people", "groups", "last read (UTC)", "roles count until (UTC)", "last error")
    rows = (
        (
            d["source"], d["kind"], d["people"], d["groups"], format_time(d["synced_at"]),
            f"{format_time(d['fresh_until']) or 'never read'}{' – over' if d['stale'] else ''}", d["last_error"],
        )
        for d in found
    )  # fmt: skip
    print_result(found, lambda: print_table(headings, rows, empty="No directory has been read."))


def print_import(plan: dict[str, Any], file: Path | None) -> None:
    """Print what a list does: sums first, then the first people; with its file how to apply it."""
    for line in _summary(plan):
        print_text(line)
    people = plan["people"]
    if people:
        print_text()
        headings = ("line", "who", "what", "changes", "joins", "leaves", "reads more", "fewer")
        print_table(headings, (_row(person) for person in people[:MAX_ROWS]), report=True)
    if len(people) > MAX_ROWS:
        print_note(f"and {len(people) - MAX_ROWS:,} more; --json has all")
    if plan["large"]:
        print_note("More than a fifth of the source is missing from the list: --apply needs --allow-large-removal.")
    if file is not None and people:
        print_note(f"Nothing is changed yet. To make it so: --apply --fingerprint {plan['fingerprint']}")


def _summary(plan: dict[str, Any]) -> Iterator[str]:
    people = plan["people"]
    counts = [
        (sum(person["what"] == what for person in people), word)
        for what, word in (("made", "made"), ("changed", "changed"), ("on", "switched on"), ("off", "switched off"))
    ]
    counts.append((plan["unchanged"], "unchanged"))
    said = ", ".join(f"{number:,} {word}" for number, word in counts if number)
    yield f"{plan['listed']:,} in the list: {said or 'nobody changes'}"
    if plan["missing"]:
        yield f"{plan['missing']:,} switched off because they are missing from it"
    joins, leaves = (sum(len(person[which]) for person in people) for which in ("joins", "leaves"))
    if joins or leaves:
        yield f"roles: {joins:,} joined, {leaves:,} left"
    more = sum(bool(person["gains"] or person["gains_later"]) for person in people)
    fewer = sum(bool(person["loses"] or person["loses_later"]) for person in people)
    yield f"{more:,} would read more documents, {fewer:,} fewer"


def _row(person: dict[str, Any]) -> Sequence[Any]:
    made = person["what"] == "made"
    changes = [
        f"{LABELS.get(name, name)} {_value(after) if made else f'{_value(before)} → {_value(after)}'}"
        for name, (before, after) in person["changes"].items()
        if name != "active" and not (made and name == "name")
    ]
    return (
        person["line"], person["user"], person["what"], "; ".join(changes), _names(person["joins"]),
        _names(person["leaves"]), person["gains"] or "", person["loses"] or "",
    )  # fmt: skip


def _value(value: Any) -> str:
    return ", ".join(value) or "nothing" if isinstance(value, list) else "–" if value is None else str(value)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def _read(file: Path) -> File:
    try:
        return File("people.csv", file.read_bytes())
    except OSError as error:
        raise CannotImport(f"cannot read {file}: {error.strerror}") from error


def _refuse_large(plan: dict[str, Any], *, large: bool) -> None:
    if plan["large"] and not large:
        raise CannotImport(
            f"{plan['missing']} people would be switched off, more than a fifth of the source: nothing was changed. If "
            "the list is the right one and whole, add --allow-large-removal"
        )
