"""Progress bars. Apart from `app.cli.console`, since `clearance run` needs no bar and must import little."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.cli.console import err
from app.client.upload import UploadOutcome


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while it is a terminal; yields the function that advances it by a number of units."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(description, total=total)
        yield lambda units: bar.advance(task, units)


@contextmanager
def upload_progress(total: int) -> Iterator[Callable[[UploadOutcome], None]]:
    """Yields a function to call for each file that ends: it moves a bar, or in a log prints a line for each tenth."""
    count = 0
    with progress_bar("indexing", total) as advance:

        def on_end(outcome: UploadOutcome) -> None:
            nonlocal count
            before, count = count * 10 // total, count + 1
            advance(1)
            if err.is_terminal:
                if outcome.state == "failed":
                    err.print(Text(f"failed  {outcome.item.path}: {outcome.reason}", "red"))
            elif count * 10 // total > before:
                err.print(f"{count} of {total} files", soft_wrap=True)

        yield on_end
