"""Finds canaries in answers, says where without saying what, and compares the answers for hidden and for absent."""

import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.leak_test.cast import Canary
from app.leak_test.requests import Answer

_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
# They differ from one request to the next by themselves.
_OWN = frozenset({"date", "x-request-id"})


class Finder:
    """Looks for all canaries at once; case does not count, nor do the hyphens of an id."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._by_form: dict[str, Canary] = {}
        for canary in canaries:
            for form in {canary.word.lower(), canary.word.lower().replace("-", "")}:
                self._by_form[form] = canary
        self._any = re.compile("|".join(map(re.escape, sorted(self._by_form, key=len, reverse=True))) or r"(?!)")

    def find(self, answer: Answer) -> dict[Canary, str]:
        """Each canary that the answer holds, and the first place where: a header, a JSON path, a byte."""
        found: dict[Canary, str] = {}
        for place, text in _texts(answer):
            for match in self._any.finditer(text.lower()):
                found.setdefault(self._by_form[match[0]], place)
        return found


def _texts(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        yield f"header {name}", urllib.parse.unquote(value) + "\n" + value
    value = answer.json()
    if value is not None:
        yield from _leaves(value, "$")
    if streamed := answer.streamed():
        yield "the streamed text", streamed
    # Everything once more as it came: what a parser would drop, like a second key of the same name, counts too.
    yield "body", urllib.parse.unquote(answer.body.decode("utf-8", errors="replace"))


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for name, inner in value.items():
                yield f"{place}, a name", name
                yield from _leaves(inner, f"{place}.{name}" if name.isidentifier() else f"{place}[…]")
        case list():
            for number, inner in enumerate(value):
                yield from _leaves(inner, f"{place}[{number}]")


def difference(hidden: Answer, absent: Answer, sent: Mapping[str, str]) -> str | None:
    """What tells the two apart but for ids and times, in words; None if nothing does.

    `sent` gives for each value of the hidden request the one that stood in its place in the other.
    """
    if hidden.status != absent.status:
        return f"status {hidden.status} for hidden, {absent.status} for absent"
    plain = _plain_headers(hidden, sent.keys()), _plain_headers(absent, sent.values())
    if plain[0] != plain[1]:
        return "headers: " + ", ".join(sorted({name for name, _ in plain[0] ^ plain[1]}))
    if _plain(hidden.body, sent.keys()) != _plain(absent.body, sent.values()):
        return f"body: {len(hidden.body)} bytes for hidden, {len(absent.body)} for absent"
    return None


def _plain_headers(answer: Answer, sent: Iterable[str]) -> frozenset[tuple[str, bytes]]:
    sent = list(sent)
    return frozenset(
        (name, _plain(value.encode(), sent)) for name, value in answer.headers if name not in _OWN | {"content-length"}
    )


def _plain(text: bytes, sent: Iterable[str]) -> bytes:
    for value in sent:
        text = text.replace(value.encode(), b"<sent>")
    return _TIME.sub(b"<time>", _UUID.sub(b"<id>", text))
