"""International bank account numbers (ISO 13616), in one piece or in groups."""

import re

from app.guardrail.check import DIGIT, Finding, Run
from app.guardrail.checks.numbers import mod_97
from app.guardrail.checks.runs import words_before

# Countries by length, from the SWIFT IBAN registry.
_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_LENGTHS = {country: length for length, countries in _COUNTRIES.items() for country in countries.split()}
_RUN = Run(re.compile(r"(?:[A-Za-z](?:[A-Za-z](?:\d(?:\d[A-Za-z0-9 \-]{0,42})?)?)?)?", re.ASCII), 46)
_CANDIDATE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?:[ \-]?[A-Za-z0-9]){11,30}", re.ASCII)
_NAMED = re.compile(r"(?i)\biban\b[^\n]{0,24}\Z")


class IbanCheck:
    """Country, length and checksum; after the word "IBAN" the checksum may be wrong."""

    kind = "iban"
    run = _RUN
    opener = re.compile(r"[A-Za-z](?<![A-Za-z0-9].)(?=[A-Za-z]\d\d)", re.ASCII)
    needs = DIGIT
    cue = None
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        match = _CANDIDATE.match(window, start)
        length = _LENGTHS.get(window[start : start + 2].upper())
        if match is None or length is None:
            return None
        end, kept = start, ""
        while end < match.end() and len(kept) < length:
            kept += window[end] if window[end].isalnum() else ""
            end += 1
        if len(kept) < length or window[end : end + 1].isalnum():
            return None
        kept = kept.upper()
        if not mod_97(kept[4:] + kept[:4]) and _NAMED.search(words_before(window[:start])) is None:
            return None
        return Finding(start, end, self.kind, "country, length and checksum")


CHECK = IbanCheck()
