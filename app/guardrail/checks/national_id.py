"""Personal numbers that states give out. With a strong checksum or shape they stand alone, else a word must name them."""

import re
from collections.abc import Callable

from app.guardrail.check import NUMBER, NUMBER_START, Rule, Run
from app.guardrail.checks.numbers import digits, luhn, mod_11_10, verhoeff, weighted

_EDGE = r"(?<![A-Za-z0-9])(?<!\d[.\-])"
_END = r"(?![A-Za-z0-9]|[.\-]\d)"
_NINO_RUN = Run(re.compile(r"(?:[A-Za-z](?:[A-Za-z](?: ?(?:\d[\dA-Da-d \-]{0,12})?)?)?)?", re.ASCII), 16)
_NIR_RUN = Run(re.compile(r"(?:[12][\dABab ]{0,24})?", re.ASCII), 25)
_CONTROL = "TRWAGMYFPDXBNJZSQVHLCKE"  # Spanish control letters by remainder
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"  # Finnish check characters by remainder
_CF_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True))  # fmt: skip


def _named(words: str) -> Callable[[str], bool]:
    cue = re.compile(rf"(?i)(?<![a-z])(?:{words})(?![a-z])[^\n]{{0,32}}\Z")
    return lambda before: cue.search(before) is not None


_ssn_named = _named(r"ssn|itin|social ?sec\w*(?: number)?|social ?num\w*|soc(?:ial)? sec|taxpayer")
_de_named = _named(r"steuer(?:liche)?[ -]?(?:id\w*|nummer)|steueridentifikationsnummer|idnr|tax id|tin")


def _us_ssn(match: re.Match[str], before: str) -> bool:
    number = digits(match[0])
    area, group, serial = number[:3], number[3:5], number[5:]
    if area in {"000", "666"} or group == "00" or serial == "0000":
        return False
    if area[0] == "9" and not (50 <= int(group) <= 65 or 70 <= int(group) <= 88 or int(group) >= 90):
        return False
    return re.fullmatch(r"\d{3}([.\-])\d\d\1\d{4}", match[0]) is not None or _ssn_named(before)


def _uk_nino(match: re.Match[str], before: str) -> bool:
    return match[0][:2].upper() not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"} and before is not None


def _de_tax_id(match: re.Match[str], before: str) -> bool:
    number = digits(match[0])
    if not mod_11_10(number):
        return False
    # Of the first ten digits exactly one stands there twice or three times.
    repeated = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return _de_named(before) or (" " in match[0] and repeated[-1] in (2, 3) and repeated[-2] == 1)


def _fr_nir(match: re.Match[str], before: str) -> bool:
    text = match[0].upper().replace(" ", "")
    number = (
        text.replace("2A", "19", 1) if text[5:7] == "2A" else text.replace("2B", "18", 1) if text[5:7] == "2B" else text
    )
    return number.isdigit() and 97 - int(number[:13]) % 97 == int(number[13:]) and before is not None


def _es_dni(match: re.Match[str], before: str) -> bool:
    text = match[0].upper().replace("-", "").replace(" ", "")
    number = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return _CONTROL[int(number) % 23] == text[-1] and before is not None


def _it_codice_fiscale(match: re.Match[str], before: str) -> bool:
    text = match[0].upper()
    total = sum(_CF_ODD[character] for character in text[:15:2])
    total += sum(int(character, 36) - (10 if character.isalpha() else 0) for character in text[1:15:2])
    return chr(65 + total % 26) == text[15] and before is not None


def _pl_pesel(number: str) -> bool:
    return (10 - weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10)) % 10 == int(number[10])


def _uk_nhs(number: str) -> bool:
    return (11 - weighted(number, (10, 9, 8, 7, 6, 5, 4, 3, 2), 11)) % 11 == int(number[9])


def _nl_bsn(number: str) -> bool:
    return weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


def _br_cpf(number: str) -> bool:
    first = weighted(number, tuple(range(10, 1, -1)), 11)
    second = weighted(number, tuple(range(11, 1, -1)), 11)
    return [max(0, 11 - rest) % 11 % 10 if rest > 1 else 0 for rest in (first, second)] == [
        int(number[9]),
        int(number[10]),
    ]


def _be_national(number: str) -> bool:
    return int(number[9:]) in (97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97)


def _ch_ahv(number: str) -> bool:
    return (10 - weighted(number, (1, 3) * 6, 10)) % 10 == int(number[12])


def _se_personal(number: str) -> bool:
    return luhn(number[-10:]) and 1 <= int(number[-8:-6]) <= 12 and 1 <= int(number[-6:-4]) % 60 <= 31


def _fi_hetu(match: re.Match[str], before: str) -> bool:
    text = match[0].upper()
    return _HETU[int(text[:6] + text[7:10]) % 31] == text[10] and before is not None


def _number(reason: str, pattern: str, valid: Callable[[str], bool], words: str = "", strong: str = "") -> Rule:
    """A number whose digits are `valid`, and that `words` name or whose shape is `strong`."""
    named = _named(words) if words else None
    shape = re.compile(strong, re.ASCII) if strong else None

    def accept(match: re.Match[str], before: str) -> bool:
        alone = shape is not None and shape.fullmatch(match[0]) is not None
        return valid(digits(match[0])) and (alone or (named is not None and named(before)))

    compiled = re.compile(_EDGE + pattern + _END, re.ASCII)
    return Rule("national id", reason, compiled, accept, run=NUMBER, opener=NUMBER_START)


def _text(reason: str, begin: str, pattern: str, accept: Callable[[re.Match[str], str], bool]) -> Rule:
    return Rule(
        "national id",
        reason,
        re.compile(_EDGE + pattern + _END, re.ASCII | re.IGNORECASE),
        accept,
        opener=re.compile(rf"(?<![A-Za-z0-9])(?={begin})", re.ASCII),
    )


CHECKS: tuple[Rule, ...] = (
    Rule("national id", "US social security or taxpayer number", re.compile(_EDGE + r"\d{3}[ .\-]?\d\d[ .\-]?\d{4}" + _END, re.ASCII), _us_ssn, run=NUMBER, opener=NUMBER_START),
    Rule("national id", "UK national insurance number", re.compile(_EDGE + r"(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ \-]?(?:\d\d[ \-]?){3}[A-D]|[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?(?:\d\d ?){3}[a-d])" + _END, re.ASCII), _uk_nino, run=_NINO_RUN, opener=re.compile(r"(?<![A-Za-z0-9])(?=[A-Z]{2}[ \d]|[A-Za-z]{2}\d)")),
    Rule("national id", "German tax id", re.compile(_EDGE + r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}" + _END, re.ASCII), _de_tax_id, run=NUMBER, opener=NUMBER_START),
    Rule("national id", "French social security number", re.compile(_EDGE + r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3} ?\d\d" + _END, re.ASCII), _fr_nir, run=_NIR_RUN, opener=NUMBER_START),
    _text("Spanish DNI or NIE", r"\d{8}|[X-Zx-z]-?\d", r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]", _es_dni),
    _text("Italian codice fiscale", r"[A-Za-z]{6}[\dL-Vl-v]{2}[A-Za-z]", r"[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]", _it_codice_fiscale),
    _text("Finnish personal identity code", r"\d{6}[-+A-Ya-y]\d", r"[0-3]\d[01]\d\d\d[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _fi_hetu),
    _number("Swedish personal number", r"(?:19|20)?\d{6}[-+]?\d{4}", _se_personal, "personnummer|personal (?:identity )?number", r"(?:19|20)?\d{6}[-+]\d{4}"),
    _number("Belgian national number", r"\d\d[.]?\d\d[.]?\d\d[ \-]?\d{3}[. ]?\d\d", _be_national, "rijksregister\\w*|registre national|national number", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    _number("Swiss AHV number", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", _ch_ahv, "ahv\\w*|avs", r"756[. ]\d{4}[. ]\d{4}[. ]\d\d"),
    _number("Brazilian CPF", r"\d{3}[.]?\d{3}[.]?\d{3}-?\d\d", _br_cpf, "cpf", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    _number("Indian Aadhaar number", r"[2-9]\d{3}[ \-]?\d{4}[ \-]?\d{4}", verhoeff, "aadhaa?r|uid", r"\d{4}[ \-]\d{4}[ \-]\d{4}"),
    _number("Polish PESEL", r"\d{11}", _pl_pesel, "pesel"),
    _number("UK NHS number", r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", _uk_nhs, "nhs"),
    _number("Dutch BSN", r"\d{9}", _nl_bsn, "bsn|burgerservicenummer|sofi\\w*"),
    _number("Canadian SIN", r"\d{3}[ \-]?\d{3}[ \-]?\d{3}", luhn, "sin|social insurance(?: number)?"),
)  # fmt: skip
