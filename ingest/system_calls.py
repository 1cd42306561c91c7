"""A seccomp filter that lets a parser use its memory and the descriptors it has, and refuses every other system call.

An allow-list: what the kernel learns tomorrow is refused as well. Refused calls fail with EACCES, which a parser takes
as a missing file; another machine's numbering, which only an attack would use, ends the process.
"""

import ctypes
import errno
import platform
import struct

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE = 0x00050000 | errno.EACCES
LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data: the call's number, the machine, the low half of the third argument.
NUMBER, MACHINE, THIRD_ARGUMENT = 0, 4, 32
PROT_EXEC = 4
X32 = 0x40000000  # the second numbering of x86_64, which would pass a filter for the first

# AUDIT_ARCH_… of the machine, and the kernel's numbers. No call here takes a path, makes a descriptor or names another
# process. There is no signal call either: without them nobody puts off the alarm.
TABLES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12, "sched_yield": 24,
            "mremap": 25, "madvise": 28, "getpid": 39, "exit": 60, "gettimeofday": 96, "gettid": 186, "time": 201,
            "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "exit_group": 231,
            "getrandom": 318, "mmap": 9, "mprotect": 10,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "munmap": 215, "brk": 214,
            "sched_yield": 124, "mremap": 216, "madvise": 233, "getpid": 172, "exit": 93, "gettimeofday": 169,
            "gettid": 178, "futex": 98, "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114,
            "exit_group": 94, "getrandom": 278, "mmap": 222, "mprotect": 226,
        },
    ),
}  # fmt: skip
NEVER_EXECUTABLE = ("mmap", "mprotect")  # allowed, but not for memory that can hold code

_libc = ctypes.CDLL(None, use_errno=True)


def refuse_all_but_few() -> None:
    """Install the filter for this thread and all that it starts, for ever. Raises OSError."""
    machine = platform.machine()
    if machine not in TABLES:
        raise OSError(errno.ENOSYS, f"no table of system calls for the machine {machine}")
    program = _program(*TABLES[machine])
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: unsigned short count, padding, pointer to the instructions
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)):
        if _libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the kernel takes no seccomp filter")


def _program(machine: int, calls: dict[str, int]) -> bytes:
    """Classic BPF. Jumps count from the next instruction: (code, jump if true, jump if false, value)."""
    plain = [number for name, number in calls.items() if name not in NEVER_EXECUTABLE]
    checked = [calls[name] for name in NEVER_EXECUTABLE]
    tests = [(number, "allow") for number in plain] + [(number, "check") for number in checked]
    end = 5 + len(tests)  # where the last part begins: REFUSE, load, test, REFUSE, ALLOW, KILL
    targets = {"refuse": end, "check": end + 1, "allow": end + 4, "kill": end + 5}
    steps = [
        (LOAD, 0, 0, MACHINE),
        (JUMP_EQUAL, 1, 0, machine),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (JUMP_GREATER_EQUAL, targets["kill"] - 5, 0, X32),
        *((JUMP_EQUAL, targets[to] - (5 + place) - 1, 0, number) for place, (number, to) in enumerate(tests)),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, THIRD_ARGUMENT),
        (JUMP_ANY_BIT, 0, 1, PROT_EXEC),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, KILL),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
