"""One way to print a table on the terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

console = Console(width=170)


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> None:
    """`rows` have a cell for each column; the first columns, `left` of them, hold words."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
