"""Cuts a stream into what a model is shown at a time: a sentence, a line, an item, a cell row. Pure.

Where a segment ends depends on its own text and the character behind it, and so not on how the stream was cut.
"""

import re
from collections.abc import Iterator

LONGEST = 400

_SHORT = 48  # characters of a line that does not go on behind its break, such as an item or a row of an address

# A sentence ends at its mark behind a word that is no abbreviation ("Dr.", "J."), before what is no small letter.
_END = re.compile(
    r"(?:(?<=[^\W\d_]{4})(?<!Prof)\.|(?<=[\d)\]\"'])\.|[!?])[\"')\]]{0,2}[ \n](?=[^a-z])|(?P<line>\n)(?=(?P<sign>\W)?)"
)


def first_segment(text: str, *, final: bool) -> int:
    """How long the segment is that a text begins with; 0 if that depends on what follows. `final`: nothing does."""
    end = next(_ends(text), None)
    if end is not None and end <= LONGEST:
        return end
    if len(text) > LONGEST:
        return text.rfind(" ", 0, LONGEST) + 1 or LONGEST
    return len(text) if final else 0


def _ends(text: str) -> Iterator[int]:
    """Where sentences and lines end, but for long lines that go on in the next."""
    for match in _END.finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        if match["line"] is None or match["sign"] or match.start() - begin <= _SHORT:
            yield match.end()
