"""IP addresses, version 4 and 6."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from app.guardrail.check import NUMBER_START, PatternCheck
from app.guardrail.checks.runs import HEX_START, NUMBER_AND_LABEL

_V4 = re.compile(r"(?<![A-Za-z0-9_])(?<!\d\.)(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9_]|\.\d|-\w)", re.ASCII)
_V6 = re.compile(
    r"(?<![A-Za-z0-9_:.])(?:[0-9A-Fa-f:]{2,30}(?<=:)(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f:]{3,"
    r"39})(?:%\w{1,15})?(?![0-9A-Fa-f:]|(?<=:)\[)",
    re.ASCII,
)
_ROUTED = re.compile(r"(?i)(?:[23][0-9a-f]{3}|f[cde][0-9a-f]{2}):")
_VERSION = re.compile(
    r"(?i)\b(?:v|rv|version|release|build|firmware|section|chapter|upgrade(?:d)? to|bumped? to|"
    r"clause|kapitel|abschnitt)s?[ :=]{0,3}"
    r"(?:\d[\d.]{0,14}(?:,| and| or| to| und| bis|,? [-&])? )?\Z"
)


def _is_v4(match: re.Match[str], before: str) -> bool:
    if _VERSION.search(before):
        return False
    try:
        address = IPv4Address(match[0])
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or match[0].startswith("255."))


def _is_v6(match: re.Match[str], before: str) -> bool:
    text = match[0].partition("%")[0]
    groups = [group for group in text.split(":") if group]
    # "a::b" and "::" are also code; an address has all groups, or three of them and a digit.
    enough = len(groups) >= 3 or (len(groups) == 2 and _ROUTED.match(text) is not None)
    if not enough or not any(character.isdigit() for character in text) or before.endswith("::"):
        return False
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


V4 = PatternCheck(
    kind="ip",
    reason="IPv4 address",
    pattern=_V4,
    accept=_is_v4,
    run=NUMBER_AND_LABEL,
    opener=NUMBER_START,
)
V6 = PatternCheck(kind="ip", reason="IPv6 address", pattern=_V6, accept=_is_v6, opener=HEX_START, needs="[:.-]")
