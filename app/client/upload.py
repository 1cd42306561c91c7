"""Uploads a folder with the tags of its access rules, and waits until each file is indexed or has failed."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.client.access_file import Tags
from app.client.api import PAGE, ApiError, Client, File, path
from app.client.errors import UserError
from app.errors import InvalidInput
from app.paths import normal_path

ACCESS_FILE = "access.yaml"
FINAL_STATES = ("indexed", "unchanged", "failed")
MAX_REQUESTS = 4  # uploads sent at the same time
MAX_JOBS = 300  # unfinished at the same time; below PAGE, so one page of the newest jobs usually lists them all
MAX_LOOKUPS = 20  # of single jobs which that page does not list, for each poll
STALL_SECONDS = 300.0


class NestedRules(UserError):
    """An access file is in a subfolder, where it is not read."""


class UnreadableFolder(UserError):
    """Part of a folder cannot be read, so its files must not be taken for gone."""


class TwoFiles(UserError):
    """Two files have the same path in the collection."""


class Stalled(UserError):
    """No upload has ended for STALL_SECONDS."""


@dataclass(frozen=True)
class UploadItem:
    """A file, its path in folder and collection, and who may read it. An empty label means the collection's."""

    file: Path
    collection: str
    path: str
    tags: Tags


@dataclass(frozen=True)
class UploadOutcome:
    """The final state of a file: indexed, unchanged, or failed with a reason.

    `stages_us` has the worker's microseconds by stage, `hidden` counts of hidden content that is not indexed,
    `findings` counts of passages that speak to a model or hide a text, and `warnings` what the API said at upload, such
    as that nobody can read the document.
    """

    item: UploadItem
    state: str
    reason: str | None = None
    stages_us: dict[str, int] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FolderScan:
    """The files of a folder: with tags, without, and `refused` as (name, reason) if the name is no valid path.

    `left_out` has the paths of all that is not uploaded: untagged or hidden files and links.
    """

    items: tuple[UploadItem, ...]
    untagged: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()


def scan_folder(
    folder: Path, collection: str, tags_for: Callable[[str], Tags | None], *, access: Path | None = None
) -> FolderScan:
    """All files below `folder`, sorted by path. Hidden files and the access file are left out.

    Symbolic links are not followed, since they would publish files from elsewhere under this folder's rules. Raises
    NestedRules for an access.yaml in a subfolder, whose files would get rules that were not meant for them;
    UnreadableFolder; TwoFiles.
    """
    items: dict[str, UploadItem] = {}
    untagged, refused, left_out = [], [], []
    for file, is_plain in sorted(_walk(folder)):
        relative = file.relative_to(folder).as_posix()
        try:
            place = normal_path(relative)
        except InvalidInput as error:
            if is_plain:
                refused.append((printable(relative), error.detail))
            continue
        if not is_plain or relative == ACCESS_FILE or (access is not None and file.samefile(access)):
            left_out.append(place)
            continue
        if file.name == ACCESS_FILE:
            raise NestedRules(f"{relative}: only the {ACCESS_FILE} beside all files is read; move its rules there")
        if place in items:
            raise TwoFiles(
                f"two files would stand at {place!r}, for their names differ in what nobody sees: rename one"
            )
        tags = tags_for(place)
        if tags is None:
            untagged.append(place)
            left_out.append(place)
        else:
            items[place] = UploadItem(file, collection, place, tags)
    return FolderScan(tuple(items.values()), tuple(untagged), tuple(refused), tuple(left_out))


def printable(name: str) -> str:
    """A file's name with undecodable bytes and characters that act on a terminal escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)


def upload(
    client: Client, items: Sequence[UploadItem], *, on_end: Callable[[UploadOutcome], None]
) -> list[UploadOutcome]:
    """Upload all files and wait until each has ended; `on_end` is called in this thread for each that ends.

    A file that the API refuses has failed, with the API's reason. A refusal that concerns all files (wrong key, no
    such collection) is raised as ApiError, and nothing more is sent. Raises Stalled if no file ends for long.
    """
    return _Uploads(client, on_end).run(items)


class _Uploads:
    def __init__(self, client: Client, on_end: Callable[[UploadOutcome], None]) -> None:
        self._client, self._on_end = client, on_end
        self._jobs: dict[str, UploadItem] = {}  # unfinished, by job id
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._outcomes: list[UploadOutcome] = []
        self._polled_at, self._ended_at = 0.0, time.monotonic()

    def run(self, items: Sequence[UploadItem]) -> list[UploadOutcome]:
        waiting = iter(items)
        with ThreadPoolExecutor(MAX_REQUESTS) as threads:
            sending: dict[Future[Any], UploadItem] = {}
            try:
                while self._fill(threads, sending, waiting) or sending or self._jobs:
                    if sending:
                        done, _ = wait(sending, timeout=0.2, return_when=FIRST_COMPLETED)
                        for future in done:
                            self._collect(sending.pop(future), future)
                    else:
                        time.sleep(0.2)
                    self._poll()
            except BaseException:
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return self._outcomes

    def _fill(
        self, threads: ThreadPoolExecutor, sending: dict[Future[Any], UploadItem], waiting: Iterator[UploadItem]
    ) -> bool:
        """Send as many as the limits allow; returns whether any was sent."""
        sent = False
        while len(sending) < MAX_REQUESTS and len(self._jobs) < MAX_JOBS and (item := next(waiting, None)):
            sending[threads.submit(self._send, item)] = item
            sent = True
        return sent

    def _send(self, item: UploadItem) -> Any:
        tags = item.tags
        fields: dict[str, str | list[str]] = {
            "path": item.path, "roles": list(tags.roles), "deny": list(tags.deny),
        }  # fmt: skip
        if tags.inherits:
            fields["inherits"] = "true"
        if tags.label:
            fields["label"] = tags.label
        if tags.starts_at:
            fields["starts_at"] = tags.starts_at.isoformat()
        if tags.ends_at:
            fields["ends_at"] = tags.ends_at.isoformat()
        target = path("collections", item.collection, "documents")
        return self._client.upload(target, File(item.file.name, item.file.read_bytes()), fields)

    def _collect(self, item: UploadItem, future: Future[Any]) -> None:
        try:
            job = future.result()
            self._jobs[job["id"]], self._warnings[job["id"]] = item, tuple(job["warnings"])
        except OSError as error:
            self._end(UploadOutcome(item, "failed", f"cannot be read: {error.strerror}"))
        except ApiError as error:
            # Any other status would meet every file.
            if error.status not in {400, 413, 415, 422}:
                raise
            self._end(UploadOutcome(item, "failed", error.detail or error.title))

    def _poll(self) -> None:
        """Ask for the jobs' states, at most every half second (2 s if there are many), to spare the rate limit."""
        pause = 0.5 if len(self._jobs) < 100 else 2.0
        if not self._jobs or time.monotonic() - self._polled_at < pause:
            return
        self._polled_at = time.monotonic()
        listed = {job["id"]: job for job in self._client.get("/jobs", limit=PAGE)}
        missing = [job for job in self._jobs if job not in listed][:MAX_LOOKUPS]
        listed |= {job: self._client.get(path("jobs", job)) for job in missing}
        for job_id in [j for j in self._jobs if j in listed and listed[j]["state"] in FINAL_STATES]:
            job = listed[job_id]
            counts = (job["stages_us"] or {}, job["hidden"] or {}, job.get("findings") or {})
            warnings = self._warnings.pop(job_id)
            self._end(UploadOutcome(self._jobs.pop(job_id), job["state"], job["reason"], *counts, warnings))
        if self._jobs and time.monotonic() - self._ended_at > STALL_SECONDS:
            raise Stalled(
                f"no file has ended for {STALL_SECONDS / 60:.0f} minutes, {len(self._jobs)} wait: 'clearance doctor' "
                "looks at the worker. What was sent is kept; the same command goes on where this one ended"
            )

    def _end(self, outcome: UploadOutcome) -> None:
        self._ended_at = time.monotonic()
        self._outcomes.append(outcome)
        self._on_end(outcome)


def stage_shares(outcomes: Sequence[UploadOutcome]) -> dict[str, float]:
    """Each stage's share of the worker's time, in the order of the stages; empty if no times are known."""
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.stages_us)
    all_stages = sum(total.values())
    return {stage: spent / all_stages for stage, spent in total.items()} if all_stages else {}


def _walk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """All entries below a folder, and whether each is a plain file; hidden folders and links are not entered."""
    try:
        for entry in folder.iterdir():
            if entry.name.startswith(".") or entry.is_symlink():
                yield entry, False
            elif entry.is_dir():
                yield from _walk(entry)
            else:
                yield entry, entry.is_file()
    except OSError as error:
        raise UnreadableFolder(
            f"{printable(str(folder))} cannot be read ({error.strerror}); nothing was uploaded, moved or removed"
        ) from error
