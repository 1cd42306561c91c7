"""Addresses of cryptocurrencies: Bitcoin's kind by its checksum (Base58Check, Bech32), Ethereum's by its form."""

import re
from hashlib import sha256

from app.guardrail.check import DIGIT, PatternCheck
from app.guardrail.checks.runs import ALNUM_START

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # Base58
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BASE58 = re.compile(r"[123DLMTXtr][1-9A-HJ-NP-Za-km-z]{25,34}(?!\w)", re.ASCII)
_SEGWIT = re.compile(r"(?i)(?P<net>bc|tb|ltc)1(?P<data>[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{14,71})(?!\w)", re.ASCII)
_ETHER = re.compile(r"0x[0-9A-Fa-f]{40}(?!\w)", re.ASCII)


def _is_base58(match: re.Match[str], _before: str) -> bool:
    number = 0
    for sign in match[0]:
        number = number * 58 + _ALPHABET.index(sign)
    zeros = len(match[0]) - len(match[0].lstrip("1"))
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    raw = bytes(zeros) + body
    return len(raw) == 25 and sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def _is_bech32(match: re.Match[str], _before: str) -> bool:
    net, data = match["net"].lower(), match["data"].lower()
    values = [ord(sign) >> 5 for sign in net] + [0] + [ord(sign) & 31 for sign in net]
    check = 1
    for value in values + [_BECH32.index(sign) for sign in data]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(_GENERATORS):
            check ^= generator if top >> at & 1 else 0
    return check in (1, 0x2BC830A3)  # Bech32, Bech32m


def _is_account(match: re.Match[str], before: str) -> bool:
    """Not the zero address, nor a hash that an address of the web leads to."""
    return len(set(match[0][2:].lower())) > 2 and not before.endswith(("/commit/", "@"))


CHECKS = (
    PatternCheck("wallet", "Base58Check address", _BASE58, _is_base58, opener=ALNUM_START, needs=DIGIT),
    PatternCheck("wallet", "Bech32 address", _SEGWIT, _is_bech32, opener=ALNUM_START, needs=DIGIT),
    PatternCheck("wallet", "Ethereum address", _ETHER, _is_account, opener=ALNUM_START, needs=DIGIT),
)
