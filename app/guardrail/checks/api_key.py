"""Keys and tokens that announce themselves by their beginning, or by a sign within. Formats: services.yaml."""

import re

from app.guardrail.check import TOKEN_START, WORD, Finding, Tail
from app.guardrail.checks.randomness import is_placeholder, is_random
from app.guardrail.checks.service_formats import FORMATS, Format, by_beginning

_BY_BEGINNING = by_beginning(FORMATS.prefixed)
_UNANNOUNCED = _BY_BEGINNING.pop("", ())
# A word that can be a key without a beginning of its own: long, with a digit, and no address.
_LONG = re.compile(r"(?=[^ \n\d]{0,60}\d)[\w+/~.\-]{32}|\d{8,19}[:\-|]", re.ASCII)
_ANY_UNANNOUNCED = re.compile("|".join(f"(?:{one.pattern.pattern})" for one in _UNANNOUNCED))
_BEGINNINGS = re.compile(rf"(?:{'|'.join(map(re.escape, FORMATS.beginnings))})(?P<value>[\w\-.+/=]*[\w+/=])", re.ASCII)
_BEGINNING_KEYS = frozenset(begin[:2] for begin in FORMATS.beginnings)


def _says_enough(one: Format, value: str) -> bool:
    """Whether the beginning is so long that what follows need not look random, but only be no words."""
    begin, digits = one.begins[0], any(sign.isdigit() for sign in value)
    if one.length is not None:
        return len(begin) >= 4 or (len(begin) == 3 and begin.isupper())
    return len(begin) >= 4 and (digits or (len(begin) >= 6 and value.isupper()))


class ApiKeyCheck:
    """A known beginning and what must follow it; behind the best known ones, whatever looks random."""

    kind = "credential"
    run = WORD
    opener = TOKEN_START
    needs = ""
    cue = None
    tail = Tail(re.compile(r"[\w+/=.\-~]*", re.ASCII), closer=False)

    def at(self, window: str, start: int) -> Finding | None:
        key = window[start : start + 2]
        formats = _BY_BEGINNING.get(key, ()) + _BY_BEGINNING.get(key[:1], ())
        if _LONG.match(window, start) is not None and _ANY_UNANNOUNCED.match(window, start) is not None:
            formats += _UNANNOUNCED
        if not formats or window[start - 1 : start].isalnum():
            return None
        best = 0, ""
        for one in formats:
            end = self._end(one, window, start)
            if end > best[0]:
                best = end, f"{one.service} key"
        if not best[0] and key in _BEGINNING_KEYS:
            match = _BEGINNINGS.match(window, start)
            if match is not None and len(match["value"]) >= 16 and is_random(match["value"]):
                best = match.end(), "begins like a key"
        end, reason = best
        if not end:
            return None
        return Finding(start, end, self.kind, reason, open=end - start >= self.run.extent)

    def _end(self, one: Format, window: str, start: int) -> int:
        """Where a key of this format that begins here ends; 0 if there is none."""
        if one.mark not in window:
            return 0
        match = one.pattern.match(window, start)
        if match is None:
            return 0
        end = match.end()
        if end - start < self.run.extent and (one.length is None or one.length <= 120):
            follows = window[end : end + 1]
            if follows.isalnum() or follows in {"_", "["}:  # a placeholder counts as the text that it hides
                return 0
        value = match[0][len(one.begins[0]) :]
        if is_placeholder(value):
            return 0
        return end if _says_enough(one, value) or is_random(value) else 0


CHECK = ApiKeyCheck()
