"""The rules of a running service: read again while it runs, and the old kept where a new file cannot be used."""

from pathlib import Path

from app import log
from app.refusals.load import load, report
from app.refusals.rules import RefusalRules
from app.refusals.yaml_file import RefusalsFileError
from app.watched_file import Refresher, file_state


def require_refusals(path: Path | None) -> None:
    """Raise RefusalsFileError, with the line, where a file is set and cannot be used."""
    if path is not None:
        load(path)


class KeptRules:
    """`rules` are those of the file as it was last read whole. The first reading raises RefusalsFileError."""

    def __init__(self, path: Path, *, seconds: float) -> None:
        self._path = path
        self._state = _state(path)
        self.rules: RefusalRules = load(path)
        self._refresher = Refresher(self.refresh, seconds=seconds, name="refusals")

    def start(self) -> None:
        """Say how well it does, and read it again every so often."""
        report(self.rules)
        self._refresher.start()

    def close(self) -> None:
        self._refresher.close()

    def refresh(self) -> None:
        """Read it again if it has changed. On an error the rules of before stay, and the log says which line."""
        try:
            state = _state(self._path)
            if state == self._state:
                return
            rules = load(self._path)
            self._state = state
        except RefusalsFileError as error:
            log.get().error("refusals.not_read", error=str(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, the old rules are better than none
            log.get().error("refusals.not_read", error=type(error).__name__, where=log.where(error))
        else:
            self.rules = rules
            report(rules)


def _state(path: Path) -> tuple[int, ...]:
    """What changes with the file."""
    try:
        return file_state(path)
    except OSError as error:
        raise RefusalsFileError(f"the file of refusals, {path}, cannot be read: {error.strerror}") from None
