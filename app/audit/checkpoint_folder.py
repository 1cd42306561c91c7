"""Keeps each signed head as a file of its own in a folder, best one that keeps what was written (WORM): what stands
there is never replaced, and contradicts a log that was rewritten or cut.
"""

import os
from pathlib import Path

from app import log
from app.evidence.checkpoint import Checkpoint

SUFFIX = ".checkpoint"


def keep_in(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint as a new file, which nobody may write to. What goes wrong is logged, and stops nothing.

    The next checkpoint covers all that one which could not be written covered.
    """
    path = folder / f"{checkpoint.head.size:020d}{SUFFIX}"
    try:
        if later := [each.name for each in folder.glob(f"*{SUFFIX}") if each.name > path.name]:
            log.get().error("audit.log_is_shorter", size=checkpoint.head.size, kept=max(later))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o444)
    except FileExistsError:
        if path.read_text("utf-8") != str(checkpoint):
            log.get().error("audit.log_was_rewritten", size=checkpoint.head.size, kept=str(path))
        return
    except OSError as error:
        log.get().error("audit.checkpoint_not_kept", folder=str(folder), reason=error.strerror)
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(str(checkpoint))
        file.flush()
        os.fsync(file.fileno())
