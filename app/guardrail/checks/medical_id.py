"""Numbers of patients, insured persons and those who treat them."""

import re

from stdnum import luhn as luhn_checksum

from app.guardrail.checks.number_table import ANY_FORM, IdForm, Table, anything
from app.guardrail.checks.numbers import weighted

_MBI = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]{2}\d\d"
)
_PATIENT = (
    r"mrns?|medical record(?:s| id| numbers?| no\.?| #)?|med(?:ical)? rec(?:ord)?(?: no)?|"
    r"patient(?:'s)?(?: (?:id|number|no))?|"
    r"patientennummer|chart (?:no|number)|health record|hospital (?:no|number)|nip patient|num[ée]ro "
    r"de patient|paziente|病历号\w*|患者番号|カルテ番号|환자번호"
)


def us_npi(number: str) -> bool:
    """Luhn over the number behind the prefix 80840 (45 CFR 162.406); it begins with 1 or 2."""
    return number[0] in "12" and luhn_checksum.is_valid("80840" + number)


def us_dea(number: str) -> bool:
    total = int(number[2]) + int(number[4]) + int(number[6]) + 2 * (int(number[3]) + int(number[5]) + int(number[7]))
    return number[0] in "ABCDEFGHJKLMPRSTUX" and total % 10 == int(number[8])


def us_mbi(number: str) -> bool:
    return _MBI.fullmatch(number) is not None


def de_insured(number: str) -> bool:
    """Letter and nine digits (GKV, § 290 SGB V): Luhn with the weights reversed, the letter as two digits."""
    spread = f"{ord(number[0]) - 64:02d}{number[1:9]}"
    total = sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(spread, (1, 2) * 5, strict=True))
    return total % 10 == int(number[9])


def de_doctor(number: str) -> bool:
    return -weighted(number, (4, 9, 4, 9, 4, 9), 10) % 10 == int(number[6]) and number[:6] != "000000"


def au_medicare(number: str) -> bool:
    return number[0] in "23456" and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9), 10) == int(number[8])


ROWS: tuple[IdForm, ...] = (
    IdForm("United States", "NPI", us_npi, r"npi|provider identifier", "9{10}", whole=ANY_FORM),
    IdForm("United States", "DEA number", us_dea, r"dea(?: registration)?|certificate number", "AA9{7}"),
    IdForm("United States", "Medicare number", us_mbi, r"mbi|medicare",
        "9AA9AA9AA99, 9A99A99AA99, 9AA9A99AA99, 9A99AA9AA99",
        "9AA9-AA9-AA99, 9A99-A99-AA99, 9AA9-A99-AA99, 9A99-AA9-AA99, 9AA9AA9AA99"),
    IdForm("Germany", "insured person's number", de_insured,
        r"kvnr|krankenkasse\w*|krankenversicherten\w*|versichertennummer|egk\w*", "A9{9}", whole="A9{9}"),
    IdForm("Germany", "doctor's number", de_doctor, r"lanr|arztnummer", "9{9}", whole="9{9}"),
    IdForm("Australia", "Medicare number", au_medicare, r"medicare", "9{10}, 9{11}, 9999 99999 9 9, 9999 99999 9",
        whole="9999 99999 9"),
    IdForm("", "medical record number", anything, _PATIENT,
        "9{5}, 9{6}, 9{7}, 9{8}, 9{9}, 9{10}, A9{5}, A9{6}, A9{7}, A9{8}, AA9{5}, AA9{6}, AA9{7}, "
        "AA9{8}, AAA9{5}, AAA9{6}, AAA9{7}, AAA9{8}, "
        "A-9{5}, A-9{6}, A-9{7}, A-9{8}, AA-9{6}, AA-9{7}, AAA-9{5}, AAA-9{6}, AAA-9{7}, AAA-9{8}, "
        "99-99-99, 999-99-99, 999-999-999, 999-9999-9999"),
    IdForm("", "medical record number", lambda number: number.startswith(("MRN", "MED")), r"mrn",
        "AAA9{5}, AAA9{6}, AAA9{7}, AAA9{8}", "AAA-9{5}, AAA-9{6}, AAA-9{7}, AAA-9{8}, AAA9{8}"),
    IdForm("", "medical licence", anything,
        r"medical licen[cs]e|medical certificate|approbation\w*|gmc(?: (?:no|number))?",
        "9{5}, 9{6}, 9{7}, A9{5}, A9{6}, AA9{7}"),
)  # fmt: skip
TABLE = Table("medical id", ROWS)
