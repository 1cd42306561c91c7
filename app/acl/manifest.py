"""What stands in a folder, as its owner lists it, held against what stands in a collection; pure.

A manifest is text, a line for each file, as `sha256sum` writes it: the SHA-256 in hex, two spaces, the path. With `-`
for the hash, something stands there whose content is not compared: the document at that path, and all below it, is left
as it is.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.errors import InvalidInput
from app.paths import folders_of, normal_path

MAX_LINES = 100_000
# Hash, two spaces, and a path of the longest input that is looked at, in UTF-8.
MAX_LINE = 20_000
LINE = re.compile(rb"(-|[0-9a-f]{64}) [ *](.+)")

# SHA-256 by path in normal form; None where the content is not compared.
Manifest = Mapping[str, bytes | None]


@dataclass(frozen=True)
class StoredDocument:
    """A document of the collection. `sha256` is None if its content is not the caller's to compare."""

    id: int
    public_id: uuid.UUID
    version_id: uuid.UUID
    path: str
    scope_id: int
    sha256: bytes | None


@dataclass(frozen=True)
class Comparison:
    """How the collection differs from the folder: paths of files, and documents.

    `moved`: a document whose path is gone and whose content stands at a new one, with that path.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    moved: tuple[tuple[StoredDocument, str], ...]
    gone: tuple[StoredDocument, ...]


def parse_manifest(lines: Iterable[bytes]) -> Manifest:
    """Read a manifest; raises InvalidInput with the number of the line that is none."""
    manifest: dict[str, bytes | None] = {}
    for number, line in enumerate(lines, start=1):
        short = number <= MAX_LINES and len(line) <= MAX_LINE
        found = LINE.fullmatch(line.removesuffix(b"\n").removesuffix(b"\r")) if short else None
        if found is None:
            raise InvalidInput(
                f"Line {number} of the manifest is none of at most {MAX_LINES}: write the SHA-256 in hex (or '-'), two "
                "spaces and the path, as sha256sum does."
            )
        try:
            path = normal_path(found[2].decode())
        except (InvalidInput, UnicodeDecodeError) as error:
            raise InvalidInput(f"Line {number} of the manifest: {error}") from error
        if path in manifest:
            raise InvalidInput(f"Line {number} of the manifest: '{path}' stands in it before; name each file once.")
        manifest[path] = None if found[1] == b"-" else bytes.fromhex(found[1].decode())
    return manifest


def compare(manifest: Manifest, documents: Sequence[StoredDocument]) -> Comparison:
    """Hold a folder against a collection.

    A document counts as moved only if that is plain: its content is the caller's to compare, one new file has it, and
    the ending is the same, by which a file's kind is known. Where several have the same content, those of one name.
    """
    known = {document.path: document for document in documents}
    unsure = {path for path, sha256 in manifest.items() if sha256 is None}
    unlisted = {path for path in known if path not in manifest}
    kept = known.keys() & unsure | {path for path in unlisted if not unsure.isdisjoint(folders_of(path))}
    missing = [known[path] for path in sorted(unlisted - kept)]
    new = {path: sha256 for path, sha256 in manifest.items() if sha256 is not None and path not in known}
    same = {p for p, sha256 in manifest.items() if sha256 is not None and p in known and known[p].sha256 == sha256}
    moved = _moved(missing, new)
    return Comparison(
        new=tuple(sorted(new.keys() - set(moved.values()))),
        changed=tuple(sorted(p for p in manifest if p in known and p not in same and p not in kept)),
        unchanged=tuple(sorted(same)),
        kept=tuple(sorted(kept)),
        moved=tuple((d, moved[d.path]) for d in missing if d.path in moved),
        gone=tuple(d for d in missing if d.path not in moved),
    )


def _moved(missing: Sequence[StoredDocument], new: Manifest) -> dict[str, str]:
    """The new path of each document that plainly moved, by its old one."""
    olds: dict[bytes, list[str]] = defaultdict(list)
    news: dict[bytes, list[str]] = defaultdict(list)
    for document in missing:
        if document.sha256 is not None:
            olds[document.sha256].append(document.path)
    for path, sha256 in new.items():
        if sha256 is not None and sha256 in olds:
            news[sha256].append(path)
    moved: dict[str, str] = {}
    for sha256, paths in news.items():
        plain = len(paths) == len(olds[sha256]) == 1
        pairs = [(olds[sha256][0], paths[0])] if plain else _by_name(olds[sha256], paths)
        moved |= {old: to for old, to in pairs if ending(old) == ending(to)}
    return moved


def _by_name(olds: Sequence[str], news: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of one file name, where it stands once on either side."""
    sides: list[dict[str, list[str]]] = [{}, {}]
    for side, paths in zip(sides, (olds, news), strict=True):
        for path in paths:
            side.setdefault(PurePosixPath(path).name, []).append(path)
    before, after = sides
    return [(p[0], after[n][0]) for n, p in before.items() if len(p) == 1 and len(after.get(n, ())) == 1]


def ending(path: str) -> str:
    """The ending of a file's name in lower case, by which its kind is known."""
    return PurePosixPath(path).suffix.lower()
