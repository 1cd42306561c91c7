"""Rewrites a stretch of text to what a reader sees of it, keeping where each character ends in the text. Pure."""

import html
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.guardrail.normal import fold
from app.lookalikes import LOOKALIKE_DIGITS, LOOKALIKES

_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A stretch as a reader sees it. `ends`: for each character, where what it stands for ends in the stretch.

    `first` is the first character behind something that was rewritten, `joined` the first behind a break (a line, a
    cell, doubled blanks) that was taken out; both are the length of the text if there is none. `glued`:
    letters and digits that came to stand behind another.
    """

    text: str
    ends: list[int]
    first: int
    joined: int
    glued: Sequence[int] = ()


# Elements that only colour or mark what stands in them; any other begins a new line or cell.
_INLINE = (
    "a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u"
    "|var|wbr"
)
_LIST_SIGN = r"(?:[-+.] |\d{1,2}[.)] )?"
_SPOT = re.compile(
    r"(?=[\\%=&~`<\n|\[]| [ \n|<\[])(?:"
    rf"(?P<char>\\u\{{?[0-9A-Fa-f]{{4}}\}}?|\\x[0-9A-Fa-f]{{2}}|[%=][2-7][0-9A-Fa-f]|&(?:\#\d{{1,6}}|\#[xX][0-9A-Fa-f]{{1,5}}|[A-Za-z]{{2,8}});)"
    rf"|(?P<mark>\\(?=[!-/:-@\[-`{{-~])|~~|`+|<!--[^\n]{{0,60}}?-->|</?(?i:{_INLINE})(?:[ /][^<>\n]{{0,60}})?>)"
    r"|(?P<break>(?: *(?:"
    rf"\n(?: *>)* *{_LIST_SIGN}|\|(?: *\n *\|)?|\[\^?\d{{1,3}}\](?!\()|</?(?i:br|p|div|td|th|tr|li|ul|ol|dd|dt|hr|pre"
    r"|h\d)"
    r"(?:[ /][^<>\n]{0,60})?>|  )(?:(?<=  ) *| *))+))"
)
_WORD = re.compile(r"[^ \n]+")
LOOKALIKE = "[" + "".join(chr(code) for code in sorted({*LOOKALIKES, *LOOKALIKE_DIGITS})) + "]"


def _character(text: str) -> str:
    """What an escape or entity stands for; as it was if that is no printable character of one."""
    if text[0] == "&":
        plain = html.unescape(text)
    elif text[0] in "%=":
        plain = chr(int(text[1:], 16))
    else:
        plain = chr(int(text[2:].strip("{}"), 16))
    return fold(plain)[0] if len(plain) == 1 else text


# The commonest of them, for texts that are full of them.
_PLAIN = {
    spot: _character(spot)
    for code in range(0x20, 0x80)
    for spot in (
        *(f"{sign}{code:02{case}}" for sign in ("%", "=", "\\x", "\\u00") for case in "xX"),
        f"&#{code};",
        *(f"&#x{code:{case}};" for case in "xX"),
    )
}


def _latin(match: re.Match[str]) -> str:
    """A word with its look-alikes as Latin letters, if it has Latin letters or all of it looks like them."""
    word = match[0]
    latin = word.translate(LOOKALIKES)
    return latin if latin.isascii() or any(character.isascii() and character.isalnum() for character in word) else word


def _with_digits(match: re.Match[str]) -> str:
    """A word with its look-alikes as digits, if it has other digits or nothing else: not every "o" is a zero."""
    word = match[0]
    number = word.translate(LOOKALIKE_DIGITS)
    return number if number.isdigit() or _DIGIT.search(word) else word


def glue(match: re.Match[str]) -> str:
    """Nothing where a break stood: the halves of a word."""
    return _character(match[0]) if match["char"] else ""


def space(match: re.Match[str]) -> str:
    """A blank where a break stood: the groups of a number."""
    return _character(match[0]) if match["char"] else " " if match["break"] else ""


def rewrite(
    stretch: str, plain: Callable[[re.Match[str]], str], *, underscores: bool = False, digits: bool = False
) -> Rewritten | None:
    """The stretch with every spot as `plain` has it and look-alikes as Latin letters; None if it stays as it is."""
    parts: list[str] = []
    ends: list[int] = []
    seams: list[int] = []
    at = 0
    first = joined = -1
    for match in _SPOT.finditer(stretch):
        spot = match[0]
        text = _PLAIN.get(spot)
        if text is None and (text := plain(match)) == spot:
            continue
        start, end = match.span()
        if start > at:
            seams.append(len(ends))
            parts.append(stretch[at:start])
            ends.extend(range(at + 1, start + 1))
        first = len(ends) if first < 0 else first
        if joined < 0 and match["break"]:
            joined = len(ends)
        if text:
            parts.append(text)
            ends.extend([end] * len(text))
        else:
            seams.append(len(ends))
        at = end
    if at == 0 and stretch.isascii() and not underscores:
        return None
    seams.append(len(ends))
    parts.append(stretch[at:])
    ends.extend(range(at + 1, len(stretch) + 1))
    text = "".join(parts)
    if not text.isascii():
        numbered = _WORD.sub(_with_digits, text) if digits else text
        latin = _WORD.sub(_latin, numbered)
        first = 0 if latin != text else first
        seams += [at for at in range(1, len(text)) if numbered[at - 1] != latin[at - 1] and numbered[at].isascii()]
        text = latin
    if underscores and "_" in text:
        kept = [place for place, character in enumerate(text) if character != "_"]
        first = min(text.index("_"), first) if first >= 0 else text.index("_")
        joined = bisect_left(kept, joined)
        seams = [bisect_left(kept, place) for place in seams]
        seams += [at for at in range(1, len(kept)) if kept[at] - kept[at - 1] > 1]
        text, ends = "".join(text[place] for place in kept), [ends[place] for place in kept]
    if first < 0:
        return None
    glued = sorted({at for at in seams if first <= at and text[at - 1 : at].isalnum() and text[at : at + 1].isalnum()})
    return Rewritten(text, ends, first, joined if joined > 0 else len(text), glued)
