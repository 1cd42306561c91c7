"""`clearance ingest`: a folder with its access rules onto a collection."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, track
from rich.text import Text

from app.cli.connection import split_list, with_client
from app.cli.console import err, out
from app.cli.output import print_note, print_result, print_success, print_table, wants_json
from app.client.access_file import EVERYONE, AccessFile, AccessFileError, Tags
from app.client.api import ApiError, Client, path
from app.client.errors import UserError
from app.client.sync import look, make_like, manifest, names
from app.client.upload import ACCESS_FILE, Folder, Item, Outcome, read_folder, stage_shares, upload

SHOWN = 20


class CannotIngest(UserError):
    """The folder, or what says who may read it, is not as it must be; nothing was uploaded."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(ingest)


@with_client
def ingest(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    folder: Annotated[Path, typer.Argument(help="all files below it, hidden ones and links aside")],
    *,
    collection: Annotated[str, typer.Option(help="where they go; made if you may and it is not there")],
    access: Annotated[Path | None, typer.Option(help=f"who may read what; unset: FOLDER/{ACCESS_FILE}")] = None,
    roles: Annotated[str | None, typer.Option(help="role tags for all files, in place of an access file: a,b")] = None,
    skip_untagged: Annotated[bool, typer.Option("--skip-untagged", help="leave out what no rule tags")] = False,
    sync: Annotated[
        bool, typer.Option("--sync", help="the folder is the whole collection: move and remove too")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --sync: do not ask")] = False,
    large: Annotated[
        bool, typer.Option("--allow-large-removal", help="with --sync: more than a fifth of the documents may go")
    ] = False,
) -> None:
    """Upload a folder and wait until each file is indexed, unchanged, or failed with a reason (curate).

    With --sync, documents whose files moved keep their id, and those whose files are gone are removed: shown first.
    """
    if (yes or large) and not sync:
        raise CannotIngest("--yes and --allow-large-removal belong to --sync")
    found = read(folder, collection, access=access, roles=split_list(roles), skip_untagged=skip_untagged)
    if not found.items and not sync:
        raise CannotIngest(f"there is no file to upload in {folder}")
    check_roles(client, found.items)
    make_collection(client, collection)
    seen = synchronize(client, collection, found, yes=yes, large=large) if sync else {"moved": [], "gone": []}
    outcomes, seconds = send(client, found.items)
    for name, reason in found.refused:
        print_note(f"failed  {name}: {reason}")
    gone = [] if sync else gone_files(client, collection, found)
    data = {"files": [_outcome(o) for o in outcomes], "moved": seen["moved"], "removed": seen["gone"], "gone": gone}
    print_result(data, lambda: summarize(outcomes, seconds, collection, gone))
    if found.refused or any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def read(folder: Path, collection: str, *, access: Path | None, roles: list[str], skip_untagged: bool) -> Folder:
    """What stands in the folder, with its tags; raises CannotIngest for what is untagged, unless that is left out."""
    if not folder.is_dir():
        raise CannotIngest(f"{folder} is no folder")
    rules = access or folder / ACCESS_FILE
    found = read_folder(folder, collection, tags(rules, roles, given=access), access=access)
    if found.untagged and not skip_untagged:
        raise CannotIngest(_untagged(found.untagged, rules))
    if found.untagged:
        print_note(f"{len(found.untagged)} untagged files are left out")
    return found


def send(client: Client, items: Sequence[Item]) -> tuple[list[Outcome], float]:
    """Upload all, with a bar; what became of each, and in how many seconds."""
    if not items:
        return [], 0.0
    begin = time.monotonic()
    with progress(len(items)) as ended:
        outcomes = upload(client, items, ended=ended)
    return outcomes, time.monotonic() - begin


def summarize(outcomes: Sequence[Outcome], seconds: float, collection: str, gone: Sequence[dict[str, Any]]) -> None:
    """What became of the files, and which documents have none any more."""
    if outcomes:
        report(outcomes, seconds)
    if gone:
        print_table(("no longer in the folder",), ((g["path"],) for g in gone[:SHOWN]))
        more(len(gone))
        print_note(f"{len(gone)} document(s) without a file here stay in {collection}; --sync removes them")


def synchronize(client: Client, collection: str, found: Folder, *, yes: bool, large: bool) -> dict[str, Any]:
    """Show what moved and what is gone, ask, and make the collection like the folder; gives what was seen."""
    hashing = track(found.items, "comparing", console=err, transient=True, disable=not err.is_terminal)
    listed = manifest(found, hashing)
    seen: dict[str, Any] = look(client, collection, listed)
    moved, gone = seen["moved"], seen["gone"]
    if not moved and not gone:
        return seen
    if not wants_json():
        show_changes(seen)
    if seen["large"] and not large:
        raise CannotIngest(
            f"{len(gone)} of {seen['documents']} documents would be removed, more than a fifth: nothing was changed. "
            "If the folder is the right one and whole, add --allow-large-removal"
        )
    if not yes:
        typer.confirm(f"Move {len(moved)} and remove {len(gone)} of {seen['documents']} documents?", abort=True)
    make_like(client, collection, listed, seen, allow_large_removal=large)
    print_note(f"{len(moved)} moved, {len(gone)} removed")
    return seen


def show_changes(seen: dict[str, Any]) -> None:
    """What a sync would move and remove, and who reads more or less by it."""
    moved, gone = seen["moved"], seen["gone"]
    if moved:
        print_table(("moved from", "to"), ((m["old_path"], m["path"]) for m in moved[:SHOWN]), report=True)
        more(len(moved))
    if people := seen["people"]:
        print_table(("reads", "more", "fewer"), ((p["user"], p["gains"], p["loses"]) for p in people), report=True)
    if gone:
        print_table(("gone, to be removed",), ((g["path"],) for g in gone[:SHOWN]), report=True)
        more(len(gone))


def gone_files(client: Client, collection: str, found: Folder) -> list[dict[str, Any]]:
    """Which documents have no file in the folder any more; they stay."""
    try:
        return list(look(client, collection, names(found))["gone"])
    except ApiError as error:
        # Somebody uploads to these very paths; there is nothing to say of them yet.
        if error.code != "Conflict":
            raise
        print_note(f"What is no longer in the folder cannot be said now: {error.detail}")
        return []


def more(number: int) -> None:
    """Say how many were not shown."""
    if number > SHOWN:
        print_note(f"and {number - SHOWN} more")


def tags(rules: Path, roles: list[str], *, given: Path | None) -> Callable[[str], Tags | None]:
    """Who says what the tags of a file are: --roles or the access file, never both."""
    if roles and given:
        raise CannotIngest("give either --access or --roles")
    if roles and rules.exists():
        raise CannotIngest(f"{rules} says who may read the files; remove --roles, or move that file away")
    if roles:
        everything = Tags(roles=tuple(roles), label="")
        return lambda _path: everything
    if not rules.exists():
        raise CannotIngest(
            f"nothing says who may read the files: write {rules} (a list of rules with path and roles), or give "
            "--roles. Untagged files are refused, never open to everybody"
        )
    try:
        return AccessFile.read(rules).tags_for
    except AccessFileError as error:
        raise CannotIngest(str(error)) from error


def check_roles(client: Client, items: Sequence[Item]) -> None:
    """Raise CannotIngest for a tag that names no role, before anything is sent."""
    named = {role for item in items for role in (*item.tags.roles, *item.tags.deny)}
    if unknown := sorted(named - {role["name"] for role in client.pages("/roles")} - {EVERYONE}):
        raise CannotIngest(
            f"no role is named {', '.join(map(repr, unknown))}, so nothing was uploaded: 'clearance roles list' shows "
            "the roles"
        )


def make_collection(client: Client, name: str) -> None:
    """Make the collection if it is not there and the caller may; a caller who may not is told who can."""
    try:
        client.get(path("collections", name))
    except ApiError as error:
        if error.code != "NotFound":
            raise
        try:
            client.post("/collections", {"name": name})
        except ApiError as refused:
            if refused.code != "MissingCapability":
                raise
            raise CannotIngest(
                f"there is no collection {name!r} that you may see; an administrator makes it with "
                f"'clearance collections make {name} --curator YOU'"
            ) from refused
        print_success(f"the collection {name} is there")
        raise CannotIngest(
            "it needs a curator who uploads, and nobody can make himself one: "
            f"'clearance collections curate {name} PERSON', then the same command as that person"
        ) from error


@contextmanager
def progress(total: int) -> Iterator[Callable[[Outcome], None]]:
    """A bar on a terminal; elsewhere a line now and then. Gives what is to be called for each file that ends."""
    if not err.is_terminal:
        yield _Lines(err, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("indexing", total=total)

        def ended(outcome: Outcome) -> None:
            bar.advance(task)
            if outcome.state == "failed":
                bar.console.print(Text(f"failed  {outcome.item.path}: {outcome.reason}", "red"))

        yield ended


class _Lines:
    """Progress for a log: one line for each tenth of the work."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._count = console, total, 0

    def __call__(self, _outcome: Outcome) -> None:
        before, self._count = self._count * 10 // self._total, self._count + 1
        if self._count * 10 // self._total > before:
            self._console.print(f"{self._count} of {self._total} files", soft_wrap=True)


def report(outcomes: Sequence[Outcome], seconds: float) -> None:
    """How it went: each failure with its reason, then the numbers."""
    failed = sorted((o for o in outcomes if o.state == "failed"), key=lambda o: o.item.path)
    if failed:
        print_table(("failed", "reason"), ((o.item.path, o.reason) for o in failed[:SHOWN]), report=True)
        if len(failed) > SHOWN:
            print_note(f"and {len(failed) - SHOWN} more: clearance jobs list --state failed")
    counts = Counter(outcome.state for outcome in outcomes)
    rows: list[tuple[str, str]] = [(state, str(counts[state])) for state in ("indexed", "unchanged", "failed")]
    rows += [("time", f"{seconds:.1f} s"), ("documents a second", f"{len(outcomes) / seconds:.1f}")]
    if shares := stage_shares(outcomes):
        rows.append(("worker's time", ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items())))
    out.print()
    print_table(("", ""), rows)
    show_hidden(outcomes)
    for warning, count in Counter(warning for outcome in outcomes for warning in outcome.warnings).items():
        print_note(f"{count} file(s): {warning}")


def show_hidden(outcomes: Sequence[Outcome]) -> None:
    """What files hide and is not indexed, so that nobody looks for it in vain: once for each file, largest first."""
    hiding = sorted((o for o in outcomes if o.hidden), key=lambda o: (-sum(o.hidden.values()), o.item.path))
    if hiding:
        out.print()
        listed = (", ".join(f"{kind.replace('_', ' ')} {n}" for kind, n in o.hidden.items()) for o in hiding[:SHOWN])
        rows = zip((o.item.path for o in hiding), listed, strict=False)
        print_table(("not indexed, since hidden", ""), rows, report=True)
    if len(hiding) > SHOWN:
        print_note(f"and hidden content in {len(hiding) - SHOWN} more files: clearance jobs list")


def _outcome(outcome: Outcome) -> dict[str, str | None]:
    return {"path": outcome.item.path, "state": outcome.state, "reason": outcome.reason}


def _untagged(paths: Sequence[str], rules: Path) -> str:
    listed = "".join(f"\n    {name}" for name in paths[:SHOWN])
    more = f"\n    and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return (
        f"no rule of {rules} tags {len(paths)} of the files, so nothing was uploaded:{listed}{more}\n"
        "  Write a rule that matches them, or leave them out with --skip-untagged."
    )
