"""Runs a program under a kernel that lacks a layer of the confinement: `poor_kernel.py landlock|seccomp -m MODULE …`.

A seccomp filter plays that kernel: it answers the calls that the layer is made of as one does that does not know them.
"""

import ctypes
import errno
import os
import struct
import sys

REFUSED = {"landlock": (444, 445, 446), "seccomp": (157, 317) if os.uname().machine == "x86_64" else (167, 277)}
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2


def main() -> None:
    """Take the layer away and become the program."""
    numbers = REFUSED[sys.argv[1]]
    if sys.argv[1] == "seccomp":
        # Only prctl(PR_SET_SECCOMP) is missing: load the number, go on with the first argument.
        steps = [(0x20, 0, 0, 0), (0x15, 0, 2, numbers[0]), (0x20, 0, 0, 16), (0x15, 1, 0, PR_SET_SECCOMP)]
    else:
        steps = [(0x20, 0, 0, 0), *((0x15, len(numbers) - place, 0, n) for place, n in enumerate(numbers))]
    steps += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, REFUSE)]
    program = b"".join(struct.pack("=HBBI", *step) for step in steps)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, FILTER, header, 0, 0) == 0
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])


if __name__ == "__main__":
    main()
