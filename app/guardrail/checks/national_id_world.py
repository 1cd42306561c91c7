"""Personal numbers of the United States, Canada, Brazil and India."""

import re

from app.guardrail.check import NUMBER, NUMBER_START, PatternCheck
from app.guardrail.checks.national_id import KIND, named, number_rule, standing_alone
from app.guardrail.checks.numbers import digits, luhn, verhoeff, weighted

_ssn_named = named(r"ssn|itin|social ?sec\w*(?: number)?|social ?num\w*|soc\. sec|taxpayer")


def _us_ssn(match: re.Match[str], before: str) -> bool:
    number = digits(match[0])
    area, group, serial = number[:3], int(number[3:5]), int(number[5:])
    if area in {"000", "666"} or group == 0 or serial == 0:
        return False
    if area[0] == "9" and not (50 <= group <= 65 or 70 <= group <= 88 or group >= 90):  # a taxpayer number
        return False
    return re.fullmatch(r"\d{3}([.\-])\d\d\1\d{4}", match[0]) is not None or _ssn_named(before)


def _br_cpf(number: str) -> bool:
    def check(upto: int) -> int:
        rest = weighted(number, tuple(range(upto + 1, 1, -1)), 11)
        return 11 - rest if rest > 1 else 0

    return len(set(number)) > 1 and (check(9), check(10)) == (int(number[9]), int(number[10]))


CHECKS: tuple[PatternCheck, ...] = (
    PatternCheck(
        KIND,
        "US social security or taxpayer number",
        standing_alone(r"\d{3}[ .\-]?\d\d[ .\-]?\d{4}"),
        _us_ssn,
        run=NUMBER,
        opener=NUMBER_START,
    ),
    number_rule("Canadian SIN", r"\d{3}[ \-]?\d{3}[ \-]?\d{3}", luhn, words="sin|nas|social insurance(?: number)?"),
    number_rule(
        "Brazilian CPF", r"\d{3}[.]?\d{3}[.]?\d{3}-?\d\d", _br_cpf, words="cpf", strong=r"\d{3}\.\d{3}\.\d{3}-\d\d"
    ),
    number_rule(
        "Indian Aadhaar number",
        r"[2-9]\d{3}[ \-]?\d{4}[ \-]?\d{4}",
        verhoeff,
        words="aadhaa?r|uid",
        strong=r"\d{4}[ \-]\d{4}[ \-]\d{4}",
    ),
)
