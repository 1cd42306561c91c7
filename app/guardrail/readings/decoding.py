"""Values in base64 or hexadecimal: what they decode to is shown to the checks, and they are hidden whole."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.guardrail.check import LONG, WORD, Check, Finding, Run, Tail
from app.guardrail.gate import redact
from app.guardrail.groups import group_checks

_START = re.compile(r"(?<![A-Za-z0-9+/_\-])(?=[A-Za-z0-9+/_\-]{8})(?=[A-Za-z0-9+/_\-]{1,40}?[0-9A-Z])", re.ASCII)
# What may be decoded: hexadecimal, base64, and base64 for addresses.
_HEX = re.compile(r"(?:0x)?((?:[0-9a-f]{2}){6,64}|(?:[0-9A-F]{2}){6,64})", re.ASCII)
_BASE64 = (re.compile(r"[A-Za-z0-9+/]{8,128}={0,2}", re.ASCII), re.compile(r"[A-Za-z0-9_\-]{8,128}={0,2}", re.ASCII))
_TAIL = Tail(re.compile(r"[\w+/=\-]*", re.ASCII), closer=False)
_NEAR = 48  # characters before the value that may name it


def _texts(window: str, start: int) -> Iterator[tuple[int, str]]:
    """The plain texts that what stands there decodes to, each with where it ends."""
    digits = _HEX.match(window, start)
    if digits is not None:
        yield from ((digits.end(), text) for text in _plain(bytes.fromhex(digits[1])))
    ends = set()
    for alphabet in _BASE64:
        token = alphabet.match(window, start)
        if token is None or token.end() in ends:
            continue
        ends.add(token.end())
        body = token[0].rstrip("=").replace("-", "+").replace("_", "/")
        body = body[: len(body) - (len(body) % 4 == 1)]
        yield from ((token.end(), text) for text in _plain(base64.b64decode(body + "=" * (-len(body) % 4))))


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
    needs: str = LONG
    cue: None = None
    tail: Tail | None = _TAIL

    def at(self, window: str, start: int) -> Finding | None:
        before = window[max(start - _NEAR, 0) : start]
        known: Mapping[str, int] | None = None
        best: Finding | None = None
        for end, text in _texts(window, start):
            known = redact(before, self.checks).counts if known is None else known
            counts = redact(before + text, self.checks).counts
            found = sorted(kind for kind, count in counts.items() if count > known.get(kind, 0))
            if found and (best is None or end > best.end):
                kind = "credential" if "credential" in found else found[0]
                best = Finding(start, end, kind, "encoded", end - start >= self.run.extent, frozenset(found))
        return best


def decoded_reading(checks: Sequence[Check]) -> Check:
    """The checks in a reading that undoes base64 and hexadecimal."""
    group_checks(tuple(checks))  # now, and not for the first text with such a token: the clock would tell the next one
    return DecodedReading(tuple(checks))
