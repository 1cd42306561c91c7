"""Progress: bars on a terminal, lines elsewhere. Apart from `app.cli.console`, since `clearance run` needs no bar."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.cli.console import err
from app.client.upload import UploadOutcome

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr if it is a terminal, else a line every few seconds; yields the function that advances it."""
    if not err.is_terminal:
        yield _Lines(description, total).advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda units: bar.advance(task, units)


@contextmanager
def upload_progress(total: int) -> Iterator[Callable[[UploadOutcome], None]]:
    """Yields a function to call for each file that ends; on a terminal it names those that failed."""
    with progress_bar("indexing", total) as advance:

        def on_end(outcome: UploadOutcome) -> None:
            advance(1)
            if err.is_terminal and outcome.state == "failed":
                err.print(Text(f"failed  {outcome.item.path}: {outcome.reason}", "red"))

        yield on_end


class _Lines:
    """Says in a log how far it is: at most every few seconds, and at the end."""

    def __init__(self, description: str, total: int) -> None:
        self._description, self._total = description, total
        self._done, self._due = 0, time.monotonic() + SECONDS_BETWEEN_LINES

    def advance(self, units: int) -> None:
        self._done += units
        now = time.monotonic()
        if now >= self._due or self._done == self._total:
            self._due = now + SECONDS_BETWEEN_LINES
            err.print(f"{self._description}: {self._done:,} of {self._total:,}", soft_wrap=True)
