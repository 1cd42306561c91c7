"""Characters that show nothing and may carry or turn around a text that its reader does not see. Pure.

Flagged: characters of tags (but for the flags of England, Scotland and Wales, which are emoji), overrides of the
direction of writing, long runs of invisible characters, and selectors of variants in a row, which encode bytes. Many
scripts and emoji need joiners and marks of direction: one by itself, beside such letters, is ordinary.
"""

import re

from app.incoming.finding import PassageFinding

_INVISIBLE = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufeff"
    r"\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
_SELECTORS = r"\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = r"\U000e0000-\U000e007f"
_FLAG = r"\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f"
MIN_RUN = 4
_ANY = re.compile(rf"[{_INVISIBLE}{_SELECTORS}{_TAGS}]")
_FLAGGED = re.compile(
    rf"{_FLAG}|(?P<tags>[{_TAGS}](?:[{_TAGS}{_INVISIBLE}{_SELECTORS}]*[{_TAGS}])?)"
    rf"|(?P<override>[\u202d\u202e])|(?P<run>[{_INVISIBLE}]{{{MIN_RUN},}})|(?P<selectors>[{_SELECTORS}]{{2,}})"
)
_REASONS = {"tags": "tag characters", "override": "override of direction", "run": "invisible characters",
            "selectors": "selectors in a row"}  # fmt: skip
_STRIPPED = re.compile(
    rf"(?P<kept>{_FLAG})|[{_TAGS}]+|[\u202d\u202e]|[{_INVISIBLE}]{{{MIN_RUN},}}|(?P<first>[{_SELECTORS}])[{_SELECTORS}]+"
    r"|[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]"
    # Joiners, marks and embeddings among letters that need none.
    r"|(?<![^\x00-\u024f])[\u200c-\u200f\u202a-\u202c\u2066-\u2069]+(?![^\x00-\u024f])"
)


def find_control_characters(text: str) -> list[PassageFinding]:
    """Stretches of such characters."""
    if text.isascii() or not _ANY.search(text):
        return []
    return [
        PassageFinding("control characters", match.start(), match.end(), _REASONS[match.lastgroup])
        for match in _FLAGGED.finditer(text)
        if match.lastgroup
    ]


def without_invisible(text: str) -> str:
    """The text without characters that show nothing, but for those that a script or an emoji needs."""
    if text.isascii() or not _ANY.search(text):
        return text
    return _STRIPPED.sub(_kept, text)


def _kept(match: re.Match[str]) -> str:
    """A flag, and of selectors in a row the first; one by itself belongs to the character before it."""
    return match["kept"] or match["first"] or ""
