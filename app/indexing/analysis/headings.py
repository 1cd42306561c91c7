"""The headings of a passage that add to the title of its document."""

from collections.abc import Sequence


def distinct_headings(title: str, headings: Sequence[str]) -> Sequence[str]:
    """The headings without a first one that repeats the title, which would count its words twice."""
    repeated = bool(headings) and headings[0].split() == title.split()
    return headings[1:] if repeated else headings
