"""What tells a value drawn at random from words, identifiers and placeholders."""

import re

# Where letters meet digits, or small letters capitals: what random text is full of, and words are not.
_TURN = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
_DIGIT = re.compile(r"[0-9]")
_HUMP = re.compile(r"(?<=[a-z])[A-Z]")
_PLACEHOLDER = re.compile(
    r"x{6}|y{6}|0{12}|(?:\A|[_\-])(?:your|insert|example|placeholder|dummy)(?:\Z|[_\-])", re.IGNORECASE
)


def is_placeholder(value: str) -> bool:
    """Whether a value only shows where a key would stand."""
    return _PLACEHOLDER.search(value) is not None


def is_random(value: str) -> bool:
    """Whether a value looks drawn at random, rather than made of words, of one sign repeated, or of digits alone."""
    size = len(value)
    if len(set(value)) < min(6, size // 2):
        return False
    if _DIGIT.search(value) is None:
        turns = len(_HUMP.findall(value)) >= max(3, size // 6)
    else:
        turns = len(_TURN.findall(value)) >= min(3, max(size // 8, 1))
    return turns and not is_placeholder(value)
