"""What a parser does that a file has taken over: each attack raises OSError where it is refused.

`attempt` runs them all. It is called inside the confinement, and once outside of it, where they must succeed.
"""

import ctypes
import errno
import mmap
import os
import resource
import signal
import socket
import stat
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

Targets = Mapping[str, Any]
NONE = "nobody refused it"
SEIZE = 0x4206  # traces without stopping: outside of the confinement the attacks go on
NEWUSER, NEWNS, NEWNET, NEWPID = 0x10000000, 0x00020000, 0x40000000, 0x20000000
# Numbers of calls without a wrapper in the C library: x86_64, aarch64.
NUMBERS = {
    "keyctl": (250, 219), "add_key": (248, 217), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "kcmp": (312, 272), "fsopen": (430, 430), "io_uring_setup": (425, 425),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "openat2": (437, 437), "open_tree": (428, 428),
    "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "memfd_secret": (447, 447), "clone3": (435, 435),
}  # fmt: skip
FAMILIES = {
    "unix": 1, "inet": 2, "inet6": 10, "netlink": 16, "packet": 17, "bluetooth": 31, "alg": 38, "vsock": 40, "xdp": 44,
}  # fmt: skip
MACHINE = 0 if os.uname().machine == "x86_64" else 1

libc = ctypes.CDLL(None, use_errno=True)


def attempt(targets: Targets) -> dict[str, str]:
    """How each attack ended: the name of the error that refused it, or NONE."""
    return {name: _ended(act) for name, act in attacks(targets).items()}


def _ended(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except RuntimeError:  # Python's word for a thread that the system did not start
        return "EACCES"
    return NONE


def attacks(targets: Targets) -> dict[str, Callable[[], object]]:
    return {
        **files(targets), **changes(targets), **of_processes(targets), **sockets(targets), **of_this_process(),
        **kernel(targets), "every call that is not on the list": sweep, "a descriptor that was not given": descriptors,
    }  # fmt: skip


def files(targets: Targets) -> dict[str, Callable[[], object]]:
    """Reading what belongs to the instance or to another process."""
    found: dict[str, Callable[[], object]] = {f"read {path}": partial(read, path) for path in targets["files"]}
    for pid in (targets["worker"], targets["zygote"], targets["postgres"], "self"):
        for name in ("environ", "maps", "cmdline", "status", "cwd/PG_VERSION"):
            found[f"read /proc/{pid}/{name}"] = partial(read, f"/proc/{pid}/{name}")
        found[f"write /proc/{pid}/mem"] = partial(os.open, f"/proc/{pid}/mem", os.O_RDWR)
        found[f"list /proc/{pid}/cwd"] = partial(os.listdir, f"/proc/{pid}/cwd/")
        found[f"list /proc/{pid}/fd"] = partial(os.listdir, f"/proc/{pid}/fd")
    return found | {
        "list /": lambda: os.listdir("/"),
        "read /etc/passwd": lambda: Path("/etc/passwd").read_bytes(),
        "stat a path": lambda: os.stat("/etc/passwd"),
        "ask for access to a path": lambda: _checked(libc.access(b"/etc/passwd", 0)),
        "openat2": lambda: number("openat2", -100, b"/", b"\0" * 24, 24),
        "name_to_handle_at": lambda: _checked(libc.name_to_handle_at(-100, b"/", b"\x80" + b"\0" * 200, b"\0" * 8, 0)),
        "getcwd": os.getcwd,
        "chdir": lambda: os.chdir("/"),
        "readlink": lambda: Path("/proc/self/exe").readlink(),
    }


def changes(targets: Targets) -> dict[str, Callable[[], object]]:
    """Changing what lies on the disk; the files in `own` belong to the user that the worker runs as."""
    own, free = [Path(path) for path in targets["own"]], Path(targets["writable"])
    return {
        "truncate by opening": lambda: os.open(own[0], os.O_RDONLY | os.O_TRUNC),
        "open for writing": lambda: os.open(own[0], os.O_WRONLY),
        "truncate": lambda: os.truncate(own[0], 0),
        "chmod": lambda: os.chmod(own[0], 0o644),
        "chown": lambda: os.chown(own[0], os.geteuid(), os.getegid()),
        "touch": lambda: os.utime(own[0]),
        "rename": lambda: os.rename(own[1], own[1].with_suffix(".new")),
        "link": lambda: os.link(own[2], own[2].with_suffix(".link")),
        "symlink": lambda: os.symlink("/", own[2].with_suffix(".symlink")),
        "unlink": lambda: os.unlink(own[3]),
        "mkdir": lambda: os.mkdir(free / "made"),
        "make a pipe": lambda: os.mkfifo(free / "pipe"),
        "set an attribute": lambda: os.setxattr(own[2], "user.x", b"1"),
        "write a new file": lambda: os.open(free / "new", os.O_CREAT | os.O_WRONLY),
        "write to /tmp": lambda: write(f"/tmp/hostile-{os.getpid()}"),
        "write to /dev/shm": lambda: write(f"/dev/shm/hostile-{os.getpid()}"),
        "unnamed file in /tmp": lambda: os.close(os.open("/tmp", os.O_TMPFILE | os.O_WRONLY)),
    }


def of_processes(targets: Targets) -> dict[str, Callable[[], object]]:
    """Signalling, tracing, reading and joining other processes, and making new ones."""
    found: dict[str, Callable[[], object]] = {}
    for name in ("worker", "zygote", "postgres"):
        found |= of_process(name, int(targets[name]))
    return found | {
        "signal the group of the zygote": lambda: os.killpg(os.getpgid(0), 0),
        "signal everybody": lambda: os.kill(-1, 0),
        "signal by descriptor": lambda: number("pidfd_send_signal", 0, 0, None, 0),
        "take a descriptor": lambda: number("pidfd_getfd", 0, 0, 0),
        "fork": fork,
        "start a thread": lambda: threading.Thread(target=int).start(),
        "clone3": lambda: number("clone3", b"\0" * 88, 88),
        "execve": lambda: os.execv("/bin/true", ["true"]),
        "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "new session": os.setsid,
    }


def of_process(name: str, pid: int) -> dict[str, Callable[[], object]]:
    return {
        f"signal {name}": lambda: os.kill(pid, 0),
        f"signal a thread of {name}": lambda: number("tgkill", pid, pid, 0),
        f"queue a signal for {name}": lambda: number("rt_sigqueueinfo", pid, 0, b"\0" * 128),
        f"pidfd of {name}": lambda: os.close(os.pidfd_open(pid)),
        f"trace {name}": lambda: _checked(libc.ptrace(SEIZE, pid, None, None)),
        f"read memory of {name}": lambda: process_memory("process_vm_readv", pid),
        f"write memory of {name}": lambda: process_memory("process_vm_writev", pid),
        f"limits of {name}": lambda: resource.prlimit(pid, resource.RLIMIT_CORE),
        f"priority of {name}": lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        f"processors of {name}": lambda: os.sched_setaffinity(pid, {0}),
    }


def sockets(targets: Targets) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {
        f"socket {name}": partial(open_socket, family) for name, family in FAMILIES.items()
    }
    return found | {
        "socketpair": socket.socketpair,
        "connect to PostgreSQL": lambda: connect(socket.AF_INET, ("127.0.0.1", targets["port"])),
        "connect to its socket": lambda: connect(socket.AF_UNIX, targets["socket"]),
        "connect to an abstract socket": lambda: connect(socket.AF_UNIX, targets["abstract"]),
        "connect on a given descriptor": lambda: _checked(libc.connect(0, b"\0" * 16, 16)),
        "receive descriptors": lambda: _checked(libc.recvmsg(0, b"\0" * 64, 0)),
    }


def of_this_process() -> dict[str, Callable[[], object]]:
    return {
        "limit of processor time": lambda: resource.setrlimit(
            resource.RLIMIT_CPU, resource.getrlimit(resource.RLIMIT_CPU)
        ),
        "limit of memory": lambda: resource.setrlimit(resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)),
        "put off the alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 1000),
        "cancel the alarm": lambda: _checked(libc.setitimer(0, b"\0" * 32, None)),
        "ignore the alarm": lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN),
        "block the alarm": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}),
        "handle a crash": lambda: signal.signal(signal.SIGSEGV, signal.SIG_IGN),
        "have signals sent by a descriptor": lambda: _checked(libc.fcntl(0, 8, 1)),
        "outlive the zygote": lambda: _checked(libc.prctl(1, 0, 0, 0, 0)),
        "open memory to others": lambda: _checked(libc.prctl(4, 1, 0, 0, 0)),
        "memory that runs": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
        "memory made to run": lambda: _checked(libc.mprotect(ctypes.c_void_p(PAGE), 4096, 7)),
        "file in memory": lambda: os.close(os.memfd_create("x")),
        "program in memory": lambda: os.execve(os.memfd_create("x"), ["x"], {}),
        "device request": lambda: _checked(libc.ioctl(0, 0x5401, ctypes.create_string_buffer(64))),
        "another descriptor": lambda: os.close(os.dup(0)),
        "other user": lambda: os.setresuid(os.getuid(), os.getuid(), os.getuid()),
    }


def kernel(targets: Targets) -> dict[str, Callable[[], object]]:
    """Components of the kernel that no parser has a use for."""
    return {
        "user namespace": lambda: _checked(libc.unshare(NEWUSER)),
        "other namespaces": lambda: _checked(libc.unshare(NEWUSER | NEWNS | NEWNET | NEWPID)),
        "join a namespace": lambda: _checked(libc.setns(0, 0)),
        "mount": lambda: _checked(libc.mount(b"none", str(targets["writable"]).encode(), b"tmpfs", 0, None)),
        "fsopen": lambda: number("fsopen", b"tmpfs", 0),
        "open_tree": lambda: number("open_tree", -100, b"/", 1),
        "chroot": lambda: os.chroot("/"),
        "io_uring": lambda: number("io_uring_setup", 1, ctypes.create_string_buffer(120)),
        "keyctl": lambda: number("keyctl", 0, -3, 1),
        "add_key": lambda: number("add_key", b"user", b"x", b"y", 1, -3),
        "bpf": lambda: number("bpf", 5, ctypes.create_string_buffer(128), 128),
        "perf_event_open": lambda: number("perf_event_open", ctypes.create_string_buffer(128), 0, -1, -1, 0),
        "userfaultfd": lambda: number("userfaultfd", 1),
        "kcmp": lambda: number("kcmp", os.getpid(), os.getpid(), 0, 0, 0),
        "secret memory": lambda: number("memfd_secret", 0),
        "shared memory": lambda: libc.shmctl(_checked(libc.shmget(0, 4096, 0o1600)), 0, None),
        "semaphores": lambda: libc.semctl(_checked(libc.semget(0, 1, 0o1600)), 0, 0),
        "message queue": lambda: libc.msgctl(_checked(libc.msgget(0, 0o1600)), 0, None),
        "POSIX message queue": lambda: _checked(libc.mq_open(b"/hostile", 0o102, 0o600, None)),
        "inotify": lambda: _checked(libc.inotify_init1(0)),
        "event descriptor": lambda: _checked(libc.eventfd(0, 0)),
        "timer descriptor": lambda: _checked(libc.timerfd_create(0, 0)),
        "epoll": lambda: _checked(libc.epoll_create1(0)),
    }


def sweep() -> None:
    """Every number up to far above the kernel's newest, but for those on the list, with harmless arguments."""
    from ingest.system_calls import TABLES  # noqa: PLC0415  # not there in versions without a list

    listed = set(TABLES[os.uname().machine][1].values())
    for called in set(range(700)) - listed:
        ctypes.set_errno(0)
        if libc.syscall(called, -1, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EACCES:
            raise AssertionError(f"system call {called} is let through")
    raise PermissionError(errno.EACCES, "all of them")


def descriptors() -> None:
    """Standard ones are /dev/null, and beyond them there is the pipe for the result alone."""
    kinds = []
    for number_ in range(1024):
        try:
            status = os.fstat(number_)
        except OSError:
            continue
        null = stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)
        kinds.append("null" if null else "pipe" if stat.S_ISFIFO(status.st_mode) else "other")
    if kinds == ["null", "null", "null", "pipe"]:
        raise PermissionError(errno.EACCES, "nothing was left open")


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(1)


def open_socket(family: int) -> None:
    socket.socket(family, socket.SOCK_DGRAM).close()


def write(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)


def fork() -> None:
    """A process of one's own; it ends at once."""
    if os.fork() == 0:
        os._exit(0)


def connect(family: int, address: Any) -> None:
    with socket.socket(family) as end:
        end.connect(address)


def process_memory(call: str, pid: int) -> None:
    """Eight bytes at an address that is mapped in every process forked from one with this library."""
    here = ctypes.create_string_buffer(8)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(here), 8)
    there = (ctypes.c_void_p * 2)(ctypes.cast(libc.getpid, ctypes.c_void_p).value, 8)
    _checked(libc[call](pid, local, 1, there, 1, 0))


def number(name: str, *arguments: Any) -> int:
    """A system call by its number on this machine."""
    return _checked(libc.syscall(NUMBERS[name][MACHINE], *arguments))


def _checked(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return result


_page = mmap.mmap(-1, 4096)
PAGE = ctypes.addressof(ctypes.c_char.from_buffer(_page))
