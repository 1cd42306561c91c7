"""E-mail addresses."""

import re
from collections.abc import Iterator

from app.guardrail.check import PatternCheck

_LOCAL = r"(?:[\w.+%~\\\-]|(?<=\w)'(?=\w))"
# A local part is at most 64 characters; of a longer run, the last 64 before the "@" are taken all the same.
_START = re.compile(rf"(?<!{_LOCAL})(?={_LOCAL}{{1,64}}+@)|(?={_LOCAL}{{64}}@)")
_LONGEST = 64
_ADDRESS = re.compile(
    rf"(?P<local>{_LOCAL}{{1,64}})@(?:[^\W_](?:[\w\-]{{0,61}}[^\W_])?\.){{1,"
    rf"8}}(?P<top>xn--[A-Za-z0-9\-]{{1,40}}|[^\W\d_]{{2,24}})"
)
# "logo@2x.png" is a file, "git@host.org:team/repo" a repository.
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "ts", "css", "json", "html", "md", "yml", "yaml"})


class _AddressStarts:
    """Where a local part begins: the text is searched for its "@", of which most have few, and from there back."""

    def finditer(self, text: str, pos: int) -> Iterator[re.Match[str]]:
        begin, at = pos, text.find("@", pos)
        while at >= 0:
            for start in range(max(at - _LONGEST, begin), at):
                found = _START.match(text, start)
                if found is not None:
                    yield found
            begin, at = at + 1, text.find("@", at + 1)

    def match(self, text: str, pos: int) -> re.Match[str] | None:
        return _START.match(text, pos)


def _is_address(match: re.Match[str], before: str) -> bool:
    if match["local"].strip(".\\-") == "" or match["top"].lower() in _FILES:
        return False
    after = match.string[match.end() : match.end() + 1]
    return not (match["local"] == "git" and after == ":") and not before.endswith("://")


CHECK = PatternCheck(
    kind="email",
    reason="address with a domain",
    pattern=_ADDRESS,
    accept=_is_address,
    opener=_AddressStarts(),
    needs="@",
)
