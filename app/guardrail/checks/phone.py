"""Phone numbers. Shapes that only phones have stand alone; any other needs a word such as "call" before it."""

import re
from collections.abc import Callable

from app.guardrail.check import NUMBER_START, Finding
from app.guardrail.checks import phone_plans
from app.guardrail.checks.numbers import digits, shortened
from app.guardrail.checks.phone_words import NAMES, OTHER
from app.guardrail.checks.runs import NUMBER_AND_LABEL, words_before

_DATE = r"(?!\d{1,2}[./\-]\d{1,2}[./\-](?:19|20)?\d\d(?![.\-/]?\d)|(?:19|20)\d\d[./\-]\d{1,2}[./\-]\d{1,2}(?!\d))"
_ABROAD = (
    r"(?:\+|00(?=\d{1,3}[ .\-/(]))[1-9]\d{0,2}[ .\-/]{0,2}(?:\(0?\d{0,4}\)[ .\-]{0,2})?"
    r"\d{1,14}(?:[ .\-/]{1,2}\(?\d{1,6}\)?){0,6}"
)
_END = r"(?![A-WYZa-wyz0-9]|[Xx](?! ?\d))"
_EXTENSION = re.compile(
    r"(?i)(?: ?x|(?:,? ?|\()(?:ext|extn|extension|durchwahl|dw|poste|anexo|ramal|int|interno|"
    r"extensi[oó]n|tst|wew|доб)[.:]?) ?\d{1,6}(?!\d)"
)
_KIND_BEHIND = re.compile(
    r"(?i),? ?\(?(?:office|mobile|cell|home|work|fax|phone|tel|direct|handy|mobil|fixe|portable|m[óo]vil|cellulare)"
)


_ENOUGH = re.compile(r"[+(]?\d(?:[ ().+/\-]{0,4}\d){5}", re.ASCII)  # no shape has fewer than six digits
_SURE = 10  # digits behind a plus that are taken for a phone number even if no country has such numbers


def _any(_number: str) -> bool:
    return True


def _abroad(number: str) -> bool:
    return phone_plans.is_international(number.removeprefix("00"))


# Name, shape, the least and most digits, and what the digits must be.
_SHAPES: tuple[tuple[str, str, int, int, Callable[[str], bool]], ...] = (
    ("international", _ABROAD, 8, 17, _abroad),
    ("north american", r"(?:1[ .\-]?(?=[(\d]{3,4}))?(?:\(\d{3}\)[ .\-]?|\d{3}[ .\-])\d{3}[ .\-]\d{4}", 10, 11, _any),
    ("bracketed", r"(?:0 ?)?\(0?\d{1,5}\)[ .\-]?\d{2,8}(?:[ .\-]\d{2,5}){0,3}", 7, 13, _any),
    ("national", _DATE + r"0[ .\-]?\d{1,5}(?:[ ./\-]\(?\d{2,8}\)?){1,5}", 9, 14, phone_plans.is_national),
    ("mobile", r"0[1-9]\d{8,9}", 10, 11, phone_plans.is_mobile),
    ("grouped", r"\d{3}([ .\-])\d{3}\1\d\d\1\d\d", 10, 10, lambda number: phone_plans.is_grouped(number, "3-3-2-2")),
    ("named", _DATE + r"[+(]?\d[\d ().\-/]{4,22}\d", 6, 15, _any),
)
_FORMS = tuple(
    (name, re.compile(shape + _END, re.ASCII), least, most, fits) for name, shape, least, most, fits in _SHAPES
)
_WORDS = "|".join(dict.fromkeys("|".join(NAMES.values()).split("|")))
_NAMED = re.compile(rf"(?i)(?<![^\W\d_])(?:{_WORDS})(?![^\W\d_])(?P<between>[^\n]{{0,36}})\Z")
_OTHER = re.compile(rf"(?i)(?<![^\W\d_]){OTHER}(?![^\W\d_])|[.!?] [A-Z]|https?:")
_OTHER_NAMED = re.compile(rf"(?i)(?<![^\W\d_]){OTHER}(?:[ -]?(?:number|no|nr|id|n°))?[.]?[ :#(\-]{{0,3}}\Z")
_GLUED = re.compile(r"(?:[A-Za-z0-9_][-_./@#=&?%]|https?://[^ \n]*|[$€£#])\Z")
# In an address, the value of a parameter that is named after phones.
_PARAMETER = re.compile(r"(?i)(?:tel:|[?&;](?:[a-z_]*(?:phone|tel|mobile|msisdn|fax|whatsapp|cell)[a-z_]*)=(?:%2b)?)\Z")
# Groups before, after a blank: what begins here is the rest of a longer number.
_AFTER_GROUP = re.compile(r"(?:\A|[ (:])(?=[A-Z0-9]*\d)(?!(?:19|20)\d\d )[A-Z0-9]{4,} \Z")
# The same for one dialled with 00: only behind letters and digits, as of an account; a number alone may be a room's.
_AFTER_CODE = re.compile(r"(?:\A|[ (:])(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{4,} \Z")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_AFTER_NUMBER = re.compile(r"\d{2,} \Z")
# Coordinates begin with six digits; in groups with points, those of phones have two digits, or many.
_ODD_GROUPS = re.compile(r"0\d{5} |0\d+\.\d{3}(?:\.|\Z)|0\d+\.\d\d\d?\.\d{2,3}(?:\.\d{3})?\Z(?<!\.\d\d\.\d\d)")
_NO_PHONE = re.compile(r"\((?:19|20)\d\d\)|0\.\d")  # "(2019) 12-13" is a year and pages, "0.75 / 0.80" are numbers


def _called_phone(before: str) -> bool:
    if _LETTERS.search(before) is None:
        return False
    return any(_OTHER.search(cue["between"]) is None for cue in _NAMED.finditer(words_before(before)))


class PhoneCheck:
    """The first shape that fits, shortened group by group while it has more digits than a phone number."""

    kind = "phone"
    run = NUMBER_AND_LABEL
    opener = NUMBER_START
    needs = ""
    cue = None
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        if _ENOUGH.match(window, start) is None:
            return None
        before = window[:start]
        parameter = _PARAMETER.search(before) is not None
        # A plus behind an assigning sign begins a number; in the query of an address it would be a blank.
        assigned = window[start] == "+" and before[-1:] == "=" and "?" not in before and "&" not in before
        if _GLUED.search(before) is not None and not (parameter or assigned):
            return None
        for name, shape, least, most, fits in _FORMS:
            match = shape.match(window, start)
            if match is None or (
                name == "named" and not (parameter or _called_phone(before) or _KIND_BEHIND.match(window, match.end()))
            ):
                continue
            if name != "named" and _belongs_elsewhere(name, match[0], before):
                continue
            text = self._longest(match[0], name, least, most, fits)
            if text:
                end = start + len(text)
                extension = _EXTENSION.match(window, end)
                return Finding(start, extension.end() if extension else end, self.kind, f"{name} phone number")
        return None

    @staticmethod
    def _longest(text: str, name: str, least: int, most: int, fits: Callable[[str], bool]) -> str:
        """The number without the groups behind it that make it none, or nothing."""
        if name != "named" and _NO_PHONE.match(text) is not None:
            return ""
        for part in shortened(text):
            number = digits(part)
            if len(number) < least:
                return ""
            if len(number) <= most and (fits(number) or (part[0] == "+" and len(number) >= _SURE)):
                return part
        return ""


def _belongs_elsewhere(name: str, text: str, before: str) -> bool:
    """Whether it is a group of a longer number, or the number of something else."""
    if name == "international":
        return text[0] == "0" and _AFTER_CODE.search(before) is not None
    if _OTHER_NAMED.search(before) is not None or (name == "national" and _ODD_GROUPS.match(text) is not None):
        return True
    row = name in ("north american", "grouped") and " " in text and _AFTER_NUMBER.search(before) is not None
    return row or (name in ("national", "north american", "grouped") and _AFTER_GROUP.search(before) is not None)


CHECK = PhoneCheck()
