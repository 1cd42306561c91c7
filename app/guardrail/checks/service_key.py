"""Keys without a beginning of their own: a random-looking value that the name of a service stands before."""

import re
from dataclasses import dataclass

from app.guardrail.check import TOKEN_START, WORD, Finding, Tail
from app.guardrail.checks.randomness import is_random
from app.guardrail.checks.service_formats import FORMATS, Format, find_names
from app.guardrail.checks.values import entropy

_MAX_DISTANCE = 40  # characters between the name and the value
_WORTH = re.compile(r"(?=[^ \n\d]{0,100}\d)[\w\-+/.:]{11}|(?=[^ \n]{0,100}[a-z][A-Z])[\w\-+/.:]{16}", re.ASCII)
_GENERIC = re.compile(r"[A-Za-z0-9_\-+/]{16,128}={0,2}(?::fx)?")
# What stands before a value that is written down, rather than part of a path or of a longer word.
_BEGINS_VALUE = re.compile(r"""[\s"'`=:(\[{<>,|;@]\Z""")
# A placeholder behind it counts as the text that it hides.
_IN_TOKEN = re.compile(r"[\w\-\[]|[+/=.?$%&!@#^~*][A-Za-z0-9\[]")
_SAID = re.compile(r"key|token|secret|auth|credential|passw|pwd|api(?![a-z])|bearer|(?<![a-z])pat(?![a-z])")
_HASH = re.compile(
    r"(?<![a-z])(?:commit|sha\d*|digest|revision|rev|etag|checksum|md5|hash|fingerprint|integrity|version|build|image|"
    r"issue|run|job|"
    r"(?:project|account|tenant|user|order|request|trace|workspace|org|app|client|object)[ _-]?(?:id|uuid)|"
    r"uuid|guid|isbn|sku|serial|part|docs?|document|page|file|blob|tree|merge|branch|tag)s?(?![a-z])"
)
_ASSIGNED = re.compile(r"""[\w.\-]{0,24}["'`\])]{0,2}\s{0,4}(?:=>|:=|={1,2}|:|-)\s{0,4}["'`(]{0,2}\Z""")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")


def _fits(one: Format, window: str, start: int) -> int:
    """Where a value of this format that begins here ends; 0 if there is none."""
    match = one.pattern.match(window, start)
    if match is None or (_IN_TOKEN.match(window, match.end()) and match.end() - start < WORD.extent):
        return 0
    return match.end() if is_random(match[0]) else 0


@dataclass(frozen=True, slots=True)
class _Named:
    """A service's name before a value. `said`: with a word for a key; `assigned`: the value is set to the name."""

    name: str
    near: bool
    said: bool
    assigned: bool

    @classmethod
    def of(cls, window: str, start: int, begin: int, end: int, name: str) -> "_Named":
        between = window[end:start]
        said = _SAID.search(window[max(begin - 16, 0) : start].lower()) is not None
        near = len(between) <= _MAX_DISTANCE and (
            said or (name not in FORMATS.words and not _HASH.search(between.lower()))
        )
        return cls(name, near, said, _ASSIGNED.fullmatch(between) is not None)


class ServiceKeyCheck:
    """The documented form of a service's key beside its name; and any random value that is called the service's key."""

    kind = "credential"
    run = WORD
    opener = TOKEN_START
    needs = ""
    cue = None
    tail = Tail(re.compile(r"[\w+/=.\-~]*", re.ASCII), closer=False)

    def at(self, window: str, start: int) -> Finding | None:
        if _WORTH.match(window, start) is None or _BEGINS_VALUE.search(window, max(start - 1, 0), start) is None:
            return None
        named = [_Named.of(window, start, *at) for at in find_names(window[:start], FORMATS.services)]
        near = [one for one in named if one.near]
        for one in near:
            for form in FORMATS.named.get(one.name, ()):
                end = _fits(form, window, start)
                if end and (one.said or one.assigned or not _UUID.fullmatch(window, start, end)):
                    return self._finding(start, end, f"{FORMATS.services[one.name]} key")
        match = _GENERIC.match(window, start)
        if match is None or _IN_TOKEN.match(window, match.end()):
            return None
        said = any(one.said for one in near)
        if (said or any(one.assigned for one in near)) and _is_generic(match[0], said=said):
            return self._finding(start, match.end(), "named after a service")
        return None

    def _finding(self, start: int, end: int, reason: str) -> Finding:
        return Finding(start, end, self.kind, reason, open=end - start >= self.run.extent)


def _is_generic(value: str, *, said: bool) -> bool:
    """Whether a value of unknown form is as good as surely random."""
    if _UUID.fullmatch(value) or (_HEX.fullmatch(value) and len(value) in (40, 64)):
        return said
    return is_random(max(re.split(r"[_\-./+]", value), key=len)) and entropy(value) >= 3.2


CHECK = ServiceKeyCheck()
