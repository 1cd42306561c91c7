"""`clearance ingest`: uploads a folder with its access rules into a collection."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track

from app.cli.connection import split_list, with_client
from app.cli.console import err, out
from app.cli.output import print_note, print_result, print_success, print_table, wants_json
from app.cli.progress import upload_progress
from app.client.access_file import EVERYONE, AccessFile, AccessFileError, Tags
from app.client.api import ApiError, Client, path
from app.client.errors import UserError
from app.client.sync import apply_changes, compare, hash_manifest, path_manifest
from app.client.upload import ACCESS_FILE, FolderScan, UploadItem, UploadOutcome, scan_folder, stage_shares, upload

MAX_ROWS = 20


class CannotIngest(UserError):
    """The folder, its access rules or the options are wrong; nothing was uploaded."""


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
    scan = scan_tagged(folder, collection, access=access, roles=split_list(roles), skip_untagged=skip_untagged)
    if not scan.items and not sync:
        raise CannotIngest(f"there is no file to upload in {folder}")
    check_roles(client, scan.items)
    ensure_collection(client, collection)
    changes = synchronize(client, collection, scan, yes=yes, large=large) if sync else {"moved": [], "gone": []}
    outcomes, seconds = upload_all(client, scan.items)
    for name, reason in scan.refused:
        print_note(f"failed  {name}: {reason}")
    gone = [] if sync else list_gone(client, collection, scan)
    files = [{"path": o.item.path, "state": o.state, "reason": o.reason} for o in outcomes]
    data = {"files": files, "moved": changes["moved"], "removed": changes["gone"], "gone": gone}
    print_result(data, lambda: print_summary(outcomes, seconds, collection, gone))
    if scan.refused or any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def scan_tagged(
    folder: Path, collection: str, *, access: Path | None, roles: list[str], skip_untagged: bool
) -> FolderScan:
    """The folder's files with their tags; raises CannotIngest for untagged files unless they are to be skipped."""
    if not folder.is_dir():
        raise CannotIngest(f"{folder} is no folder")
    rules = access or folder / ACCESS_FILE
    scan = scan_folder(folder, collection, tagger(rules, roles, access=access), access=access)
    if scan.untagged and not skip_untagged:
        raise CannotIngest(_untagged(scan.untagged, rules))
    if scan.untagged:
        print_note(f"{len(scan.untagged)} untagged files are left out")
    return scan


def upload_all(client: Client, items: Sequence[UploadItem]) -> tuple[list[UploadOutcome], float]:
    """Upload all files, with a progress bar; returns their outcomes and the seconds it took."""
    if not items:
        return [], 0.0
    begin = time.monotonic()
    with upload_progress(len(items)) as on_end:
        outcomes = upload(client, items, on_end=on_end)
    return outcomes, time.monotonic() - begin


def print_summary(
    outcomes: Sequence[UploadOutcome], seconds: float, collection: str, gone: Sequence[dict[str, Any]]
) -> None:
    """Print what became of the files, and the documents that have no file any more."""
    if outcomes:
        print_outcomes(outcomes, seconds)
    if gone:
        print_table(("no longer in the folder",), ((g["path"],) for g in gone[:MAX_ROWS]))
        print_more(len(gone))
        what = "1 document stays" if len(gone) == 1 else f"{len(gone)} documents stay"
        print_note(f"{what} in {collection} without a file here; --sync removes what stays so")


def synchronize(client: Client, collection: str, scan: FolderScan, *, yes: bool, large: bool) -> dict[str, Any]:
    """Print which files moved or are gone, ask, and move and remove their documents; returns the changes."""
    hashing = track(scan.items, "comparing", console=err, transient=True, disable=not err.is_terminal)
    manifest = hash_manifest(scan, hashing)
    changes: dict[str, Any] = compare(client, collection, manifest)
    moved, gone = changes["moved"], changes["gone"]
    if not moved and not gone:
        return changes
    if not wants_json():
        print_changes(changes)
    if changes["large"] and not large:
        raise CannotIngest(
            f"{len(gone)} of {changes['documents']} documents would be removed, more than a fifth: nothing was "
            "changed. If the folder is the right one and whole, add --allow-large-removal"
        )
    if not yes:
        typer.confirm(f"Move {len(moved)} and remove {len(gone)} of {changes['documents']} documents?", abort=True)
    apply_changes(client, collection, manifest, changes, allow_large_removal=large)
    print_note(f"{len(moved)} moved, {len(gone)} removed")
    return changes


def print_changes(changes: dict[str, Any]) -> None:
    """Print what a sync would move and remove, and who could then read more or fewer documents."""
    moved, gone = changes["moved"], changes["gone"]
    if moved:
        print_table(("moved from", "to"), ((m["old_path"], m["path"]) for m in moved[:MAX_ROWS]), report=True)
        print_more(len(moved))
    if people := changes["people"]:
        print_table(("reads", "more", "fewer"), ((p["user"], p["gains"], p["loses"]) for p in people), report=True)
    if gone:
        print_table(("gone, to be removed",), ((g["path"],) for g in gone[:MAX_ROWS]), report=True)
        print_more(len(gone))


def list_gone(client: Client, collection: str, scan: FolderScan) -> list[dict[str, Any]]:
    """Documents of the collection that have no file in the folder."""
    try:
        return list(compare(client, collection, path_manifest(scan))["gone"])
    except ApiError as error:
        # Somebody is uploading to these paths.
        if error.code != "Conflict":
            raise
        print_note(f"What is no longer in the folder cannot be said now: {error.detail}")
        return []


def print_more(number: int) -> None:
    if number > MAX_ROWS:
        print_note(f"and {number - MAX_ROWS} more")


def tagger(rules: Path, roles: list[str], *, access: Path | None) -> Callable[[str], Tags | None]:
    """A function from a file's path to its tags, by --roles or by the access file; both at once are refused."""
    if roles and access:
        raise CannotIngest("give either --access or --roles")
    if roles and rules.exists():
        raise CannotIngest(f"{rules} says who may read the files; remove --roles, or move that file away")
    if roles:
        tags = Tags(roles=tuple(roles), label="")
        return lambda _path: tags
    if not rules.exists():
        raise CannotIngest(
            f"nothing says who may read the files: write {rules} (a list of rules with path and roles), or give "
            "--roles. Untagged files are refused, never open to everybody"
        )
    try:
        return AccessFile.read(rules).tags_for
    except AccessFileError as error:
        raise CannotIngest(str(error)) from error


def check_roles(client: Client, items: Sequence[UploadItem]) -> None:
    """Raise CannotIngest if a tag names a role that does not exist."""
    named = {role for item in items for role in (*item.tags.roles, *item.tags.deny)}
    if unknown := sorted(named - {role["name"] for role in client.pages("/roles")} - {EVERYONE}):
        raise CannotIngest(
            f"no role is named {', '.join(map(repr, unknown))}, so nothing was uploaded: 'clearance roles list' shows "
            "the roles"
        )


def ensure_collection(client: Client, name: str) -> None:
    """Return if the collection exists; else create it, if the caller may, and raise CannotIngest with what is next."""
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


def print_outcomes(outcomes: Sequence[UploadOutcome], seconds: float) -> None:
    """Print the failures with their reasons, then counts and times."""
    failed = sorted((o for o in outcomes if o.state == "failed"), key=lambda o: o.item.path)
    if failed:
        print_table(("failed", "reason"), ((o.item.path, o.reason) for o in failed[:MAX_ROWS]), report=True)
        if len(failed) > MAX_ROWS:
            print_note(f"and {len(failed) - MAX_ROWS} more: clearance jobs list --state failed")
    counts = Counter(outcome.state for outcome in outcomes)
    rows: list[tuple[str, str]] = [(state, str(counts[state])) for state in ("indexed", "unchanged", "failed")]
    rows += [("time", f"{seconds:.1f} s"), ("documents a second", f"{len(outcomes) / seconds:.1f}")]
    if shares := stage_shares(outcomes):
        rows.append(("worker's time", ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items())))
    out.print()
    print_table(("", ""), rows)
    print_hidden(outcomes)
    print_findings(outcomes)
    for warning, count in Counter(warning for outcome in outcomes for warning in outcome.warnings).items():
        print_note(f"{count} file(s): {warning}")


def print_hidden(outcomes: Sequence[UploadOutcome]) -> None:
    """Print how much hidden content of each file is not indexed, so that nobody searches for it; largest first."""
    hiding = sorted((o for o in outcomes if o.hidden), key=lambda o: (-sum(o.hidden.values()), o.item.path))
    if hiding:
        out.print()
        listed = (", ".join(f"{kind.replace('_', ' ')} {n}" for kind, n in o.hidden.items()) for o in hiding[:MAX_ROWS])
        rows = zip((o.item.path for o in hiding), listed, strict=False)
        print_table(("not indexed, since hidden", ""), rows, report=True)
    if len(hiding) > MAX_ROWS:
        print_note(f"and hidden content in {len(hiding) - MAX_ROWS} more files: clearance jobs list")


def print_findings(outcomes: Sequence[UploadOutcome]) -> None:
    """Print which files speak to the model that answers, or hide text in characters; most passages first."""
    found = sorted((o for o in outcomes if o.findings), key=lambda o: (-sum(o.findings.values()), o.item.path))
    if found:
        out.print()
        listed = (", ".join(f"{kind} {n}" for kind, n in o.findings.items()) for o in found[:MAX_ROWS])
        rows = zip((o.item.path for o in found), listed, strict=False)
        print_table(("kept from the model", "passages"), rows, report=True)
    if len(found) > MAX_ROWS:
        print_note(f"and in {len(found) - MAX_ROWS} more files: clearance jobs list")


def _untagged(paths: Sequence[str], rules: Path) -> str:
    names = "".join(f"\n    {name}" for name in paths[:MAX_ROWS])
    more = f"\n    and {len(paths) - MAX_ROWS} more" if len(paths) > MAX_ROWS else ""
    return (
        f"no rule of {rules} tags {len(paths)} of the files, so nothing was uploaded:{names}{more}\n"
        "  Write a rule that matches them, or leave them out with --skip-untagged."
    )
