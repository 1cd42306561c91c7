"""JSON Web Tokens (RFC 7519): base64url JSON, a point, and more."""

import re

from app.guardrail.check import TOKEN_START, PatternCheck, Tail

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:eyJ[\w\-]{10,}={0,2}(?:\.[\w\-]+={0,2}){1,4}|eyJ(?:hbGci|0eXAi|raWQi|4NXQi|lbmMi|jdHki)[\w\-]{118,})",
    re.ASCII,
)

CHECK = PatternCheck(
    kind="credential",
    reason="JSON Web Token",
    pattern=_TOKEN,
    opener=TOKEN_START,
    tail=Tail(re.compile(r"[\w\-.=]*", re.ASCII), closer=False),
)
