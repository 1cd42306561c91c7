"""Addresses that carry a password: postgres://user:secret@host and the like, for any scheme."""

import re

from app.guardrail.check import PatternCheck, Tail

_URL = re.compile(
    r"(?<![A-Za-z0-9])(?:jdbc:)?[A-Za-z][A-Za-z0-9+.\-]{1,20}://"
    r"(?P<user>[^ \n\"'`<>/@:]{0,64}):(?P<password>[^ \n\"'`<>]{1,127}?)"
    r"(?:@[^ \n\"'`<>)\]]*|(?P<cut>\Z))"
)
# A template holds no secret: <password>, ${PASSWORD}, {{ password }}, $PASSWORD, %s.
_TEMPLATE = re.compile(r"\$\{.*|\$[a-z_]+|%s|\{.*|<.*|\[.*|\.{3}|x{3,}", re.IGNORECASE)


_PORT = re.compile(r"\d{1,5}/")


def _holds_password(match: re.Match[str], before: str) -> bool:
    if match["cut"] is not None:  # no "@" within reach: a password so long that the window ends in it, or a port
        return match.end() >= 128 + len(before) and "/" not in match["password"][:6]
    return _TEMPLATE.fullmatch(match["password"]) is None and not _PORT.match(match["password"])


CHECK = PatternCheck(
    kind="credential",
    reason="password in an address",
    pattern=_URL,
    accept=_holds_password,
    opener=re.compile(r"(?<![A-Za-z0-9])(?=(?:jdbc:)?[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^ \n]{0,64}:)"),
    needs="://",
    tail=Tail(re.compile(r"[^ \n\"'`<>)\]]*"), closer=False),
)
