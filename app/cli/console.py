"""Rich consoles for what draws more than lines and tables: bars, panels, a matrix."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from app.cli.output import safe_text


class Screen(Console):
    """A console on which text is only text. Off a terminal lines are never wrapped or cut: a path stays one word."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """All that is printed comes through here: text is made safe, the console's own control codes stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(safe_text(segment.text), segment.style)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; lines of text are wrapped on a terminal only."""
        if not self.is_terminal and all(isinstance(each, str | Text) for each in objects):
            options.setdefault("soft_wrap", True)
        super().print(*objects, **options)


out = Screen()
err = Screen(stderr=True)
