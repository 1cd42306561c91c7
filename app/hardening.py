"""Keeps a process's secrets from other programs of its user: they can neither look into it nor read its environment."""

import ctypes
import os

PREFIX = "CLEARANCE_"
PR_SET_DUMPABLE = 4  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)
_libc.getenv.restype = ctypes.c_void_p


def forbid_inspection() -> None:
    """From here on `/proc/<pid>/environ`, `mem` and `maps` are root's alone, nobody may trace, and no core is dumped.

    A program started from here begins anew: each of ours calls this itself.
    """
    if _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


def forget_settings() -> None:
    """Once the settings are read: blank their values where the kernel shows them, and take them out of the environment.

    `os.environ` alone would not do: the block that the process was started with stays in memory and in `/proc`.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        place = _libc.getenv(name.encode())
        if place:
            ctypes.memset(place, 0, len(ctypes.string_at(place)))
        del os.environ[name]
