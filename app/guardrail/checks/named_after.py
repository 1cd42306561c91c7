"""Values that are named behind: "hunter2 is the Wi-Fi password", "use 4711 as the door code", "Xy7!k2 (password)"."""

import re

from app.guardrail.check import PatternCheck, Run
from app.guardrail.cues import PARTICLES, complements, links, names, unspaced_characters
from app.guardrail.lookalikes import lowered
from app.guardrail.values import is_code, is_mixed
from app.guardrail.word_trees import any_of, prefixes

_FOREIGN = unspaced_characters()
_START = re.compile(
    rf"""(?<![^ \n"'`(>{_FOREIGN}])(?=[^ \n"'`(\[{_FOREIGN}]{{0,30}}?[\d!#$%^&])"""
    rf"""(?=[^ \n"'`(\[<=:,;.\-#%{{_{_FOREIGN}])"""
)
_VALUE = rf"[^ \n\"'`,;{_FOREIGN}]{{4,48}}"


# The value; where a link follows it, what that leads to.
_RUN = Run(
    re.compile(
        rf"""(?:[^ \n"'`{_FOREIGN}]{{0,48}}["'`]?,?(?: ?\([^\n)]{{0,36}}|[{PARTICLES}][\n{_FOREIGN}]{{0,12}}"""
        rf"""| (?:(?:{prefixes(links())})(?: [^\n.;:]{{0,64}})?)?)?)?"""
    ),
    120,
)
_LINK = any_of(links())
_ENDS = rf"(?= *(?:[.,;:!?)\"'`\n|<]|\Z)| (?:{complements()}|and|und|et|y|e) )"


def _named(sort: str) -> str:
    named = names(sort)
    called = rf"(?:(?!(?:{complements()}) )[^\W\d_][\w'&/\-]* ){{0,5}}?(?:[\w\-]*-)?{named.pattern}"
    spaced = rf" (?:{_LINK}) {called}{_ENDS}| ?\((?:[\w\-]+ ){{0,3}}?{named.pattern}\)"
    foreign = rf"|[{PARTICLES}][\n{_FOREIGN}]{{0,8}}(?:{named.unspaced})" if named.unspaced else ""
    return rf"(?:{spaced}{foreign})"


_CALLED_KEY = (
    r"(?:(?:api|access|secret|auth|bearer|deploy|refresh|signing|encryption|license)[ \-]?)(?:key|token|secret)"
)
_PASSWORD = re.compile(rf"""["'`]?,?(?:{_named("password")}| (?:{_LINK}) (?:[\w'\-]+ ){{0,4}}?{_CALLED_KEY}{_ENDS})""")
_CODE = re.compile(rf"""["'`]?,?{_named("code")}""")


def _is_named(match: re.Match[str], _before: str) -> bool:
    value = match[0]
    behind = lowered(match.string[match.end() :])
    if _CODE.match(behind) is not None:
        return sum(character.isdigit() for character in value) >= 3
    return len(value) >= 5 and is_mixed(value) and not is_code(value) and _PASSWORD.match(behind) is not None


CHECK = PatternCheck(
    kind="credential",
    reason="called a password or code behind it",
    pattern=re.compile(_VALUE),
    accept=_is_named,
    opener=_START,
    needs=r"[\d!#$%^&]",
    run=_RUN,
)
