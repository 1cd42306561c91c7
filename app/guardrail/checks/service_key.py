"""Keys without a beginning of their own: a random-looking value that the name of a service stands before."""

import re
from dataclasses import dataclass

from app.guardrail.check import TOKEN_START, WORD, Finding, Tail
from app.guardrail.checks.randomness import is_random
from app.guardrail.checks.secret import is_plain_query
from app.guardrail.checks.service_formats import FORMATS, Format, find_names, fold_name
from app.guardrail.values import entropy

_MAX_DISTANCE = 40  # characters between the name and the value
_ANY = re.compile(r"[A-Za-z0-9_\-+/=.:|!]{10,128}")
_GENERIC = re.compile(r"[A-Za-z0-9_\-+/]{10,128}={0,2}")
# What stands before a value that is written down, rather than part of a path or of a longer word.
_BEGIN_VALUE = frozenset(" \n=\"'`:([{<>,|;@")
# A placeholder behind it counts as the text that it hides.
_IN_TOKEN = re.compile(r"[\w\-\[]|[+/=.?:$%&!@#^~*][A-Za-z0-9\[]")
_SAID = re.compile(r"key|token|secret|auth|credential|passw|pwd|api(?![a-z])|bearer|(?<![a-z])pat(?![a-z])")
_HASH = re.compile(
    r"(?<![a-z])(?:commit|nonce|cursor|src|url|href|sha\d*|digest|revision|rev|etag|checksum|md5|hash|fingerprint|integrity|version|build|image|"
    r"issue|run|job|"
    r"(?:project|account|tenant|user|order|request|trace|workspace|org|app|client|object)[ _-]?(?:id|uuid)|"
    r"uuid|guid|isbn|sku|serial|part|docs?|document|page|file|blob|tree|merge|branch|tag)s?(?![a-z])"
)
# The value is set to the name, passed to something of that name, or stands on the line below it.
_ASSIGNED = re.compile(
    r"""(?:,? (?:we|they|i) (?:now |still )?use |[\w.\-]{0,24}["'`\])]{0,2}(?: \([^()\n]{1,16}\))?\s{0,4}"""
    r"""(?:=>|:=|={1,2}|[:\-(,|>\n])\s{0,4})["'`(]{0,2}\Z"""
)
_QUOTED = re.compile(r"""(?P<name>[\w.\-]{1,40})["'\]]{0,2} {0,2}(?:=>|:=|=|:) {0,2}["'`]\Z""")
_DIGEST_SIZES = (32, 40, 56, 64, 96, 128)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")


_SEPARATOR = re.compile(r"[_\-./+]")
_CAPITAL = re.compile(r"[A-Z]")


def _fits(one: Format, window: str, start: int) -> int:
    """Where a value of this format that begins here ends; 0 if there is none."""
    match = one.pattern.match(window, start)
    if match is None or (_IN_TOKEN.match(window, match.end()) and match.end() - start < WORD.extent):
        return 0
    return match.end() if is_random(match[0]) or _UUID.fullmatch(match[0]) else 0


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
        glued = fold_name(window[begin:end]).removeprefix(name)
        preceding = window[max(begin - 16, 0) : begin].lower()
        around = f"{preceding} {glued} {between}".lower()
        said = _SAID.search(around) is not None
        near = len(between) <= _MAX_DISTANCE and (
            said or (name not in FORMATS.words and not _HASH.search(between.lower()) and not _HASH.search(preceding))
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
        if window[start - 1 : start] not in _BEGIN_VALUE:
            return None
        before, value = window[:start], _ANY.match(window, start)
        if value is None or not (is_random(value[0]) or _UUID.match(value[0])) or is_plain_query(before):
            return None
        named = [_Named.of(window, start, *at) for at in find_names(before, FORMATS.services)]
        near = [one for one in named if one.near]
        for one in near:
            for form in FORMATS.named.get(one.name, ()):
                end = _fits(form, window, start)
                if end and (one.said or one.assigned or not _UUID.fullmatch(window, start, end)):
                    return self._finding(start, end, f"{FORMATS.services[one.name]} key")
        return self._of_unknown_form(window, start, near)

    def _of_unknown_form(self, window: str, start: int, near: list[_Named]) -> Finding | None:
        match = _GENERIC.match(window, start)
        if match is None or (match.end() - start < self.run.extent and _IN_TOKEN.match(window, match.end())):
            return None
        said, assigned = any(one.said for one in near), any(one.assigned for one in near)
        if (said or assigned) and _is_generic(match[0], said=said, assigned=assigned):
            return self._finding(start, match.end(), "named after a service")
        if _is_alone(match[0], window[:start]):
            return self._finding(start, match.end(), "random and assigned")
        return None

    def _finding(self, start: int, end: int, reason: str) -> Finding:
        return Finding(start, end, self.kind, reason, open=end - start >= self.run.extent)


def _is_generic(value: str, *, said: bool, assigned: bool) -> bool:
    """Whether a value of unknown form is as good as surely random."""
    if _UUID.fullmatch(value) or (_HEX.fullmatch(value) and len(value) in _DIGEST_SIZES):
        return said or assigned
    longest = max(_SEPARATOR.split(value), key=len)
    if len(value) < 16:
        return longest == value and sum(map(str.isdigit, value)) >= 2 and is_random(value) and entropy(value) >= 2.8
    return is_random(longest) and entropy(value) >= 3.2


def _is_alone(value: str, before: str) -> bool:
    """Whether a quoted value is so random that whatever it is assigned to, it is a key; digests and ids are not."""
    assigned = _QUOTED.search(before)
    if assigned is None or _HASH.search(_CAPITAL.sub(lambda hump: f"_{hump[0]}", assigned["name"]).lower()):
        return False
    if len(value) < 24 or sum(sign.isdigit() for sign in value) < 2 or _UUID.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) not in {24, *_DIGEST_SIZES}
    return is_random(max(_SEPARATOR.split(value), key=len)) and entropy(value) >= 3.8


CHECK = ServiceKeyCheck()
