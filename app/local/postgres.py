"""Runs PostgreSQL on this machine as long as this process lives, with passwords and on loopback only."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from app.client.errors import UserError
from app.local.binaries import Binaries, find_binaries, make_reachable
from app.local.launcher import Account, chown_tree, launch_command
from app.local.orphans import stop_orphans

SUPERUSER = "postgres"
POSTGRES_UID = 61100  # used by root: an id from a range that neither Debian nor systemd assigns
NOBODY = 65534  # ran the server in earlier versions; other programs may run as it
START_SECONDS = 60.0  # crash recovery after a power cut may take a while
MAX_LOG_BYTES = 10_000_000
# Settings that a caller may not change, since the server holds other people's documents.
FIXED_SETTINGS = {"listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "data_directory"}
DEFAULTS = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Statements and error details may contain passwords and document text, which do not belong in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # nothing of ours: no PGPASSWORD, no secrets
# The data folder under a name that works even if the server's user cannot enter the folders above it.
WORKING_FOLDER = "/proc/self/cwd"


class PostgresFailed(UserError):
    """PostgreSQL did not start; the message holds the last lines of its log."""


class AlreadyRunning(UserError):
    """Another process runs PostgreSQL on this data folder."""


class EmbeddedPostgres:
    """A PostgreSQL server as a context manager.

    `data_dir` holds `data/` (the cluster), `postgres.log` and the lock, and is created with mode 0700. `password` is
    that of the superuser `postgres`, set when the cluster is created. `port` 0 takes a free one. As root the server
    runs as the owner of `data/`, or as `uid` if that is new or `nobody`'s. The main thread must call `start`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        password: str,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        bin_dir: Path | None = None,
        uid: int = POSTGRES_UID,
    ) -> None:
        if not password or any(c in password for c in "\r\n\0"):
            raise ValueError("the password must be one line of text")
        self.folder = data_dir.absolute()
        self.port = port
        self.settings = _validated(settings or {})
        self.socket_dir: Path | None = None
        self._data = self.folder / "data"
        # Holds the socket folder's path, by which a later start recognizes our server.
        self._socket_note = self.folder / "socket_dir"
        self._password, self._bin_dir, self._uid = password, bin_dir, uid
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"EmbeddedPostgres({str(self.folder)!r}, port={self.port})"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id, or None if it does not run or has died."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log_path(self) -> Path:
        return self.folder / "postgres.log"

    def start(self) -> Self:
        """Create the cluster if there is none and start it; returns when it accepts connections.

        Raises AlreadyRunning, PostgresFailed, BinariesMissing, ForeignServer or ServerStillRunning.
        """
        if self._process is not None:
            raise AlreadyRunning(f"{self!r} was already started")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            account = self._account()
            binaries = find_binaries(self._bin_dir)
            binaries = make_reachable(binaries) if account else binaries
            if self._data.exists():
                stop_orphans(self._data, self._socket_note.read_text() if self._socket_note.exists() else None)
                if account:  # created by a version that ran it as nobody
                    chown_tree(self._data, NOBODY, account)
            else:
                self._make_cluster(binaries, account)
            self.socket_dir = self._socket_folder(account)
            self._start_server(binaries, account)
        except BaseException:
            self.stop()
            raise
        return self

    def start_again(self) -> None:
        """Start it where it was, after its process has ended; raises as `start` does."""
        self.stop()
        self.start()

    def stop(self, *, seconds: float = 30.0) -> None:
        """Stop the server: open transactions are rolled back, a checkpoint is written. It is killed after `seconds`."""
        process, self._process = self._process, None
        if process is not None:
            for number, timeout in ((signal.SIGINT, seconds), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
                process.send_signal(number)
                try:
                    process.wait(timeout)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if self.socket_dir is not None:
            with contextlib.suppress(OSError):  # not empty after a kill; the next start uses it again
                self.socket_dir.rmdir()
                self._socket_note.unlink()
            self.socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def url(self, role: str, password: str, database: str) -> str:
        """An SQLAlchemy URL over loopback TCP. It contains the password: never log it."""
        role, password, database = (quote(part, safe="") for part in (role, password, database))
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def _take_lock(self) -> None:
        """Lock the folder until this process ends."""
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunning(
                f"process {holder} already runs PostgreSQL on {self.folder}; stop it or use another folder"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _account(self) -> Account | None:
        """The user to run as: this one (None), or, since PostgreSQL refuses root, the data's owner or `uid`."""
        if os.geteuid() != 0:
            return None
        if self._data.exists() and (owner := self._data.stat()).st_uid not in (0, NOBODY):
            return Account(owner.st_uid, owner.st_gid)
        return Account(self._uid, self._uid)

    def _socket_folder(self, account: Account | None) -> Path:
        """A private folder with a short path, since a socket's path has at most 107 bytes; the same at each start."""
        owner = account.uid if account else os.geteuid()
        if self._socket_note.exists() and _is_private(known := Path(self._socket_note.read_text()), owner):
            for stale in known.iterdir():  # sockets of a server that was killed
                stale.unlink()
            return known
        folder = Path(tempfile.mkdtemp(prefix="clearance-", dir="/tmp"))  # mode 0700
        if account:
            os.chown(folder, account.uid, account.gid)
        self._socket_note.write_text(str(folder))
        return folder

    def _make_cluster(self, binaries: Binaries, account: Account | None) -> None:
        """Run initdb in another folder and rename that at the end, so a half-made cluster is never started.

        initdb, unlike the server, needs a user with a name, so it runs as `nobody` and the files change owner after.
        """
        creator = Account(NOBODY, NOBODY) if account else None
        work = self.folder / "data.new"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        if creator:
            os.chown(work, creator.uid, creator.gid)
        reader, writer = os.pipe()  # keeps the password off command lines, files and environments
        try:
            if creator:
                os.fchown(reader, creator.uid, creator.gid)
            os.write(writer, self._password.encode() + b"\n")
            os.close(writer)
            arguments = ["-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile=/dev/fd/{reader}", "--encoding=UTF8"]
            arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums"]
            arguments += ["--no-instructions"] + (["--no-sync"] if self.settings.get("fsync") == "off" else [])
            completed = subprocess.run(  # noqa: S603  # the program and all arguments are ours
                launch_command([str(binaries.initdb), "-D", WORKING_FOLDER, *arguments], account=creator),
                cwd=work, env=ENVIRONMENT, pass_fds=(reader,), stdin=subprocess.DEVNULL, umask=0o077,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, process_group=0,
            )  # fmt: skip
        finally:
            os.close(reader)
        if completed.returncode != 0:
            raise PostgresFailed(f"initdb failed:\n{completed.stdout.decode(errors='replace')}")
        if account:
            chown_tree(work, NOBODY, account)
        work.rename(self._data)

    def _start_server(self, binaries: Binaries, account: Account | None) -> None:
        requested = self.port
        for attempt in range(5):
            self.port = requested or free_port()
            try:
                self._launch(binaries, account)
                return
            except PostgresFailed as error:
                if requested or attempt == 4 or "Address already in use" not in str(error):
                    raise  # else another program has just taken the free port: try the next

    def _launch(self, binaries: Binaries, account: Account | None) -> None:
        options = {**DEFAULTS, **self.settings, "listen_addresses": "127.0.0.1", "port": str(self.port)}
        options["unix_socket_permissions"] = "0700"
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        argv = [str(binaries.postgres), "-D", WORKING_FOLDER, "-k", str(self.socket_dir), *arguments]
        if self.log_path.exists() and self.log_path.stat().st_size > MAX_LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(  # noqa: S603  # the program and all arguments are ours
                launch_command(argv, death_signal=signal.SIGINT, account=account),
                cwd=self._data, env=ENVIRONMENT, umask=0o077, process_group=0,  # Ctrl-C at the terminal is for us
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._await_ready(self._process, begin)

    def _await_ready(self, process: subprocess.Popen[bytes], begin: int) -> None:
        """Wait until line 8 of the server's lock file says `ready`, as pg_ctl does."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise PostgresFailed(f"PostgreSQL ended at once:\n{self._log_since(begin)}")
            if _is_ready(self._data / "postmaster.pid", process.pid):
                return
            time.sleep(0.01)
        raise PostgresFailed(f"PostgreSQL is not ready after {START_SECONDS:.0f} s:\n{self._log_since(begin)}")

    def _log_since(self, begin: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(begin)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-20:])


def _validated(settings: Mapping[str, str]) -> dict[str, str]:
    for name in settings:
        if not re.fullmatch(r"[a-z_][a-z0-9_.]*", name) or name in FIXED_SETTINGS:
            raise ValueError(f"{name!r} is not a PostgreSQL setting that a caller may choose")
    return dict(settings)


def _is_private(folder: Path, owner: int) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner and stat.S_IMODE(status.st_mode) == 0o700


def _is_ready(lock: Path, pid: int) -> bool:
    try:
        lines = lock.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def free_port() -> int:
    """A TCP port on loopback that no program listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
