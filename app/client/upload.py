"""Uploads a folder with the tags of its access rules, and follows each file to its end."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.client.access_file import Tags
from app.client.api import ApiError, Client, File, path
from app.client.errors import UserError
from app.errors import InvalidInput
from app.paths import normal_path

ACCESS_FILE = "access.yaml"
ENDED = ("indexed", "unchanged", "failed")
AT_ONCE = 4
# So few are on their way that one page of the newest jobs (500) shows them all.
MAX_UNDERWAY = 300
PAGE = 500
LOOK_UP = 20
STALL_SECONDS = 300.0


class NestedRules(UserError):
    """An access file lies where it is not read."""


class UnreadableFolder(UserError):
    """Part of a folder cannot be looked at: what stands in it must not be taken for gone."""


class TwoFiles(UserError):
    """Two files have one place in a collection."""


class Stalled(UserError):
    """No upload has ended for a long time."""


@dataclass(frozen=True)
class Item:
    """A file, its place, and who may read it; `path` is relative to the folder and to the collection alike.

    An empty label in the tags stands for that of the collection.
    """

    file: Path
    collection: str
    path: str
    tags: Tags


@dataclass(frozen=True)
class Outcome:
    """How a file ended: indexed, unchanged, or failed with a reason. `stages_us` has microseconds by stage, `hidden`
    counts what the file hides and is not indexed.
    """

    item: Item
    state: str
    reason: str | None = None
    stages_us: dict[str, int] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)
    # What the API said as the file was sent: whether nobody will be able to read it.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folder:
    """What stands in a folder: files with their tags, files that no rule tags, and names that are no path, with why.

    `left_out` are the paths of what is there and is not uploaded: untagged, hidden, a link.
    """

    items: tuple[Item, ...]
    untagged: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()


def read_folder(
    folder: Path, collection: str, tags_for: Callable[[str], Tags | None], *, access: Path | None = None
) -> Folder:
    """All files below `folder` in the order of their paths, for `collection`. Hidden ones and `access` are left out.

    Symbolic links are not followed: they would show files from elsewhere under this folder's rules. Raises NestedRules
    for an access.yaml further down: to pass over it would show its files under rules that were not meant for them.
    UnreadableFolder and TwoFiles before anything was sent.
    """
    items: dict[str, Item] = {}
    untagged, refused, left_out = [], [], []
    for file, plain in sorted(_walk(folder)):
        relative = file.relative_to(folder).as_posix()
        try:
            place = normal_path(relative)
        except InvalidInput as error:
            if plain:
                refused.append((shown(relative), error.detail))
            continue
        if not plain or relative == ACCESS_FILE or (access is not None and file.samefile(access)):
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
            items[place] = Item(file, collection, place, tags)
    return Folder(tuple(items.values()), tuple(untagged), tuple(refused), tuple(left_out))


def shown(name: str) -> str:
    """A file's name as a terminal may have it: what is no text, or steers the terminal, is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)


def upload(client: Client, items: Sequence[Item], *, ended: Callable[[Outcome], None]) -> list[Outcome]:
    """Upload all and wait until each has ended; `ended` is called for each as it ends, by the calling thread.

    A file that the API refuses ends as failed with its reason. A refusal that meets every file (a wrong key, no such
    collection) is raised as ApiError, and nothing more is sent.
    """
    return _Uploads(client, ended).run(items)


class _Uploads:
    """The state of one upload: what waits, what is on its way, what has ended."""

    def __init__(self, client: Client, ended: Callable[[Outcome], None]) -> None:
        self._client, self._ended = client, ended
        self._jobs: dict[str, Item] = {}  # by job id, what has not ended
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._outcomes: list[Outcome] = []
        self._looked, self._moved = 0.0, time.monotonic()

    def run(self, items: Sequence[Item]) -> list[Outcome]:
        waiting = iter(items)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            sending: dict[Future[Any], Item] = {}
            try:
                while self._fill(threads, sending, waiting) or sending or self._jobs:
                    if sending:
                        done, _ = wait(sending, timeout=0.2, return_when=FIRST_COMPLETED)
                        for future in done:
                            self._sent(sending.pop(future), future)
                    else:
                        time.sleep(0.2)
                    self._look()
            except BaseException:
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return self._outcomes

    def _fill(self, threads: ThreadPoolExecutor, sending: dict[Future[Any], Item], waiting: Iterator[Item]) -> bool:
        """Send more if there is room; whether anything was sent."""
        sent = False
        while len(sending) < AT_ONCE and len(self._jobs) < MAX_UNDERWAY and (item := next(waiting, None)):
            sending[threads.submit(self._send, item)] = item
            sent = True
        return sent

    def _send(self, item: Item) -> Any:
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

    def _sent(self, item: Item, future: Future[Any]) -> None:
        try:
            job = future.result()
            self._jobs[job["id"]], self._warnings[job["id"]] = item, tuple(job["warnings"])
        except OSError as error:
            self._end(Outcome(item, "failed", f"cannot be read: {error.strerror}"))
        except ApiError as error:
            # What is wrong with one file is noted; what is wrong with all of them ends the upload.
            if error.status not in {400, 413, 415, 422}:
                raise
            self._end(Outcome(item, "failed", error.detail or error.title))

    def _look(self) -> None:
        """Ask how the jobs fare, now and then: the rate limit is for uploads and these questions together."""
        pause = 0.5 if len(self._jobs) < 100 else 2.0
        if not self._jobs or time.monotonic() - self._looked < pause:
            return
        self._looked = time.monotonic()
        listed = {job["id"]: job for job in self._client.get("/jobs", limit=PAGE)}
        hidden = [job for job in self._jobs if job not in listed][:LOOK_UP]
        listed |= {job: self._client.get(path("jobs", job)) for job in hidden}
        for job_id in [j for j in self._jobs if j in listed and listed[j]["state"] in ENDED]:
            job = listed[job_id]
            counts = (job["stages_us"] or {}, job["hidden"] or {})
            warnings = self._warnings.pop(job_id)
            self._end(Outcome(self._jobs.pop(job_id), job["state"], job["reason"], *counts, warnings))
        if self._jobs and time.monotonic() - self._moved > STALL_SECONDS:
            raise Stalled(
                f"no file has ended for {STALL_SECONDS / 60:.0f} minutes, {len(self._jobs)} wait: 'clearance doctor' "
                "looks at the worker. What was sent is kept; the same command goes on where this one ended"
            )

    def _end(self, outcome: Outcome) -> None:
        self._moved = time.monotonic()
        self._outcomes.append(outcome)
        self._ended(outcome)


def stage_shares(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Which share of the worker's time went to which stage, in the order of the stages; empty if none is known."""
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.stages_us)
    whole = sum(total.values())
    return {stage: spent / whole for stage, spent in total.items()} if whole else {}


def _walk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """All that stands below a folder, and whether it is a plain file; links and what is hidden are not looked into."""
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
            f"{shown(str(folder))} cannot be read ({error.strerror}); nothing was uploaded, moved or removed"
        ) from error
