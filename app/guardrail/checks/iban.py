"""International bank account numbers (ISO 13616), in one piece or in groups."""

import re

from app.guardrail.check import Finding, Run
from app.guardrail.checks.numbers import mod_97

# Length by country, from the SWIFT IBAN registry.
_LENGTHS = dict(
    item.split(":")
    for item in (
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27 DK:18 DO:28 "
        "EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 "
        "IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 "
        "NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 "
        "SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30"
    ).split()
)
_RUN = Run(re.compile(r"(?:[A-Za-z](?:[A-Za-z](?:\d(?:\d[A-Za-z0-9 \-]{0,42})?)?)?)?", re.ASCII), 46)
_CANDIDATE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?:[ \-]?[A-Za-z0-9]){11,30}", re.ASCII)
_NAMED = re.compile(r"(?i)\biban\b[^\n]{0,24}\Z")


class IbanCheck:
    """Country, length and checksum; after the word "IBAN" the checksum may be wrong."""

    kind = "iban"
    run = _RUN
    opener = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]{2}\d\d)", re.ASCII)
    needs = ""
    cue = None
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        """See Check."""
        match = _CANDIDATE.match(window, start)
        length = _LENGTHS.get(window[start : start + 2].upper())
        if match is None or length is None:
            return None
        end, kept = start, ""
        while end < match.end() and len(kept) < int(length):
            kept += window[end] if window[end].isalnum() else ""
            end += 1
        if len(kept) < int(length) or window[end : end + 1].isalnum():
            return None
        kept = kept.upper()
        if not mod_97(kept[4:] + kept[:4]) and _NAMED.search(window[:start]) is None:
            return None
        return Finding(start, end, self.kind, "country, length and checksum")


CHECK = IbanCheck()
