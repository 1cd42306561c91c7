"""Values in base64 or hexadecimal: what they decode to is shown to the checks, and hidden whole if they find anything."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.guardrail.check import WORD, Check, Finding, Run, Tail
from app.guardrail.gate import redact

_START = re.compile(r"(?<![A-Za-z0-9+/_\-])(?=[A-Za-z0-9+/_\-]{8})(?=[A-Za-z0-9+/_\-]{1,40}?[0-9A-Z])", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9+/_\-]{8,128}={0,2}", re.ASCII)
_HEX = re.compile(r"(?:0x)?((?:[0-9a-f]{2}){6,}|(?:[0-9A-F]{2}){6,})", re.ASCII)
_NEAR = 48  # characters before the value that may name it


def _texts(token: str) -> Iterator[str]:
    """What the token decodes to, where that is plain text."""
    digits = _HEX.fullmatch(token.rstrip("="))
    if digits is not None:
        yield from _plain(bytes.fromhex(digits[1]))
    body = token.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    yield from _plain(base64.b64decode(body + "=" * (-len(body) % 4)))


def _plain(data: bytes) -> Iterator[str]:
    for encoding in ("utf-8", "utf-16-le"):
        text = data.decode(encoding, "ignore")
        if len(text) >= 6 and text.replace("\n", "").isprintable() and len(text.encode(encoding)) >= len(data) - 3:
            yield text


@dataclass(frozen=True, slots=True, eq=False)
class DecodedReading:
    """A token whose decoded text holds something that the checks find: it is hidden whole."""

    checks: tuple[Check, ...]
    kind: str = ""
    run: Run = WORD
    opener: re.Pattern[str] = _START
    needs: str = ""
    cue: None = None
    tail: Tail | None = Tail(re.compile(r"[\w+/=\-]*", re.ASCII), closer=False)

    def at(self, window: str, start: int) -> Finding | None:
        token = _TOKEN.match(window, start)
        if token is None:
            return None
        before = window[max(start - _NEAR, 0) : start]
        for text in _texts(token[0]):
            counts = redact(before + text, self.checks).counts
            found = sorted(kind for kind, count in counts.items() if count > redact(before, self.checks).counts.get(kind, 0))
            if found:
                goes_on = token.end() - start >= self.run.extent
                kind = "credential" if "credential" in found else found[0]
                return Finding(start, token.end(), kind, "encoded", goes_on)
        return None


def decoded_reading(checks: Sequence[Check]) -> Check:
    """The checks in a reading that undoes base64 and hexadecimal."""
    return DecodedReading(tuple(checks))
