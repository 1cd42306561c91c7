"""Values that look like a password or token and stand a little behind a word that says so, in whatever sentence."""

import re

from app.guardrail.check import Cue, PatternCheck, Tail
from app.guardrail.checks.randomness import is_random
from app.guardrail.cues import LETTER, names
from app.guardrail.lookalikes import lowered
from app.guardrail.values import VALUE_START, entropy, is_code

_PASSWORD = names("password")
_SECRET = names("secret")
_PASSWORD_CUE = Cue(
    (*_PASSWORD.words, "credential", "log in", "login", "gets in ", "get in ", "let in "),
    re.compile(
        rf"(?:{_PASSWORD.pattern}(?!-{LETTER})|{_PASSWORD.unspaced}|credentials?|log ?in|gets? in |let in )"
        r"[^\n]{0,72}(?:\n[^\n]{0,24})?\Z"
    ),
)
_SECRET_CUE = Cue(
    (*_SECRET.words, "key", "secret", "cookie", "credential"),
    re.compile(
        rf"(?:{_SECRET.pattern}|{_SECRET.unspaced}|(?<![a-z])(?:(?:api|access|secret|auth|session|bearer)[ _-]?)?"
        rf"(?:keys?|tokens?|secrets?|cookies?|credentials?)(?![a-z]))[^\n]{{0,60}}(?:\n[^\n]{{0,24}})?\Z"
    ),
)
_SIGN = r"""[^ \n"'`<>;|,]"""
_VALUE = re.compile(rf"""{_SIGN}{{7,127}}?(?=[.,;:)\]}}\\|]{{0,3}}(?:[ \n"'`<>;|,]|\Z))""")
_OPENER = re.compile(VALUE_START.pattern + r"""(?=[^ \n"'`<>;|,]{0,40}?\d)(?=[^ \n"'`<>;|,]{0,40}?[^\W\d_])""")
# What is written with letters and digits and is no password: standards, versions, files, addresses, times, quantities.
_TECHNICAL = re.compile(
    r"(?-i:[a-z]+-?|[A-Z]+-?|[A-Z][a-z]+-?)?v?\d+(?:[.,:/x\-]\d+)*(?:[a-z]{1,4}|st|nd|rd|th)?|(?-i:[A-Za-z][a-z]{0,11}|[A-Z]{1,8})-?\d{1,5}(?:\.\d+)*(?:-[a-z]+)?|(?-i:[a-z]+(?:-[a-z]+\d{0,2})+(?:-[a-z])?|[A-Z]*[a-z]*(?:[A-Z][a-z]+)+\d{0,3})|%[0-9a-f]{2}.*|--?[a-z].*|[\w.+\-]+@[\w.\-]+"
    r"|(?:[\w\-]+[./\\])+[\w\-]*|\d+-[a-z\-]+|[a-z\-]+-\d+(?:-[a-z]+)*|(?:base|sha|aes|rsa|utf|iso|rfc|tls|http|oauth|ipv)[\w.\-/]*"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\(?\+?[\d\-() ]+\)?|[\w\-]*(?:20|19)\d\d[\w\-]*\.\w+|[#@][\w\-]+",
    re.IGNORECASE,
)
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_IDENTIFIER = re.compile(r"[A-Za-z]+\d{0,3}")
_STRONG_NAME = re.compile(r"api|access|secret|auth|token|session|cookie|private|sign")
_NAMED = re.compile(r"[A-Za-z][\w.\-]*[=:]")
_STRONG = re.compile(r"[!?$%^*~+#](?!\Z)|[!$#*]\Z")
_WEAVED = re.compile(r"[a-z]\d+[a-z]|\d[A-Za-z]+\d|[a-z][A-Z]\w*\d|[A-Z]\d[a-z]|\d[a-z]+[A-Z]")
_BLANK = re.compile(r"[ \n]")


def _in_address(value: str, before: str) -> bool:
    """Whether the value is part of a web address or a link; what the parameters of one hold has checks of its own."""
    return "//" in value or "](" in value or "://" in _BLANK.split(before)[-1]


def _is_password(match: re.Match[str], before: str) -> bool:
    value = match[0]
    if is_code(value) or _TECHNICAL.fullmatch(value) is not None or _in_address(value, before):
        return False
    if _STRONG.search(value) is None and (len(value) < 8 or _WEAVED.search(value.replace("-", "")) is None):
        return False
    return entropy(value) >= 2.5 and _PASSWORD_CUE.found(lowered(before)) is not None


def _is_token(match: re.Match[str], before: str) -> bool:
    value = match[0]
    if len(value) < 16 or is_code(value) or _TECHNICAL.fullmatch(value) is not None or _in_address(value, before):
        return False
    if _IDENTIFIER.fullmatch(value) is not None or _NAMED.match(value) is not None or not is_random(value):
        return False
    if "/" in value[:-1] and "." in value:  # a path
        return False
    cue = _SECRET_CUE.found(lowered(before))
    return cue is not None and (_HEX.fullmatch(value) is None or _STRONG_NAME.search(cue[0]) is not None)


PASSWORD = PatternCheck(
    kind="credential",
    reason="near a password's name",
    pattern=_VALUE,
    accept=_is_password,
    opener=_OPENER,
    cue=_PASSWORD_CUE,
)
TOKEN = PatternCheck(
    kind="credential",
    reason="near a token's name",
    pattern=re.compile(r"[A-Za-z0-9_+/.\-~=:]{16,128}(?<![.,:])"),
    accept=_is_token,
    opener=_OPENER,
    cue=_SECRET_CUE,
    tail=Tail(re.compile(r"[\w+/=.\-~]*", re.ASCII), closer=False),
)
