"""Where sentences end, by rule: the same on every machine, with nothing to load."""

import re

BOUNDARY = re.compile(
    r"[.!?…]+[\"'”’»)\]]*(\s+)(?=[^\sa-zà-öø-ÿ,;:)])"
    # Chinese and Japanese need no space; behind a quotation that goes on (「はい。」と言う) nothing ends.
    r"|[。！？｡]++(?![」』）】〉》”’])\s*(?=\S)|[。！？｡]++[」』）】〉》”’]++\s*+(?![」』）】〉》”’\sとのはがを、，,]|って)(?=\S)"
)
LIST_NUMBER = re.compile(r"\d{1,3}|[ivxIVX]{1,5}|[a-z]")
# A full stop after these does not end a sentence.
ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        """
        e.g i.e eg ie cf vs etc al approx dept est fig figs no nos p pp art sec ch vol ed eds inc ltd co corp
        mr mrs ms dr prof st sr jr rev gen col capt lt u.s u.k jan feb mar apr jun jul aug sep sept oct nov dec
        z.b bzw usw ca nr bspw
        """,
    )
)
# What stands before a word.
_BEFORE_WORD = re.compile(r"[\s(\[\"'“‘]")


def sentences(text: str) -> list[str]:
    """The sentences of `text` in order, white space between them removed; what has no end is one sentence."""
    return [text[start:end] for start, end in sentence_spans(text)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence stands in `text`: [start, end) in characters, without the white space around it."""
    bounds = [0]
    for match in BOUNDARY.finditer(text):
        if not _abbreviated(text, bounds[-1], match.start(), match.end()):
            bounds.append(match.end())
    found = []
    for start, end in zip(bounds, [*bounds[1:], len(text)], strict=True):
        part = text[start:end]
        if stripped := part.strip():
            begin = start + len(part) - len(part.lstrip())
            found.append((begin, begin + len(stripped)))
    return found


def _abbreviated(text: str, start: int, stop: int, behind: int) -> bool:
    """True if the full stop at `stop` belongs to an abbreviation, an initial or a list number; the text goes on at
    `behind`. "No." is one before a number alone.
    """
    if text[stop] != ".":
        return False
    word = _BEFORE_WORD.split(text[max(start, stop - 20) : stop])[-1]
    begins = not text[start : stop - len(word)].strip()
    if word.lower() == "no":
        return text[behind].isdigit()
    return (
        word.lower() in ABBREVIATIONS
        or (len(word) == 1 and word.isupper())
        or (begins and LIST_NUMBER.fullmatch(word) is not None)
    )
