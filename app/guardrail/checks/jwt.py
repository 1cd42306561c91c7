"""JSON Web Tokens (RFC 7519), and other base64url JSON of some length."""

import re

from app.guardrail.check import LONG_WORD_START, Rule, Tail

_TOKEN = re.compile(r"(?<![A-Za-z0-9])eyJ[\w\-]{14,}={0,2}(?:\.[\w\-]+={0,2}){0,4}", re.ASCII)

CHECK = Rule(
    kind="credential",
    reason="JSON Web Token",
    pattern=_TOKEN,
    opener=LONG_WORD_START,
    tail=Tail(re.compile(r"[\w\-.=]*", re.ASCII), closer=False),
)
