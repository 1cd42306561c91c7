"""Hardware addresses of network cards (EUI-48), in the three ways that they are written."""

import re

from app.guardrail.check import PatternCheck
from app.guardrail.checks.runs import HEX_START

_PAIR = r"[0-9A-Fa-f]{2}"
_ADDRESS = re.compile(
    rf"(?:{_PAIR}(?P<sign>[:\-])(?:{_PAIR}(?P=sign)){{4}}{_PAIR}|"
    rf"(?:[0-9A-Fa-f]{{4}}\.){{2}}[0-9A-Fa-f]{{4}})(?![\w]|[:\-.]\w)",
    re.ASCII,
)


_NAMED = re.compile(r"(?i)\b(?:mac|hardware|ethernet|physical|wi-?fi|bssid|eui)\b[^\n]{0,24}\Z")


_SEPARATOR = re.compile(r"[:.\-]")


def _is_device(match: re.Match[str], before: str) -> bool:
    """Not the address of all devices, nor of none; of digits alone it may be a number of another kind."""
    plain = _SEPARATOR.sub("", match[0]).lower()
    return len(set(plain)) > 1 and (not plain.isdigit() or _NAMED.search(before) is not None)


CHECK = PatternCheck(
    "mac address", "six pairs of hexadecimal digits", _ADDRESS, _is_device, opener=HEX_START, needs="[:.-]"
)
