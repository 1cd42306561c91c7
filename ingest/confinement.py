"""Takes from a parser all but the two descriptors it was given: hostile code in it can read, write and reach nothing.

Layers, each enough for most attacks on its own, and all without privileges: a seccomp allow-list (`system_calls`),
Landlock without a single path (`landlock`), resource limits that nobody can lift, and a user that nothing else runs as
where we start as root. docs/adr/0019-parser-confinement.md says what each is for. Linux only.
"""

import ctypes
import json
import os
import pwd
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from ingest import landlock, system_calls

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
# Of a range that neither Debian's policy nor systemd gives out, and small enough to be mapped in a user namespace.
PARSER_UID = 61101
# With this ABI Landlock also holds network, truncation, abstract sockets and signals.
FULL_LANDLOCK = 6

Level = Literal["full", "reduced", "missing"]

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file: bytes, and seconds of processor and of wall clock."""

    content_bytes: int = 100 * 2**20
    memory_bytes: int = 1024 * 2**20
    written_bytes: int = 0
    result_bytes: int = 128 * 2**20
    cpu_seconds: int = 60
    wall_seconds: float = 120.0


class Unconfined(OSError):
    """A layer that a parser may not go without cannot be had here."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What this machine gives: whether the filter is taken, Landlock's ABI (0: none), and why not, if not."""

    filter: bool
    landlock: int
    reason: str = ""

    @property
    def level(self) -> Level:
        """`reduced` is safe: the filter alone refuses paths, sockets and signals, Landlock says so a second time."""
        if not self.filter or self.landlock == 0:
            return "missing"
        return "full" if self.landlock >= FULL_LANDLOCK else "reduced"


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that forked it ends."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_root(uid: int) -> None:
    """Where this process is root, become `uid`, which owns nothing and runs nothing else. Raises `Unconfined`."""
    if os.geteuid() == 0:
        _require_unused(uid)
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        except OSError as error:
            raise Unconfined(
                error.errno, f"root cannot become user {uid} here ({error.strerror}): {ANOTHER}"
            ) from error
    _prctl(PR_SET_DUMPABLE, 0)  # no other process of this user reads its memory


ANOTHER = "set CLEARANCE_WORKER__PARSER_UID to a user id that nothing on this machine has"


def _require_unused(uid: int) -> None:
    if uid == 0:
        raise Unconfined(0, f"a parser may not run as root: {ANOTHER}")
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return
    raise Unconfined(0, f"user id {uid} belongs to {name}, whose files a parser could reach: {ANOTHER}")


def mapped_bytes() -> int:
    """Address space of this process now."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  # no need for more
        return int(statm.read().split()[0]) * resource.getpagesize()


def limit(limits: Limits, *, mapped: int) -> None:
    """Bound memory (on top of what is mapped), processor time, written bytes and processes; set the alarm."""
    _bound(resource.RLIMIT_AS, mapped + limits.memory_bytes)
    _bound(resource.RLIMIT_CPU, limits.cpu_seconds)
    _bound(resource.RLIMIT_FSIZE, limits.written_bytes)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_NPROC, 0)
    # The default action of SIGALRM ends the process, whatever its Python code is doing. Blocked it would wait.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)


def _bound(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def keep_only(*descriptors: int) -> None:
    """Close every descriptor but the three standard ones and these."""
    kept = sorted({0, 1, 2, *descriptors})
    ends = [*kept[1:], os.sysconf("SC_OPEN_MAX")]
    for one, following in zip(kept, ends, strict=True):
        os.closerange(one + 1, following)


def confine(*, required: bool = True) -> Layers:
    """Give up files, network, signals and other processes for ever. Raises `Unconfined`, unless not `required`."""
    abi, taken, reasons = 0, False, []
    try:
        abi = landlock.forbid_all()
    except OSError as error:
        reasons.append(str(error.strerror))
    try:
        system_calls.refuse_all_but_few()
        taken = True
    except OSError as error:
        reasons.append(str(error.strerror))
    layers = Layers(taken, abi, "; ".join(reasons))
    if required and layers.level == "missing":
        raise Unconfined(0, layers.reason)
    return layers


def measure() -> Layers:
    """What `confine` reaches here, found out by a child that does it and says so."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _exit_after(lambda: os.write(writing, json.dumps(asdict(confine(required=False))).encode()))
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return Layers(**json.loads(said)) if said else Layers(False, 0, "the process that tried it was killed")


def require_confinement(uid: int, *, allow_unconfined: bool) -> Layers:
    """What confines a parser here. Raises `Unconfined` where none could be started as `uid`, with the reason.

    This process gives up nothing. The parsers' own processes look again: this only says at the worker's start what they
    would say later.
    """
    layers = measure()
    if layers.level == "missing" and not allow_unconfined:
        raise Unconfined(0, layers.reason)
    reason = _reason_from_child(lambda: drop_root(uid))
    if reason:
        raise Unconfined(0, reason)
    return layers


def _reason_from_child(act: Callable[[], object]) -> str:
    """Why a child cannot do this, empty if it can."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:

        def told() -> None:
            try:
                act()
            except Unconfined as error:
                os.write(writing, str(error.strerror).encode())

        _exit_after(told)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return said.decode()


def _exit_after(act: Callable[[], object]) -> None:
    """End this forked process after `act`, whatever it raises, without running what the parent has registered."""
    try:
        act()
    finally:
        os._exit(0)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


if __name__ == "__main__":
    # `clearance doctor` asks so, since the service does not import the worker's code.
    _layers = measure()
    sys.stdout.write(json.dumps({**asdict(_layers), "level": _layers.level}))
