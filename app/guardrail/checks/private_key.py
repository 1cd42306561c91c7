"""Private keys in PEM (RFC 7468), OpenSSH and PGP form: from the opening line to the closing one, or the end."""

import re

from app.guardrail.check import PatternCheck, Run, Tail

_LABEL = r"[A-Z0-9 ]{0,40}"
# Every prefix of: up to eight hyphens, then a label in capitals, then hyphens.
_RUN = Run(re.compile(r"(?:-{1,5}(?:(?<=-----)[A-Z0-9 ]{1,58}-{0,5})?)?"), 68)
_OPENING = re.compile(rf"(?<!-)-----BEGIN {_LABEL}PRIVATE KEY(?: BLOCK)?-----")

CHECK = PatternCheck(
    kind="credential",
    reason="private key",
    pattern=_OPENING,
    run=_RUN,
    opener=re.compile(r"(?<!-)(?=-----[A-Z])"),
    needs="-----",
    # Sixty characters hold the longest closing line.
    tail=Tail(re.compile(rf"-----END {_LABEL}PRIVATE KEY(?: BLOCK)?-----"), closer=True, longest=60),
)
