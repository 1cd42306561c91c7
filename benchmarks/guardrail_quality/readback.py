"""When is a value hidden? If nobody can read it back from what is left.

A value that was written in some disguise counts as readable if a contiguous part of at least three fifths of its
letters and digits stands in what the guardrail released, in the clear or as the disguise wrote it. Both are looked for:
the part of the value in the released text after undoing what a reader's eye or browser undoes (compatibility
characters, invisible ones, marks, tags, comments, entities, percent signs, citations), and the part of the disguised
value in the released text as it is. Punctuation, blanks and the case of letters do not count. A mask ends a contiguous
part. So a value of which only the first half is left counts as hidden: what is left leads to thousands of values, not
to this one.
"""

import html
import re
import unicodedata
from urllib.parse import unquote

_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL)
_CITATION = re.compile(r"\[\d{1,2}\]")


def plain(text: str) -> str:
    """The letters and digits of a text, folded; `\\0` stays."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(_digit(character) for character in folded if character == "\0" or character.isalnum())


def readable(value: str, disguised: str, left: str) -> bool:
    """Whether a value that stood there as `disguised` can be read back from what is left, with `\\0` for masks."""
    seen = unquote(html.unescape(_CITATION.sub("", _TAG.sub("", left))))
    return _holds_part(plain(value), plain(seen)) or _holds_part(plain(disguised), plain(left))


def _digit(character: str) -> str:
    return str(unicodedata.digit(character)) if character.isdigit() else character


def _holds_part(value: str, text: str) -> bool:
    size = -(-len(value) * 3 // 5)
    return any(value[at : at + size] in text for at in range(len(value) - size + 1))
