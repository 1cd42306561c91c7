"""Delivers into a folder: each file appears whole, under a name that it alone can have, and is never replaced."""

import os
from pathlib import Path

from app.audit.delivery.batch import Batch, NamedFile
from app.audit.delivery.target import TargetUnavailable


class FolderTarget:
    """A folder that is there already; nothing makes it, so that a disk that is not mounted is noticed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, batch: Batch) -> None:
        """Write the files of a batch."""
        for file in batch.files:
            self.put(file)

    def put(self, file: NamedFile) -> None:
        """Write a file beside its place, then link it there. One that is there already must be the same."""
        path = self._folder / file.name
        work = self._folder / f".{file.name}.part"
        try:
            # Left by a process that died; only one of ours writes this name.
            work.unlink(missing_ok=True)
            self._write(work, file.content)
            try:
                os.link(work, path)
            except FileExistsError:
                if path.read_bytes() != file.content:
                    raise TargetUnavailable("a file in the folder is not what its name says") from None
            work.unlink()
            self._sync()
        except OSError as error:
            raise TargetUnavailable(f"folder: {error.strerror or type(error).__name__}") from error

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o444)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())

    def _sync(self) -> None:
        """The name too is on the disk before anybody counts on it."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
