"""Private keys in PEM (RFC 7468), OpenSSH, PGP and PuTTY form: from the opening line to the last one of the key."""

import re

from app.guardrail.check import PatternCheck, Run, Tail

_LABEL = r"[A-Z0-9 ]{0,40}"
# Every prefix of: up to eight hyphens, then a label in capitals, then hyphens.
_RUN = Run(re.compile(r"(?:-{1,5}(?:(?<=-----)[A-Z0-9 ]{1,58}-{0,5})?)?"), 68)
_OPENING = re.compile(rf"(?<!-)-----BEGIN {_LABEL}PRIVATE KEY(?: BLOCK)?-----")
# A word of a sentence or a heading, which is no line of base64: small letters, then a blank or an end.
_PROSE = (
    r"(?:[A-Za-z]?[a-z]{0,19}(?:'s)?(?:[.,:;!?)]{0,2} |[.,:;!?)]{1,2}(?:\n|\Z)|-(?!-))|"
    r"[A-Za-z][a-z]{2,19}\n(?!-----|=))"
)
# Blanks, quotes, escaped line ends, and what a log puts before each line.
_BETWEEN = r"""(?:\\[nrt]|[ \n"'`\\+,;:>|.\#\[\]]|-(?!----))"""
# After what may stand between, the closing line, a header (RFC 1421, RFC 4880) or a stretch of base64.
_BODY = re.compile(
    rf"(?:{_BETWEEN}){{0,16}}(?:"
    rf"(?P<closer>-----END {_LABEL}PRIVATE KEY(?: BLOCK)?-----)|"
    r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): [^\n\\]{0,72}|"
    rf"(?!{_PROSE})[A-Za-z0-9+/=]{{1,80}})|(?:{_BETWEEN}){{16}}"
)
# Behind a stretch, eight characters tell a header or a word of prose; 136 hold the longest piece.
_TAIL = Tail(_BODY, closer=True, ahead=8, longest=136)

CHECK = PatternCheck(
    kind="credential",
    reason="private key",
    pattern=_OPENING,
    run=_RUN,
    opener=re.compile(r"(?<!-)(?=-----[A-Z])"),
    needs="-----",
    tail=_TAIL,
)
PUTTY = PatternCheck(
    kind="credential",
    reason="private key of PuTTY",
    pattern=re.compile(r"Private-Lines: \d{1,3}(?=[ \n])"),
    run=Run(re.compile(r"(?:P[A-Za-z\-]{0,12}(?::(?: \d{0,3})?)?)?"), 18),
    opener=re.compile(r"(?<![A-Za-z0-9])(?=Private-Lines:)"),
    needs="Private-Lines:",
    tail=_TAIL,
)
