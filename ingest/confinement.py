"""Takes from a process what a parser does not need: the network, other programs, memory, time, the root user.

Linux only, and without privileges: a seccomp filter refuses the system calls, resource limits bound the rest.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from dataclasses import dataclass

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 4, 38, 22
SECCOMP_MODE_FILTER = 2
SECCOMP_ALLOW, SECCOMP_KILL_PROCESS = 0x7FFF0000, 0x80000000
SECCOMP_REFUSE = 0x00050000 | errno.EACCES
BPF_LOAD, BPF_JUMP_EQUAL, BPF_JUMP_GREATER_EQUAL, BPF_RETURN = 0x20, 0x15, 0x35, 0x06
NOBODY = 65534

# The numbers of socket, connect, socketpair, execve, ptrace, execveat, process_vm_readv, process_vm_writev,
# io_uring_setup and open_by_handle_at for each machine, from the kernel's tables. Refusing socket() is what closes the
# network; io_uring would be a way around it.
REFUSED = {
    "x86_64": (0xC000003E, (41, 42, 53, 59, 101, 322, 310, 311, 425, 304)),
    "aarch64": (0xC00000B7, (198, 203, 199, 221, 117, 281, 270, 271, 425, 265)),
}
X32 = 0x40000000  # the second numbering of x86_64, which would pass a filter for the first

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
    """The kernel does not let this process give up the network."""


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that forked it ends."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_root() -> None:
    """Become nobody where this process is root, so that a parser that is taken over owns nothing."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _prctl(PR_SET_DUMPABLE, 0)  # no other process of this user reads its memory


def limit(limits: Limits) -> None:
    """Bound memory (on top of what is mapped now), processor time, written bytes and processes; set the alarm."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  # after a fork: no import, no allocation to spare
        mapped = int(statm.read().split()[0]) * resource.getpagesize()
    _bound(resource.RLIMIT_AS, mapped + limits.memory_bytes)
    _bound(resource.RLIMIT_CPU, limits.cpu_seconds)
    _bound(resource.RLIMIT_FSIZE, limits.written_bytes)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_NPROC, 0)
    # The default action of SIGALRM ends the process, whatever its Python code is doing.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)


def _bound(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def refuse_network() -> None:
    """Refuse sockets, other programs and other processes' memory from here on. Raises `Unconfined`."""
    known = REFUSED.get(platform.machine())
    if known is None:
        raise Unconfined(errno.ENOSYS, f"no system call table for {platform.machine()}")
    architecture, calls = known
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    program = _filter(architecture, calls)
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: unsigned short count, padding, pointer to the instructions
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        raise Unconfined(ctypes.get_errno(), "the kernel takes no seccomp filter")


def _filter(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Classic BPF over struct seccomp_data: number at offset 0, architecture at 4."""
    size = len(calls)
    steps = [
        (BPF_LOAD, 0, 0, 4),
        (BPF_JUMP_EQUAL, 1, 0, architecture),
        (BPF_RETURN, 0, 0, SECCOMP_KILL_PROCESS),
        (BPF_LOAD, 0, 0, 0),
        (BPF_JUMP_GREATER_EQUAL, size + 1, 0, X32),
        *((BPF_JUMP_EQUAL, size - index, 0, call) for index, call in enumerate(calls)),
        (BPF_RETURN, 0, 0, SECCOMP_ALLOW),
        (BPF_RETURN, 0, 0, SECCOMP_REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
