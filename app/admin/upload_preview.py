"""An upload foreseen: whose reading it changes, and what is odd about it, before a byte of it is sent.

Found by making the scopes that the files would stand under, in a transaction that is rolled back: by the functions of
the upload itself, so that it does what the preview says.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.change_guard import guard_change
from app.acl.effects import PersonEffect, effects_of_placement
from app.acl.placement import ExpectedPlacement, expect_placements
from app.acl.readers import count_readers
from app.acl.rule_store import rules_of
from app.acl.rules import Rule
from app.acl.unread import unread
from app.admin.documents import UploadTags, curated_collection, own_rule
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection, Folder
from app.errors import InvalidInput
from app.file_kinds import objection
from app.guardrail.check import Check
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.identity.names import names_of
from app.identity.nesting import members_by_role
from app.identity.subject import Subject
from app.paths import folders_of, look_alike, normal_path
from app.retrieval.browse import folders_of_documents

MAX_FILES = 10_000
# Bytes of a line: a path of the longest input that is looked at, in UTF-8, and a size.
MAX_LINE = 20_000
LINE = re.compile(rb"(\d{1,15})  (.+)")
# What the other fields of an upload's form may take of the largest body.
FORM_BYTES = 16 * 1024

FileFate = Literal["new", "replaces", "unreadable", "refused"]


@dataclass(frozen=True)
class PlannedFile:
    """A file to be uploaded: its path in the collection, as its owner writes it, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class PlannedUpload:
    """Files that are to be uploaded to a collection with the same tags."""

    collection: str
    files: Sequence[PlannedFile]
    tags: UploadTags


@dataclass(frozen=True)
class ForeseenFile:
    """What would become of a file. `reason` says why it would be refused, or would not be read.

    `readers`: how many people would read it. `awaited`: another upload to its path is on its way already.
    """

    path: str
    fate: FileFate
    reason: str | None = None
    readers: int = 0
    awaited: bool = False


@dataclass(frozen=True)
class UploadPreview:
    """What an upload would do, each file in the order in which it was named.

    `people`: whose reading it changes, by name, with how many of the files that are read they gain, and how many of the
    documents that are replaced they lose. `roles`: how many of those who gain are in each role, the largest first.
    `unread`: sentences why nobody, or hardly anybody, could read some files, with these. `alike`: new folders with one
    that is there and looks like it.
    """

    files: list[ForeseenFile]
    people: list[tuple[str, PersonEffect]]
    roles: list[tuple[str, int]]
    unread: list[tuple[str, list[str]]]
    alike: list[tuple[str, str]]

    @property
    def gaining(self) -> list[str]:
        """Who comes to read something as soon as it is indexed."""
        return [name for name, effect in self.people if effect.gains.now]

    @property
    def losing(self) -> list[str]:
        """Who ceases to read something that is replaced."""
        return [name for name, effect in self.people if effect.loses.now]


def preview_upload(
    database: Database, subject: Subject, checks: Iterable[Check], planned: PlannedUpload, *, max_mb: int
) -> UploadPreview:
    """What an upload would do; nothing is written. For curators of the collection.

    `max_mb`: of the body of an upload, as the settings say. Raises what the upload would raise for all of them:
    NotFound, MissingCapability, Untagged, UnknownRole or InvalidInput; the last also for more than MAX_FILES files.
    """
    if len(planned.files) > MAX_FILES:
        raise InvalidInput(f"These are {len(planned.files)} files; at most {MAX_FILES} are looked at together.")
    with database.dry_run(subject.user_id) as trial:
        # First of all: everybody takes the epoch before a collection.
        guard_change(trial, subject)
        target = curated_collection(trial, subject, planned.collection)
        own = own_rule(trial, planned.tags)
        foreseen = _by_themselves(planned.files, max_mb)
        coming = [path for path, file in foreseen.items() if file.fate != "refused"]
        placements = expect_placements(trial, subject, target, coming, own)
        alike = _alike(trial, subject, target, coming, Redactor(Redaction(tuple(checks))))
        return _preview(trial, target, foreseen, placements, alike)


def parse_files(lines: Iterable[bytes]) -> list[PlannedFile]:
    """Read a list of files, a line for each: its size in bytes, two spaces, its path. Raises InvalidInput."""
    files = []
    for number, line in enumerate(lines, start=1):
        found = LINE.fullmatch(line.rstrip(b"\r\n")) if number <= MAX_FILES and len(line) <= MAX_LINE else None
        if found is None:
            raise InvalidInput(
                f"Line {number} of the list is none of at most {MAX_FILES}: write the file's size in bytes, two spaces "
                "and its path."
            )
        # A name that is not UTF-8 is refused like others that are no paths.
        files.append(PlannedFile(found[2].decode(errors="surrogateescape"), int(found[1])))
    return files


def _by_themselves(files: Sequence[PlannedFile], max_mb: int) -> dict[str, ForeseenFile]:
    """What each file's path and size alone say of it, by the normal form of its path."""
    found: dict[str, ForeseenFile] = {}
    for file in files:
        try:
            path = normal_path(file.path)
        except InvalidInput as error:
            shown = file.path.encode(errors="replace").decode()
            found[file.path] = ForeseenFile(shown, "refused", error.detail)
            continue
        if path in found:
            reason = "Two of the files would stand at this path: rename one."
            found[path] = ForeseenFile(path, "refused", reason)
        elif not file.size:
            found[path] = ForeseenFile(path, "refused", "The file has no bytes; there is nothing to index.")
        elif file.size > max_mb * 2**20 - FORM_BYTES:
            found[path] = ForeseenFile(path, "refused", f"The file has more than {max_mb} MB: split it.")
        else:
            unreadable = objection(path)
            found[path] = ForeseenFile(path, "unreadable" if unreadable else "new", unreadable)
    return found


def _preview(
    session: WriteSession,
    collection: Collection,
    foreseen: dict[str, ForeseenFile],
    placements: Sequence[ExpectedPlacement],
    alike: list[tuple[str, str]],
) -> UploadPreview:
    at = session.scalars(select(func.now())).one()
    rules = rules_of(session, {placement.after for placement in placements})
    readers = dict(zip(rules, count_readers(session, list(rules.values()), at), strict=True))
    read = [placement for placement in placements if foreseen[placement.path].fate == "new"]
    for placement in placements:
        file = foreseen[placement.path]
        if file.fate == "new":
            fate: FileFate = "replaces" if placement.replaces else "new"
            file = replace(file, fate=fate, readers=readers[placement.after])
        foreseen[placement.path] = replace(file, awaited=placement.awaited)
    effects = effects_of_placement(session, Counter((one.before, one.after) for one in read), at)
    names = names_of(session, effects)
    gaining = [person for person, effect in effects.items() if effect.gains.now]
    return UploadPreview(
        files=list(foreseen.values()),
        people=sorted(((names.get(p, str(p)), effect) for p, effect in effects.items()), key=lambda pair: pair[0]),
        roles=sorted(members_by_role(session, gaining).items(), key=lambda pair: (-pair[1], pair[0])),
        unread=_unread(session, collection, read, rules),
        alike=alike,
    )


def _unread(
    session: WriteSession, collection: Collection, read: Sequence[ExpectedPlacement], rules: Mapping[int, Rule]
) -> list[tuple[str, list[str]]]:
    """Why nobody could read some of the files, or nobody but curators, with these files."""
    found: dict[str, list[str]] = defaultdict(list)
    sentences = {rule_id: unread(session, rules[rule_id], collection.id) for rule_id in {one.after for one in read}}
    for placement in read:
        for sentence in sentences[placement.after]:
            found[sentence].append(placement.path)
    return list(found.items())


def _alike(
    session: Session, subject: Subject, collection: Collection, paths: Iterable[str], clean: Redactor
) -> list[tuple[str, str]]:
    """The folders that would be new, each with one beside it that is there and looks like it."""
    ruled = session.scalars(select(Folder.path).where(Folder.collection_id == collection.id))
    known = {above for path in ruled for above in (path, *folders_of(path))}
    known |= folders_of_documents(session, subject, collection.id)
    beside: dict[str, list[str]] = defaultdict(list)
    for folder in sorted(known):
        beside[folder.rpartition("/")[0]].append(folder)
    # Below a new folder there is none that it could be taken for.
    new = {next((folder for folder in folders_of(path) if folder not in known), "") for path in paths} - {""}
    return [
        (folder, clean(other))
        for folder in sorted(new)
        for other in beside[folder.rpartition("/")[0]]
        if look_alike(folder.rpartition("/")[2], other.rpartition("/")[2])
    ]
