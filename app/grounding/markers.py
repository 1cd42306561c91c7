"""The citations that a sentence of an answer bears, by the numbers of the prompt: read, taken out, set. Pure."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.guardrail.citations import MARKER, named_numbers

_UNNAMED = MARKER.pattern.replace("?P<plain>", "?:").replace("?P<heavy>", "?:")
# Citations right behind the end of a sentence: they belong to it.
BEHIND_STOP = re.compile(rf"(?<=[.!?…])[\"'”’»)*_]*(?: ?(?:{_UNNAMED}))+(?!\()")
_CODE = re.compile(r"(`+).*?\1")
_END = re.compile(r"[\s.!?…:;。！？\"'”’»)*_]*\Z")


@dataclass(frozen=True, slots=True)
class CitationMarker:
    """A citation: [start, end) in the sentence, with the blanks before it, and the numbers that it names."""

    start: int
    end: int
    numbers: tuple[int, ...]


def markers(text: str) -> Iterator[CitationMarker]:
    """The citations of a sentence, as `CitationFilter` reads them: not in code, no link, no image, no `arr[0]`."""
    code = [m.span() for m in _CODE.finditer(text)]
    for match in MARKER.finditer(text):
        before, after = text[: match.start()], text[match.end() : match.end() + 1]
        if after == "(" or before.endswith(("!", "\\")) or any(a <= match.start() < b for a, b in code):
            continue
        numbers = tuple(named_numbers(match["plain"] or match["heavy"]))
        if numbers == (0,) and (before[-1:].isalnum() or before.endswith(("_", ")", "]"))):
            continue
        yield CitationMarker(len(before.rstrip(" ")), match.end(), numbers)


def without_markers(text: str) -> str:
    """The sentence without its citations."""
    for marker in reversed(list(markers(text))):
        text = text[: marker.start] + text[marker.end :]
    return text


def cite(text: str, passages: Collection[int]) -> str:
    """The sentence citing these passages and no others: right citations stay where they are, a missing one is added."""
    cited = False
    for run in reversed(_runs(text)):
        numbers = list(dict.fromkeys(n for marker in run for n in marker.numbers))
        kept = [n for n in numbers if n in passages]
        cited = cited or bool(kept)
        if len(kept) < len(numbers):
            shown = " " * bool(kept) + "".join(f"[{n}]" for n in kept)
            text = text[: run[0].start] + shown + text[run[-1].end :]
    if cited or not passages:
        return text
    number = next(iter(passages))
    at = _END.search(text)
    place = at.start() if at and "`" not in text[at.start() :] else len(text)
    if text[:place].endswith("|"):  # the last cell of a row
        place = len(text[: place - 1].rstrip())
    return f"{text[:place]} [{number}]{text[place:]}"


def _runs(text: str) -> list[list[CitationMarker]]:
    """Citations that follow each other without a gap."""
    runs: list[list[CitationMarker]] = []
    for marker in markers(text):
        if runs and runs[-1][-1].end == marker.start:
            runs[-1].append(marker)
        else:
            runs.append([marker])
    return runs
