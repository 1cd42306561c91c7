"""One way to print a table, on the terminal or as Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as Shown

console = Console(width=170)


@dataclass(frozen=True)
class Table:
    """`rows` have a cell for each column; the first columns, `left` of them, hold words."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1

    def show(self) -> None:
        shown = Shown(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            shown.add_column(column, justify="left" if number < self.left else "right")
        for row in self.rows:
            shown.add_row(*row)
        console.print(shown)

    def markdown(self) -> str:
        """The same for a document."""
        rule = ["---" if number < self.left else "--:" for number in range(len(self.columns))]
        lines = [" | ".join(row) for row in (self.columns, rule, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *(f"| {line} |" for line in lines), ""])


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> None:
    Table(title, columns, list(rows), left).show()
