"""Finds canaries in answers and says where they stand without saying what, and compares hidden with absent."""

import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.leak_test.http import RawAnswer

_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
# These differ from one request to the next; the length is that of the body, which is compared itself.
_VOLATILE_HEADERS = frozenset({"date", "x-request-id", "content-length"})


@dataclass(frozen=True)
class Canary:
    """A word that stands in one place only, and the callers who may be shown it."""

    kind: str  # title, heading, path, text, folder, collection, question, id
    of: str  # what carries it: a document's name, or what it is
    word: str = field(repr=False)
    knowers: frozenset[str]


class CanaryFinder:
    """Looks for all canaries at once, ignoring case and the hyphens of an id."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._by_form: dict[str, Canary] = {}
        for canary in canaries:
            for form in {canary.word.lower(), canary.word.lower().replace("-", "")}:
                self._by_form[form] = canary
        self._any = re.compile("|".join(map(re.escape, sorted(self._by_form, key=len, reverse=True))) or r"(?!)")

    def find(self, answer: RawAnswer) -> dict[Canary, str]:
        """Each canary that the answer holds, with the first place it stands: a header, a JSON path, the body."""
        found: dict[Canary, str] = {}
        for place, text in _texts(answer):
            for match in self._any.finditer(text.lower()):
                found.setdefault(self._by_form[match[0]], place)
        return found


def _texts(answer: RawAnswer) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        yield f"header {name}", urllib.parse.unquote(value) + "\n" + value
    value = answer.json()
    if value is not None:
        yield from _leaves(value, "$")
    if streamed := answer.streamed_text():
        yield "the streamed text", streamed
    # The whole body as it came: what a parser would drop, such as a second key of the same name, counts too.
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


def difference(hidden: RawAnswer, absent: RawAnswer, sent: Mapping[str, str], *, exact: bool = False) -> str | None:
    """What tells the two answers apart, in words; None if nothing does.

    `sent` maps each value of the hidden request to the one in its place in the other. Ids and times may differ unless
    `exact`.
    """
    if hidden.status != absent.status:
        return f"status {hidden.status} for hidden, {absent.status} for absent"
    headers = _headers(hidden, sent.keys(), exact), _headers(absent, sent.values(), exact)
    if differing := (headers[0] - headers[1]) + (headers[1] - headers[0]):
        return "headers: " + ", ".join(sorted({name for name, _ in differing}))
    if _normalized(hidden.body, sent.keys(), exact) != _normalized(absent.body, sent.values(), exact):
        return f"body: {len(hidden.body)} bytes for hidden, {len(absent.body)} for absent"
    return None


def _headers(answer: RawAnswer, sent: Iterable[str], exact: bool) -> Counter[tuple[str, bytes]]:
    sent = list(sent)
    return Counter(
        (name, _normalized(value.encode(), sent, exact))
        for name, value in answer.headers
        if name not in _VOLATILE_HEADERS
    )


def _normalized(text: bytes, sent: Iterable[str], exact: bool) -> bytes:
    for value in sent:
        text = text.replace(value.encode(), b"<sent>")
    return text if exact else _TIME.sub(b"<time>", _UUID.sub(b"<id>", text))
