"""The process that fetches people and groups from a directory: `python -m app.directory_process`. Run one a directory.

It reads the settings of the database (as the API's role), of identity, audit and ldap, and acts as the service that
keeps the directory's source. What it lets somebody read ends by itself when it is not running.
"""

import signal
import sys
from collections.abc import Callable
from typing import Protocol

from app import log
from app.admin.people_sync import DirectorySynced
from app.directories.settings import DirectorySettings
from app.directories.wiring import build_sync
from app.hardening import forbid_inspection, forget_settings

FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 300.0


class RunnableSync(Protocol):
    """What is run again and again."""

    def run(self) -> DirectorySynced:
        """Once."""


def run_until_stopped(sync: RunnableSync, interval: float, wait: Callable[[float], bool]) -> None:
    """Sync, and wait, until `wait(seconds)` says True. After a failure it tries again, each time later."""
    retry = FIRST_RETRY_SECONDS
    while True:
        try:
            synced = sync.run()
        # The process edge: what is wrong with a directory today may be mended tomorrow, and its roles end meanwhile.
        except Exception as error:  # noqa: BLE001
            pause, retry = retry, min(retry * 2, max(MAX_RETRY_SECONDS, interval))
            log.get().error("directory.failed", error=type(error).__name__, where=log.where(error), retry_seconds=pause)
        else:
            pause, retry = interval, FIRST_RETRY_SECONDS
            _log(synced)
        if wait(pause):
            return


def _log(synced: DirectorySynced) -> None:
    """What was changed, in numbers."""
    difference = synced.difference
    if not difference.is_empty or synced.confirmed:
        log.get().info(
            "directory.synced",
            made=len(difference.made),
            people=len(difference.people),
            switched_off=len(difference.switched_off),
            roles=len(difference.roles),
            joined=len(difference.joins),
            left=len(difference.leaves),
            left_out=len(difference.notes),
            until=synced.until.isoformat(),
        )


def main() -> None:
    """Run until SIGTERM or SIGINT, which take effect between two syncs."""
    forbid_inspection()
    stop = {signal.SIGTERM, signal.SIGINT}
    # Blocked and waited for, not handled: a handler could interrupt a sync anywhere.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    log.configure(json=True)
    try:
        settings = DirectorySettings()
    except ValueError as error:
        sys.exit(f"clearance directory: {error}")
    forget_settings()
    sync = build_sync(settings)
    log.get().info("directory.started", source=settings.ldap.source)
    run_until_stopped(
        sync,
        settings.ldap.interval_seconds,
        lambda seconds: signal.sigtimedwait(stop, seconds) is not None,
    )
    log.get().info("directory.stopped")


if __name__ == "__main__":
    main()
