"""Phone numbers. Shapes that only phones have stand alone; any other needs a word such as "call" before it."""

import re

from app.guardrail.check import NUMBER, NUMBER_START, Rule
from app.guardrail.checks.numbers import digits

_DATE = r"(?!\d{1,2}[./\-]\d{1,2}[./\-](?:19|20)?\d\d(?![.\-/]?\d)|(?:19|20)\d\d[./\-]\d{1,2}[./\-]\d{1,2}(?!\d))"
_SHAPES = (
    ("international", r"(?:\+|00(?=\d{1,3}[ .\-/(]))[1-9]\d{0,2}[ .\-/]{0,2}(?:\(0?\d{0,4}\)[ .\-]{0,2})?\d{1,14}(?:[ .\-/]{1,2}\(?\d{1,6}\)?){0,6}"),
    ("north american", r"(?:1[ .\-])?(?:\(\d{3}\)[ .\-]?|\d{3}[ .\-])\d{3}[ .\-]\d{4}(?: ?x\d{1,6})?"),
    ("area code in brackets", r"\(0?\d{1,5}\)[ .\-]?\d{2,8}(?:[ .\-]\d{2,5}){0,3}"),
    ("national", _DATE + r"0\d{1,5}(?:[ ./\-]\(?\d{2,8}\)?){1,5}"),
    ("named", _DATE + r"[+(]?\d[\d ().\-/]{4,22}\d(?: ?x\d{1,6})?"),
)  # fmt: skip
_PHONE = re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{shape})(?![A-Za-z0-9])" for name, shape in _SHAPES), re.ASCII)
_LENGTHS = {"international": (8, 17), "north_american": (10, 17), "area_code_in_brackets": (7, 13), "national": (9, 14), "named": (6, 21)}  # fmt: skip
_NAMED = re.compile(
    r"(?i)\b(?:phones?|telephone|tel|mobile|mob|cell|cellphone|call(?:ing|ed)?|fax|dial|sms|text(?:ed)?|whatsapp|hotline|"
    r"reach(?:ed|able)?|ring|telefon|handy|t[ée]l[ée]phone|tel[ée]fono|helpline|contact number|callback)\b(?P<between>[^\n]{0,36})\Z"
)
_OTHER = re.compile(
    r"(?i)\b(?:order|invoice|ticket|case|isbn|ean|sku|id|version|zip|postcode|account|issue|pr|room|model|serial|port|"
    r"card|ssn|year|npi|mrn|since|in)\b|[.!?] [A-Z]|https?:"
)
_GLUED = re.compile(r"(?:[A-Za-z0-9_][-_./@#=&?%]|https?://[^ \n]*|[$€£#])\Z")


def _is_phone(match: re.Match[str], before: str) -> bool:
    shape = match.lastgroup or ""
    count = len(digits(match[0]))
    low, high = _LENGTHS[shape]
    if not low <= count <= high or (_GLUED.search(before) and not before.lower().endswith("tel:")):
        return False
    if shape != "named":
        # "(2019) 12-13" is a year and pages; "0.75 / 0.80" are numbers.
        return re.match(r"\((?:19|20)\d\d\)|0\.\d", match[0]) is None
    cue = _NAMED.search(before)
    return cue is not None and _OTHER.search(cue["between"]) is None


CHECK = Rule(
    kind="phone",
    reason="shape of a phone number, or a number called a phone",
    pattern=_PHONE,
    accept=_is_phone,
    run=NUMBER,
    opener=NUMBER_START,
)
