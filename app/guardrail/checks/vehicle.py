"""Number plates and vehicle identification numbers."""

import re

from app.guardrail.check import CAPITAL, DIGIT, NUMBER_START, Check, PatternCheck, Run
from app.guardrail.checks.number_table import NEXT, IdForm, Table, anything, compact, is_all, named
from app.guardrail.checks.runs import ALNUM_START, CODE, CODE_START, NUMBER_AND_LABEL

_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ",
            (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
            strict=True,
        )
    ),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_STATE_CODES = (
    "AN AP AR AS BH BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TN "
    "TR TS UK UP WB"
)
_STATES = frozenset(_STATE_CODES.split())
_PLATE_WORDS = (
    r"(?:number |licen[cs]e |registration )?plates?(?: (?:number|no))?|(?:vehicle |car "
    r")?reg(?:istration)?(?: (?:number|no))?|rego|"
    r"(?:kfz-?)?kennzeichen|nummernschild|plaka\w*|matr[íi]cula|immatriculation|targa|kenteken|"
    r"placas?|registreringsnummer|nummerplade|tablic\w+|vehicles?"
)
_VIN_WORDS = r"vin|vehicle identification(?: number)?|chassis(?: (?:no|number))?|fahrgestellnummer|fin|bastidor|telaio"


def is_vin(number: str) -> bool:
    """Check digit in the ninth place (49 CFR 565), which the whole of North America and China use."""
    if any(sign not in _VIN_VALUES for sign in number):
        return False
    total = sum(_VIN_VALUES[sign] * weight for sign, weight in zip(number, _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11] == number[8] and sum(sign.isdigit() for sign in number) >= 4


def uk_plate(number: str) -> bool:
    """Since 2001: area, half-year, three letters."""
    year = int(number[2:4])
    return (2 <= year <= 29 or 51 <= year <= 79) and not set("IQ") & set(number[:2] + number[4:])


def in_plate(number: str) -> bool:
    return number[:2] in _STATES


def tr_plate(number: str) -> bool:
    """It begins with the number of the province."""
    return 1 <= int(number[:2]) <= 81


ROWS: tuple[IdForm, ...] = (
    IdForm("United Kingdom", "number plate", uk_plate, _PLATE_WORDS, "AA99AAA, AA99-AAA", whole="AA99AAA, AA99-AAA"),
    IdForm("United Kingdom", "number plate", anything, _PLATE_WORDS,
        "A999AAA, A99AAA, A9AAA, AAA999A, AAA99A, AA99AAA", whole="A999AAA, AAA999A"),
    IdForm("India", "number plate", in_plate, _PLATE_WORDS, "",
        "AA99AA9999, AA9AAA9999, AA99A9999, AA-99-AA-9999, AA99AAA9999"),
    IdForm("Nigeria", "number plate", anything, _PLATE_WORDS, "AAA999AA, AAA-999AA", "AAA-999AA"),
    IdForm("Turkey", "number plate", tr_plate, _PLATE_WORDS,
        "99A9999, 99A99999, 99AA999, 99AA9999, 99AAA99, 99AAA999, 99AAA9999", whole="99AAA999, 99AAA9999, 99AA9999"),
    IdForm("", "number plate", anything, _PLATE_WORDS,
        "AA-999-AA, AAA-9999, AAA9999, AAA-999, AAA999, A-AA-999, A-AA999, A-AA9999, AA-AA999, "
        "AA-AA9999, AAA-AA999, AAA-A999, A-A999, A-A9999, AA-A9999, "
        "99-AAA-9, 9-AAA-99, AA-99-AA, AA999AA, 9AAA999, AAA9A99, 9999-AAA, 9999AAA, AA99999, A999AA99, "
        "A999AA999"),
)  # fmt: skip
TABLE = Table("vehicle", ROWS)
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}(?![\w\-])", re.ASCII)
_SPACED = re.compile(
    r"(?:[A-Z]{1,3}[ \-]\d{1,4} ?[A-Z]{1,3}|[A-Z]{1,3}[ \-][A-Z]{1,2} ?\d{1,4}[EH]?|[A-Z]{1,2}\d{1,4} [A-Z]{2,3}|"
    r"[A-Z]{2} \d{1,2} ?[A-Z]{1,3} ?\d{3,4}|[A-Z]\d{3} [A-Z]{3}|[A-Z]{3} \d[A-Z]\d\d)(?![\w\-])"
)
_DIGITS_FIRST = re.compile(
    r"(?:\d\d [A-Za-z]{1,3} \d{2,4}|\d{1,3}[ \-][A-Z]{2,3}[ \-]\d{1,4}|\d{4} [B-DF-HJ-NP-TV-Z]{3})(?![\w\-])", re.ASCII
)
_UK_SPACED = re.compile(r"(?![CFHQ]Y)[A-HJ-PR-Z]{2}(?:0[2-9]|[12]\d|5[1-9]|[67]\d) [A-HJ-PR-Z]{3}(?![\w\-])")
# As people type one; words of a sentence may look so ("mp03 was"), so it must be named, or be the whole answer.
_SMALL = re.compile(
    r"(?:[a-z]{2}\d\d|[a-z]\d{1,3}) (?!and|are|but|can|did|for|had|has|may|not|the|was|who)[a-z]{3}(?![\w\-])", re.ASCII
)
_SMALL_START = re.compile(r"[a-z](?<![\w\-/.].)(?=[a-z]?\d{1,3} )", re.ASCII)
_SMALL_RUN = Run(
    re.compile(r"(?:[a-z]{1,2}(?:\d{1,3}(?: (?:[a-z]{3}[ \".]{0,6}|[a-z]{0,2}))?)?)?", re.ASCII), 15, min_extent=5
)
_named_plate = named(_PLATE_WORDS)
_called_plate = named(_PLATE_WORDS, NEXT)
_named_vin = named(_VIN_WORDS)


def _is_vin(match: re.Match[str], before: str) -> bool:
    return is_vin(match[0]) or (_named_vin(before) and not match[0].isalpha())


def _is_named_plate(match: re.Match[str], before: str) -> bool:
    return _named_plate(before) or is_all(match.string, match.start(), match.end())


def _is_plate_by_province(match: re.Match[str], before: str) -> bool:
    """Two digits and a blank begin Turkish plates."""
    return _named_plate(before) or (
        is_all(match.string, match.start(), match.end()) and (match[0][2] != " " or tr_plate(match[0]))
    )


def _is_small_plate(match: re.Match[str], before: str) -> bool:
    likely = match[0][1].isalpha() and uk_plate(compact(match[0]))
    return _called_plate(before) or (
        likely and (_named_plate(before) or is_all(match.string, match.start(), match.end()))
    )


CHECKS: tuple[Check, ...] = (
    PatternCheck("vehicle", "vehicle identification number", _VIN, _is_vin, opener=ALNUM_START, needs=DIGIT),
    PatternCheck("vehicle", "plate of the United Kingdom", _UK_SPACED, run=CODE, opener=CODE_START, needs=CAPITAL),
    PatternCheck(
        "vehicle", "number called a plate", _SPACED, _is_named_plate, run=CODE, opener=CODE_START, needs=CAPITAL
    ),
    PatternCheck(
        "vehicle",
        "number called a plate",
        _DIGITS_FIRST,
        _is_plate_by_province,
        run=NUMBER_AND_LABEL,
        opener=NUMBER_START,
    ),
    PatternCheck(
        "vehicle", "number called a plate", _SMALL, _is_small_plate, run=_SMALL_RUN, opener=_SMALL_START, needs=DIGIT
    ),
)
