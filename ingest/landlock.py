"""Landlock: takes every path, port and signal from this process and its children, for ever and without privileges.

The kernel's rules are in landlock(7). A library for this would be larger than the two system calls it makes.
"""

import ctypes
import errno
import os
import struct

# The same numbers on every machine.
CREATE_RULESET, RESTRICT_SELF = 444, 446
GIVE_VERSION = 1
PR_SET_NO_NEW_PRIVS = 38
# Rights by the ABI that brought them: on files (13 at first, then REFER, TRUNCATE, IOCTL_DEV), on the network (TCP bind
# and connect), and scopes (abstract Unix sockets and signals stay among the confined).
FILES = ((1, 13), (2, 14), (3, 15), (5, 16))
NETWORK_SINCE, SCOPES_SINCE = 4, 6
BOTH = 0b11

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """The kernel's Landlock ABI; 0 where it has none or it is switched off."""
    return max(int(_libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), GIVE_VERSION)), 0)


def forbid_all() -> int:
    """Forbid all that this kernel's Landlock can forbid, with no exception; gives its ABI. Raises OSError."""
    abi = version()
    if abi == 0:
        raise OSError(errno.EOPNOTSUPP, "the kernel has no Landlock, or it is switched off")
    bits = max(count for since, count in FILES if since <= abi)
    rights = [(1 << bits) - 1]
    if abi >= NETWORK_SINCE:
        rights.append(BOTH)
    if abi >= SCOPES_SINCE:
        rights.append(BOTH)
    rules = struct.pack(f"={len(rights)}Q", *rights)
    handle = _call(CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    try:
        if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS) failed")
        _call(RESTRICT_SELF, handle, 0)
    finally:
        os.close(handle)
    return abi


def _call(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"the kernel refuses Landlock: {os.strerror(ctypes.get_errno())}")
    return result
