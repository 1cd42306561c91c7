"""Which headings of a passage say more than the title of its document."""

from collections.abc import Sequence


def beside(title: str, headings: Sequence[str]) -> Sequence[str]:
    """The headings without a first one that is the title again: it is written once more, not said once more."""
    again = bool(headings) and headings[0].split() == title.split()
    return headings[1:] if again else headings
