"""Personal numbers of European states."""

import re

from app.guardrail.check import NUMBER, NUMBER_START, PatternCheck, Run
from app.guardrail.checks.national_id import KIND, named, number_rule, standing_alone, text_rule
from app.guardrail.checks.numbers import digits, luhn, mod_11_10, weighted

_NINO_RUN = Run(re.compile(r"(?:[A-Za-z](?:[A-Za-z](?: ?(?:\d[\dA-Da-d \-]{0,12})?)?)?)?", re.ASCII), 16)
_NIR_RUN = Run(re.compile(r"(?:[12][\dABab ]{0,24})?", re.ASCII), 25)
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"  # Spanish control letters by remainder
_HETU_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"  # Finnish check characters by remainder
# Italian values of characters in odd places, for 0-9 and A-J, then K-Z.
_CF_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_CF_ODD_LATE = (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_NO_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})  # prefixes never issued

_tax_id_named = named(r"steuer(?:liche)?[ -]?(?:id\w*|nummer)|steueridentifikationsnummer|idnr|tax id|tin")


def _uk_nino(match: re.Match[str], _before: str) -> bool:
    text = match[0]
    return text[:2].upper() not in _NO_NINO and (text.isupper() or text.islower())


def _uk_nhs(number: str) -> bool:
    return (11 - weighted(number, (10, 9, 8, 7, 6, 5, 4, 3, 2), 11)) % 11 == int(number[9])


def _de_tax_id(match: re.Match[str], before: str) -> bool:
    number = digits(match[0])
    if not mod_11_10(number):
        return False
    # Of the first ten digits exactly one stands there twice or three times.
    repeated = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return _tax_id_named(before) or (" " in match[0] and repeated[-1] in (2, 3) and repeated[-2] == 1)


def _fr_nir(match: re.Match[str], _before: str) -> bool:
    number = match[0].upper().replace(" ", "")
    department = {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7])  # Corsica
    body = number[:5] + department + number[7:13]
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def _es_dni(match: re.Match[str], _before: str) -> bool:
    text = match[0].upper().replace("-", "")
    number = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _DNI_LETTERS[int(number) % 23] == text[-1]


def _it_place(character: str) -> int:
    return int(character) if character.isdigit() else ord(character) - ord("A")


def _it_codice_fiscale(match: re.Match[str], _before: str) -> bool:
    text = match[0].upper()
    odd = _CF_ODD + _CF_ODD_LATE
    total = sum(odd[_it_place(character)] for character in text[:15:2])
    total += sum(_it_place(character) for character in text[1:15:2])
    return chr(ord("A") + total % 26) == text[15]


def _fi_hetu(match: re.Match[str], _before: str) -> bool:
    text = match[0].upper()
    return _HETU_CHARACTERS[int(text[:6] + text[7:10]) % 31] == text[10]


def _se_personal(number: str) -> bool:
    month, day = int(number[-8:-6]), int(number[-6:-4])
    return luhn(number[-10:]) and 1 <= month <= 12 and 1 <= day % 60 <= 31


def _be_national(number: str) -> bool:
    return int(number[9:]) in (97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97)


def _ch_ahv(number: str) -> bool:
    return (10 - weighted(number, (1, 3) * 6, 10)) % 10 == int(number[12])


def _pl_pesel(number: str) -> bool:
    return (10 - weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10)) % 10 == int(number[10])


def _nl_bsn(number: str) -> bool:
    return weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


CHECKS: tuple[PatternCheck, ...] = (
    PatternCheck(
        KIND,
        "UK national insurance number",
        standing_alone(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d[ \-]?){3}[A-D]", re.ASCII | re.IGNORECASE),
        _uk_nino,
        run=_NINO_RUN,
        opener=re.compile(r"(?i)(?<![a-z0-9])(?=[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z][ \d])", re.ASCII),
    ),
    number_rule("UK NHS number", r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", _uk_nhs, words="nhs"),
    PatternCheck(
        KIND,
        "German tax id",
        standing_alone(r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}"),
        _de_tax_id,
        run=NUMBER,
        opener=NUMBER_START,
    ),
    PatternCheck(
        KIND,
        "French social security number",
        standing_alone(
            r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3} ?\d\d",
        ),
        _fr_nir,
        run=_NIR_RUN,
        opener=NUMBER_START,
    ),
    text_rule(
        "Spanish DNI or NIE",
        r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]",
        _es_dni,
        begins=r"\d{8}|[X-Zx-z]-?\d",
    ),
    text_rule(
        "Italian codice fiscale",
        r"[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]",
        _it_codice_fiscale,
        begins=r"[A-Za-z]{6}[\dL-Vl-v]{2}[A-Za-z]",
    ),
    text_rule(
        "Finnish personal identity code",
        r"[0-3]\d[01]\d\d\d[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]",
        _fi_hetu,
        begins=r"\d{6}[-+A-Ya-y]\d",
    ),
    number_rule(
        "Swedish personal number",
        r"(?:19|20)?\d{6}[-+]?\d{4}",
        _se_personal,
        words="personnummer|personal (?:identity )?(?:number|code)",
        strong=r"(?:19|20)?\d{6}[-+]\d{4}",
    ),
    number_rule(
        "Belgian national number",
        r"\d\d[.]?\d\d[.]?\d\d[ \-]?\d{3}[. ]?\d\d",
        _be_national,
        words=r"rijksregister\w*|registre national|national number",
        strong=r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d",
    ),
    number_rule(
        "Swiss AHV number",
        r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d",
        _ch_ahv,
        words=r"ahv\w*|avs",
        strong=r"756[. ]\d{4}[. ]\d{4}[. ]\d\d",
    ),
    number_rule("Polish PESEL", r"\d{11}", _pl_pesel, words="pesel"),
    number_rule("Dutch BSN", r"\d{9}", _nl_bsn, words=r"bsn|burgerservicenummer|sofi\w*"),
)
