"""Numbers of passports, driving licences, identity cards: beside their names, or where little else looks like them."""

import re

from app.guardrail.check import DIGIT, PatternCheck
from app.guardrail.checks.number_table import NEXT, IdForm, Table, anything, named
from app.guardrail.checks.runs import ALNUM_START

_PASSPORT = (
    r"(?:reise)?pass(?:port)?s?(?:[ -]?(?:nummer|nr))?|travel (?:document|passport)|passeport|"
    r"pasaporte|passaporto|passaporte|paspoort\w*|paszport\w*|"
    r"pasu|pas|паспорт\w*|pasaport\w*|여권\w*|旅券\w*|パスポート\w*|护照\w*|護照\w*|جواز\w*"
)
_LICENCE = (
    r"driv(?:er'?s?|ing) licen[cs]e\w*|licen[cs]e (?:no|number)|dl (?:no|number)|f[üu]hrerschein\w*|"
    r"permis(?: de conduire)?|carn[eé]t de conducir|"
    r"licencia(?: de conducir)?|patente(?: di guida)?|carta de condu[çc][ãa]o|cnh|rijbewijs\w*|prawo "
    r"jazdy|körkort\w*|kørekort\w*|førerkort\w*|"
    r"驾驶证\w*|驾照\w*|駕照\w*|ehliyet\w*|водительск\w+|ajokortti|운전면허\w*|運転免許\w*"
)
_IDENTITY = (
    r"ausweis\w*|personalausweis\w*|carta d'identit[àa]|carte d'identit[ée]|cni|identity card|id card|"
    r"dow[óo]d\w*|občansk\w+|"
    r"documento de identidad|identiteitskaart\w*|buletin\w*"
)
_WEIGHTS = (7, 3, 1)


def checked_731(number: str) -> bool:
    """Machine-readable documents (ICAO 9303): the last digit is the weighted sum of the others, letters from 10 up."""
    total = sum(int(sign, 36) * _WEIGHTS[at % 3] for at, sign in enumerate(number[:-1]))
    return number[-1].isdigit() and total % 10 == int(number[-1]) and number[0] in "CFGHJKLMNPRTVWXYZ"


def uk_driver(number: str) -> bool:
    """Surname, date of birth (51 added to the month's tens: 5 for women), initials."""
    month, day = int(number[6:8]) % 50, int(number[8:10])
    return 1 <= month <= 12 and 1 <= day <= 31


def korean(number: str) -> bool:
    return number[0] in "MSRODG"


PASSPORTS: tuple[IdForm, ...] = (
    IdForm("", "passport", anything, _PASSPORT,
        "9{7}, 9{8}, 9{9}, A9{6}, A9{7}, A9{8}, A9{9}, AA9{6}, AA9{7}, AA9{8}, AAA9{6}, AAA9{7}, "
        "99AA9{5}, A99A9{5}, A99A99A9{2}, 99AAA9{4}, 9{2} 9{7}, 9999 9{6}, 9{2} 99 9{6}, A9{2}AAA9{3}"),
    IdForm("Germany", "passport", checked_731, _PASSPORT,
        "A9{8}, A99A99A99, A9A99A999, A99A9{5}, A9999A999, AA9A9A999, AAA9{6}, AA9{7}, A9AA9A999, "
        "A99AA9999, A9A9A9999", whole="A99A99A99, A9{8}"),
    IdForm("Korea", "passport", korean, _PASSPORT, "A9{3}A9{4}", whole="A9{3}A9{4}"),
    IdForm("Spain", "passport", anything, _PASSPORT, "AAA9{6}, AAA-9{6}", whole="AAA9{6}"),
    IdForm("Italy, United Kingdom", "passport or identity card", anything, rf"{_PASSPORT}|{_IDENTITY}",
        "AA9{7}, AA9{5}AA, 9{7}AA", whole="AA9{7}"),
    IdForm("India, United States", "passport", anything, _PASSPORT, "A9{7}, A9{8}"),
)  # fmt: skip
LICENCES: tuple[IdForm, ...] = (
    IdForm("United Kingdom", "driving licence", uk_driver, _LICENCE, "",
        "A{5}9{6}AA9AA, A{5}9{6}A99AA, A{4}9{7}AA9AA, A{3}9{8}AA9AA, A{2}9{9}AA9AA, "
        "A{2}9{7}9{2}9AA9AA, A{2}9{9}AA9AA, A{5}9{6}A9AA9, A{2}9{9}9AA9AA"),
    IdForm("Korea", "driving licence", lambda number: 11 <= int(number[:2]) <= 28, _LICENCE, "99-99-9{6}-99",
        "99-99-9{6}-99"),
    IdForm("Italy", "driving licence", anything, _LICENCE, "A9A99A999A, AA9{7}A, A9{7}A, A{2}9{6}A"),
    IdForm("Germany", "driving licence", anything, _LICENCE,
        "A9{2}9A9A9A99, A9{2}9{7}A9, A9{2}AAA9AA99, A9{9}9, A99A9A9A999, A999AAA9A99, A9A99AAA99A"),
    IdForm("", "driving licence", anything, _LICENCE,
        "9{7}, 9{8}, 9{9}, 9{10}, 9{11}, 9{12}, A9{5}, A9{6}, A9{7}, A9{8}, A9{9}, A9{10}, A9{11}, "
        "A9{12}, A9{13}, A9{14}, AA9{5}, AA9{6}, AA9{7}, "
        "A999-9999-9999, A999-999-99-999-9, A99-99-9999, 999-999-999, 99 999 999, AA99 9{11}, "
        "AA-9{13}, AA9{13}, AA99 99999999999, A999 9999 9999 99"),
)  # fmt: skip
IDENTITY_CARDS: tuple[IdForm, ...] = (
    IdForm("", "identity card", anything, _IDENTITY,
        "A9{8}, AA9{7}, AA99999AA, AA 9{7}, AAA9{6}, 9{9}, A99A99A99, A9A99A999, 9{12}, AA9{5}AA, 9{7}AA, " "AA9{6}"),
)  # fmt: skip
_called_passport = named(_PASSPORT, NEXT)
# States are free in what they print (ICAO 9303: up to nine letters and digits): right behind the word any of it counts.
ANY_PASSPORT = PatternCheck(
    "passport",
    "called a passport",
    re.compile(r"(?=(?:[A-Z]*\d){3})(?=[A-Z\d]*[A-Z])[A-Z\d]{8,9}(?![\w\-])", re.ASCII),
    lambda _match, before: _called_passport(before),
    opener=ALNUM_START,
    needs=DIGIT,
)
TABLES = (Table("passport", PASSPORTS), Table("driving licence", LICENCES))
