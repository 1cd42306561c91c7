"""Patterns of many words, as trees: `re` tries alternatives one by one, and so a shared beginning once. Pure."""

import re
from collections.abc import Iterable


def _branches(words: Iterable[str]) -> dict[str, list[str]]:
    tree: dict[str, list[str]] = {}
    for word in dict.fromkeys(words):
        tree.setdefault(word[:1], []).append(word[1:])
    return tree


def any_of(words: Iterable[str]) -> str:
    """One of the words, the longest that fits first; a star is an ending of up to four letters."""
    branches = _branches(words)
    ends = branches.pop("", None) is not None
    if not branches:
        return ""
    parts = [(r"\w{0,4}" if first == "*" else re.escape(first)) + any_of(rest) for first, rest in branches.items()]
    return f"(?:{'|'.join(parts)}){'?' if ends else ''}"


def prefixes(words: Iterable[str]) -> str:
    """One of the words, or whatever one begins with, but for nothing at all."""
    branches = _branches(word for word in words if word)
    parts = [
        re.escape(first) + (f"(?:{more})?" if (more := prefixes(rest)) else "") for first, rest in branches.items()
    ]
    return "|".join(parts)
