"""Citations in a streamed answer: kept and renumbered if they name a passage that was shown, dropped if invented.

`[3]`, `[1, 2]`, `[1-3]`, `[1][2]`, `[^1]`, `【1】` and `【1†source】` are markers and become `[n]`, n counting passages
in the order of their first use. Left as they stand: everything in code (backticks, fences); links and images such as
`[1](url)`; escaped brackets; numbers of four digits and more (`[2024]`); `[0]` behind a word (`arr[0]`, for passages
count from 1). `word[1]` outside code is a citation: models cite like that more often than they index an array in prose.
"""

import re

_INSIDE = r"[\d ,;^\-\u2010-\u2013]"
# Every prefix of a marker, with the character after it (a link has an opening parenthesis there).
_RUN = re.compile(rf"\[{_INSIDE}{{0,48}}\]?|【{_INSIDE}{{0,24}}(?:†[^】\n]{{0,48}})?】?")
MARKER = re.compile(
    r"\[ ?\^?(?P<plain>\d{1,3}(?:[ ,;^\-\u2010-\u2013]{1,4}\d{1,3}){0,11}) ?\]"
    r"|【 ?\^?(?P<heavy>\d{1,3}(?:[ ,;\-\u2010-\u2013]{1,4}\d{1,3}){0,5}) ?(?:†[^】\n]{0,48})?】"
)
_NUMBER = re.compile(r"(\d+)(?: ?[\-\u2010-\u2013] ?(\d+))?")
_TICKS = re.compile(r"`+")
# What can change how the text is read: brackets, code, escapes, blanks before a marker, the start of a line.
_NEXT = re.compile(r"[\[【`\\ \n]")
_MAX_FENCE = 32


class CitationFilter:
    """One answer: `feed` each piece, `flush` at its end. What is released does not depend on the cutting."""

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._order: dict[int, int] = {}
        self._text = ""
        self._last = "\n"  # the last character that went out
        self._code = ""  # the backticks that opened the code we are in
        self._line_start = True  # nothing but blanks since the line began
        self._tidy = False  # a marker was dropped at the start of a line: so is the blank after it

    @property
    def used(self) -> tuple[int, ...]:
        """Passage numbers as the prompt gave them, in order of first use: the first is cited as `[1]`."""
        return tuple(self._order)

    @property
    def held(self) -> int:
        """Characters that came in and are not decided yet."""
        return len(self._text)

    def feed(self, token: str) -> str:
        """Take the next piece of the answer; returns what can be released now."""
        self._text += token
        return self._advance(final=False)

    def flush(self) -> str:
        """The answer is complete: returns what was held back."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> str:
        released: list[str] = []
        at = 0
        while at < len(self._text):
            step = self._step(at, final=final)
            if step is None:
                break
            end, shown = step
            if shown:
                self._last = shown[-1]
                released.append(shown)
            at = end
        self._text = self._text[at:]
        return "".join(released)

    def _step(self, at: int, *, final: bool) -> tuple[int, str] | None:
        """The next stretch: where it ends and what is shown for it; None while that depends on what follows."""
        text = self._text
        match text[at]:
            case "`":
                return self._ticks(at, final=final)
            case "\n":
                self._line_start, self._tidy = True, False
                self._code = self._code if len(self._code) >= 3 else ""  # a stray backtick ends with its line
                return at + 1, "\n"
            case "\\" if not self._code:
                return self._escape(at, final=final)
            case "[" | "【" if not self._code:
                return self._marker(at, at, final=final)
            case " " if not self._code:
                return self._blank(at, final=final)
        return self._plain(at)

    def _escape(self, at: int, *, final: bool) -> tuple[int, str] | None:
        if at + 1 == len(self._text) and not final:
            return None
        self._line_start = self._tidy = False
        end = at + 1 if self._text[at + 1 : at + 2] in ("", "\n") else at + 2
        return end, self._text[at:end]

    def _plain(self, at: int) -> tuple[int, str]:
        following = _NEXT.search(self._text, at + 1)
        end = following.start() if following is not None else len(self._text)
        if self._text[at:end].strip():
            self._line_start = self._tidy = False
        return end, self._text[at:end]

    def _ticks(self, at: int, *, final: bool) -> tuple[int, str] | None:
        run = _TICKS.match(self._text, at)
        end = min(run.end() if run is not None else at + 1, at + _MAX_FENCE)
        if end == len(self._text) and end - at < _MAX_FENCE and not final:
            return None
        ticks = self._text[at:end]
        if not self._code:
            # Three or more open a block only at the start of a line; elsewhere they are code within the line.
            self._code = ticks if len(ticks) < 3 or self._line_start else "``"
        elif len(self._code) >= 3:
            self._code = "" if self._line_start and len(ticks) >= len(self._code) else self._code
        elif len(ticks) >= len(self._code):
            self._code = ""
        self._line_start = self._tidy = False
        return end, ticks

    def _blank(self, at: int, *, final: bool) -> tuple[int, str] | None:
        """One blank: it goes with a dropped marker after it, or with one dropped before it at the start of a line."""
        if self._tidy:
            self._tidy = False
            return at + 1, ""
        following = self._text[at + 1 : at + 2]
        if not following and not final:
            return None
        if following and following in "[【" and not self._line_start:
            return self._marker(at, at + 1, final=final)
        return at + 1, " "

    def _marker(self, at: int, bracket: int, *, final: bool) -> tuple[int, str] | None:
        """A bracket and the blank before it, if there is one at `at`."""
        text = self._text
        run = _RUN.match(text, bracket)
        end = run.end() if run is not None else bracket + 1
        if end == len(text) and not final:
            return None
        marker = MARKER.match(text, bracket)
        before = text[at:bracket]
        glued = not before and (self._last.isalnum() or self._last in "_)]")
        image = not before and self._last == "!"
        if marker is None or marker.end() != end or text[end : end + 1] == "(" or image:
            self._line_start = self._tidy = False
            return bracket + 1, text[at : bracket + 1]
        named = named_numbers(marker["plain"] or marker["heavy"])
        if named == [0] and glued:
            self._line_start = self._tidy = False
            return end, text[at:end]
        shown = "".join(
            f"[{self._order.setdefault(n, len(self._order) + 1)}]" for n in named if 1 <= n <= self._sources
        )
        self._tidy = not shown and self._line_start
        if not shown:
            return end, ""
        self._line_start = False
        return end, before + shown


def named_numbers(inside: str) -> list[int]:
    """The numbers that the inside of a marker names; ranges are spelled out, each number once."""
    numbers: list[int] = []
    for match in _NUMBER.finditer(inside):
        first, last = int(match[1]), int(match[2] or match[1])
        numbers.extend(range(first, last + 1) if first <= last < first + 20 else [first, last])
    return list(dict.fromkeys(numbers))
