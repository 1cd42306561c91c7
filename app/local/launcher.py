"""Starts a program that ends when its parent does, optionally as another user. Also the launcher script itself."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Account:
    """The unprivileged user that a program runs as."""

    uid: int
    gid: int


def launch_command(
    argv: Sequence[str], *, death_signal: signal.Signals = signal.SIGTERM, account: Account | None = None
) -> list[str]:
    """Wrap `argv` so that the kernel sends `death_signal` to the program when this process ends, even by kill -9.

    The kernel watches the *thread* that forks, so only the main thread may start such a program. A launcher process
    replaces `preexec_fn`, which may deadlock in a process with threads.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("only the main thread may start a child that is to end with its parent")
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(death_signal)), str(uid), str(gid), *argv]


def chown_tree(folder: os.PathLike[str], former: int, account: Account) -> None:
    """Give everything in the folder that the user `former` owns to the account.

    The folder itself is last, so an interrupted call can be repeated. Links are not followed; other owners stay.
    """
    if os.stat(folder).st_uid != former:  # noqa: PTH116  # pathlib would slow the launcher down
        return
    for _, folders, files, handle in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            if os.stat(name, dir_fd=handle, follow_symlinks=False).st_uid == former:
                os.chown(name, account.uid, account.gid, dir_fd=handle, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid)


def _launch(parent: int, death_signal: int, account: Account | None, argv: Sequence[str]) -> None:
    """Become `argv`; returns only by an exception. A change of user clears the death signal, so it is set last."""
    libc = ctypes.CDLL(None, use_errno=True)  # before the user changes, who may not be able to read it
    if account is not None:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # the parent ended before prctl took effect
        raise SystemExit(1)
    os.execv(argv[0], list(argv))  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    _parent, _signal, _uid, _gid = map(int, sys.argv[1:5])
    _launch(_parent, _signal, Account(_uid, _gid) if _uid >= 0 else None, sys.argv[5:])
