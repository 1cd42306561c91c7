"""Rich consoles for bars, panels and matrices; lines and tables are printed by `app.cli.output`."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from app.cli.output import safe_text


class SafeConsole(Console):
    """A console without markup that makes text safe. Into a pipe, lines are not wrapped, so paths stay whole."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Make the text of all output safe, and leave the console's own control codes."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(safe_text(segment.text), segment.style)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; only a terminal wraps lines of text."""
        if not self.is_terminal and all(isinstance(each, str | Text) for each in objects):
            options.setdefault("soft_wrap", True)
        super().print(*objects, **options)


out = SafeConsole()
err = SafeConsole(stderr=True)
