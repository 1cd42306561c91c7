"""Phone numbers. Shapes that only phones have stand alone; any other needs a word such as "call" before it."""

import re

from app.guardrail.check import NUMBER, NUMBER_START, Finding
from app.guardrail.checks.numbers import digits, shortened

_DATE = r"(?!\d{1,2}[./\-]\d{1,2}[./\-](?:19|20)?\d\d(?![.\-/]?\d)|(?:19|20)\d\d[./\-]\d{1,2}[./\-]\d{1,2}(?!\d))"
_ABROAD = (
    r"(?:\+|00(?=\d{1,3}[ .\-/(]))[1-9]\d{0,2}[ .\-/]{0,2}(?:\(0?\d{0,4}\)[ .\-]{0,2})?"
    r"\d{1,14}(?:[ .\-/]{1,2}\(?\d{1,6}\)?){0,6}(?: ?x\d{1,6})?"
)
# Name, shape, and the least and most digits.
_SHAPES = (
    ("international", _ABROAD, 8, 17),
    ("north american", r"(?:1[ .\-])?(?:\(\d{3}\)[ .\-]?|\d{3}[ .\-])\d{3}[ .\-]\d{4}(?: ?x\d{1,6})?", 10, 17),
    ("bracketed", r"\(0?\d{1,5}\)[ .\-]?\d{2,8}(?:[ .\-]\d{2,5}){0,3}", 7, 13),
    ("national", _DATE + r"0\d{1,5}(?:[ ./\-]\(?\d{2,8}\)?){1,5}", 9, 14),
    ("named", _DATE + r"[+(]?\d[\d ().\-/]{4,22}\d(?: ?x\d{1,6})?", 6, 15),
)
_FORMS = tuple(
    (name, re.compile(shape + r"(?![A-Za-z0-9])", re.ASCII), least, most) for name, shape, least, most in _SHAPES
)
_NAMED = re.compile(
    r"(?i)\b(?:phones?|telephone|tel|mobile|mob|cell|cellphone|call(?:ing|ed)?|fax|dial|sms|text(?:ed)?|whatsapp|hotline|"
    r"reach(?:ed|able)?|ring|telefon|handy|t[ée]l[ée]phone|tel[ée]fono|helpline|contact number|callback)\b"
    r"(?P<between>[^\n]{0,36})\Z"
)
_OTHER = re.compile(
    r"(?i)\b(?:order|invoice|ticket|case|isbn|ean|sku|id|version|zip|postcode|account|issue|pr|room|model|serial|port|"
    r"card|ssn|year|npi|mrn|since|in)\b|[.!?] [A-Z]|https?:"
)
_GLUED = re.compile(r"(?:[A-Za-z0-9_][-_./@#=&?%]|https?://[^ \n]*|[$€£#])\Z")


_NO_PHONE = re.compile(r"\((?:19|20)\d\d\)|0\.\d")  # "(2019) 12-13" is a year and pages, "0.75 / 0.80" are numbers


def _called_phone(before: str) -> bool:
    cue = _NAMED.search(before)
    return cue is not None and _OTHER.search(cue["between"]) is None


class PhoneCheck:
    """The first shape that fits, shortened group by group while it has more digits than a phone number."""

    kind = "phone"
    run = NUMBER
    opener = NUMBER_START
    needs = ""
    cue = None
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        before = window[:start]
        if _GLUED.search(before) is not None and not before.lower().endswith("tel:"):
            return None
        for name, shape, least, most in _FORMS:
            match = shape.match(window, start)
            if match is None or (name == "named" and not _called_phone(before)):
                continue
            text = next((text for text in shortened(match[0]) if len(digits(text)) <= most), "")
            if len(digits(text)) >= least and (name == "named" or _NO_PHONE.match(text) is None):
                return Finding(start, start + len(text), self.kind, f"{name} phone number")
        return None


CHECK = PhoneCheck()
