"""Keys, tokens and secrets without a known form: a value of high entropy that something before it names."""

import base64
import re

from app.guardrail.check import Cue, PatternCheck, Tail
from app.guardrail.cues import ASSIGN, PARTICLES, FrameEnd, complements, names, verbs
from app.guardrail.lookalikes import lowered
from app.guardrail.values import QUOTED_RUN, QUOTED_START, VALUE_START, entropy, is_code, is_mixed

_NAMES = names("secret")
_NAME = (
    r"(?:key|token|secret|credential|auth|sig(?![a-z])|signature|passw(?:or)?d|pwd)s?"
    r"(?:_[a-z0-9_]{0,24}|id|\d{0,2})(?![a-z])(?: (?:\()?(?:hex|base64|b64)\)?)?"
)
_OF = rf"(?: \([^\n()]{{1,24}}\)| (?:(?:{complements()}) |d'|dell')[^\n.:;|]{{1,56}}?)?"
_ASSIGN = rf"(?:{ASSIGN}|{_OF}(?:(?: (?:{verbs()}|value|set)){{1,4}}:? {{1,4}}|:? \n))"
_CUE = Cue(
    ("key", "token", "secret", "credential", "auth", "sig", "passw", "pwd", *_NAMES.words),
    re.compile(
        rf"""(?:{_NAME}|{_NAMES.pattern}){_ASSIGN}\(?["'`]?\Z|--[a-z\-]{{0,16}}(?:key|token|secret|auth)[ =]["'`]?\Z"""
        r"""|(?:secret|api|access|auth)[ _-]?(?:key|token|secret)s? ["'`]\Z"""
        rf"""|(?:{_NAMES.unspaced})[{PARTICLES}\n]{{0,6}}[ :=|]{{0,3}}["'`]?\Z"""
    ),
    FrameEnd("secret", "key|token|secret|credential|auth|sig|passw|pwd|id|value|set|api"),
)
_HEADER = Cue(
    ("bearer", "basic", "token", "x-api-key", "authorization"),
    re.compile(r"(?:bearer|basic|(?<![a-z])token|authorization:|x-api-key:)[ :]{1,2}[\"']?\Z"),
)
_STRONG_NAME = re.compile(
    r"(?:api|access|secret|private|client|auth|account|signing|encryption|storage|shared|service|refresh|bearer|deploy|license|token|pass|pwd)"
)
_VALUE = r"[A-Za-z0-9_+/.\-~=!@#$%^&]"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# In the query of an address only these names carry secrets; "?keyword=" and "?authuser=" do not.
_QUERY = re.compile(r"[?&#][\w.\-]{1,30}=\Z")
_IN_URL = re.compile(
    r"(?i)[?&#](?:[a-z_\-]{0,12}(?:token|secret|password)|sig|signature|x-(?:amz|goog)-signature|api_?key|key)=\Z"
)
_TAIL = Tail(re.compile(r"[\w+/=.\-~]*", re.ASCII), closer=False)
# Words joined by signs, versions, file names: what configuration is full of.
_IDENTIFIER = re.compile(
    r"[A-Za-z]{2,}(?:[-_./][A-Za-z]{2,}|[-_./]?\d{1,3}(?!\d))*|[A-Za-z]+\d{0,5}(?:[_.][A-Za-z]+\d{0,5})+|[\w\-/]+\.(?:json|ya?ml|pem|txt|md|py|js|ts|go|env|com|org|io|net)\b.*",
    re.ASCII,
)


# What software is activated with: groups of five capitals and digits.
_PRODUCT_KEY = re.compile(r"[A-Z0-9]{5}(?:-[A-Z0-9]{5}){2,7}")


_SHORT_HASH = re.compile(r"[0-9a-f]{7,12}|[0-9a-f]{40}")
_HUMP = re.compile(r"[a-z][A-Z]")


def is_plain_query(before: str) -> bool:
    """Whether what follows is a parameter of an address whose name is not that of a secret."""
    return _QUERY.search(before) is not None and _IN_URL.search(before) is None


def _is_secret(match: re.Match[str], before: str) -> bool:
    value, cue = match[0], _CUE.found(lowered(before))
    if cue is not None and _PRODUCT_KEY.fullmatch(value) and "key" in cue[0]:
        return True
    if cue is None or is_code(value) or _IDENTIFIER.fullmatch(value) or not any(c.isdigit() for c in value):
        return False
    if is_plain_query(before):
        return False
    strong = _STRONG_NAME.search(before.lower()[max(cue.start() - 16, 0) :]) is not None
    if not strong and (_UUID.fullmatch(value) or _SHORT_HASH.fullmatch(value)):
        return False
    return any(c.isalpha() for c in value) and entropy(value) >= (2.8 if strong or len(value) >= 32 else 3.4)


def _is_quoted_secret(match: re.Match[str], before: str) -> bool:
    value, cue = match["value"], _CUE.found(lowered(before))
    if cue is None or is_code(value) or _QUERY.search(before) is not None:
        return False
    return is_mixed(value) and not _IDENTIFIER.fullmatch(value) and entropy(value) >= 3.2


def _is_user_and_password(value: str) -> bool:
    """Whether this is the value of Basic (RFC 7617): base64 of a user's name, a colon and a password."""
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)[1:-1]
    except ValueError:
        return False


def _is_header_value(match: re.Match[str], before: str) -> bool:
    value = match[0]
    if len(value) < 14:
        return before.lower().endswith("basic ") and _is_user_and_password(value)
    mixed = any(c.isdigit() for c in value) or _HUMP.search(value) is not None or "=" in value
    return mixed and not is_code(value) and entropy(value) >= 2.8 and before != ""


NAMED = PatternCheck(
    kind="credential",
    reason="called a key, token or secret",
    pattern=re.compile(rf"{_VALUE}{{8,128}}(?<![.,!])"),
    accept=_is_secret,
    opener=VALUE_START,
    cue=_CUE,
    tail=_TAIL,
)
HEADER = PatternCheck(
    kind="credential",
    reason="authorization header",
    pattern=re.compile(r"[A-Za-z0-9_+/.\-~=:]{8,128}(?<!\.)"),
    accept=_is_header_value,
    opener=VALUE_START,
    cue=_HEADER,
    tail=_TAIL,
)
QUOTED = PatternCheck(
    kind="credential",
    reason="quoted and called a key, token or secret",
    pattern=re.compile(r"""(?P<value>[^"'`\n ]{12,80})(?=["'`])"""),
    accept=_is_quoted_secret,
    run=QUOTED_RUN,
    opener=QUOTED_START,
    cue=_CUE,
)
