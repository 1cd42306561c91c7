"""Text of documents and models as a page shows it: quotes as text, a model's Markdown from a short list of forms.

Nothing of it is taken for HTML. What the guardrail hid is a mark of its own, and numbers in brackets are sources.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

HIDDEN = re.compile(r"\[redacted: ([a-z][a-z -]{0,39}?(?: (?:[0-9]{1,4}|ending [0-9A-Z]{4}))?)\]")
CITATION = re.compile(r"\[(\d{1,3})\]")
TAGS = {"p", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "br", "hr", "a"} | {
    *("table", "thead", "tbody", "tr", "th", "td", "h3", "h4"),
}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
# An address is one of the passages: the guardrail has taken away every other. Who follows it leaves, on their own.
SCHEMES = {"http", "https"}
LINK_REL = "noopener noreferrer nofollow"

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "autolink", "reference"])


@dataclass(frozen=True)
class TextSegment:
    """A piece of a text: marked or not; `hidden` is the kind of what the guardrail took out of it, as the
    placeholder has it ("phone", "phone 2", "card ending 1111").
    """

    text: str
    marked: bool = False
    hidden: str | None = None


def segments(text: str, marks: Sequence[tuple[int, int]] = ()) -> list[TextSegment]:
    """The text in pieces, with the parts between [start, end) marked, and what was hidden as pieces of their own."""
    return list(_segments(text, sorted(marks)))


def _segments(text: str, marks: Sequence[tuple[int, int]]) -> Iterator[TextSegment]:
    place = 0
    for match in HIDDEN.finditer(text):
        yield from _marked(text, place, match.start(), marks)
        yield TextSegment(match[0], hidden=match[1])
        place = match.end()
    yield from _marked(text, place, len(text), marks)


def _marked(text: str, start: int, end: int, marks: Sequence[tuple[int, int]]) -> Iterator[TextSegment]:
    place = start
    for mark in marks:
        first, last = max(mark[0], place), min(mark[1], end)
        if first >= last:
            continue
        if place < first:
            yield TextSegment(text[place:first])
        yield TextSegment(text[first:last], marked=True)
        place = last
    if place < end:
        yield TextSegment(text[place:end])


def markdown(text: str, sources: Sequence[tuple[int, str]], hidden_word: Callable[[str], str]) -> Markup:
    """What a model wrote, as HTML: forms of a short list, and its citations as links to the sources of these numbers.

    `hidden_word` says what the guardrail took out, by what its placeholder says.
    """
    html = nh3.clean(
        _MARKDOWN.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    addresses = dict(sources)

    def cited(match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in addresses:
            return match[0]
        return f'<a class="chip" href="{escape(addresses[number])}" data-cites="{number}">{number}</a>'

    def hidden(match: re.Match[str]) -> str:
        return f'<span class="redacted">{escape(hidden_word(match[1]))}</span>'

    return Markup(_outside_tags(html, lambda part: CITATION.sub(cited, HIDDEN.sub(hidden, part))))  # noqa: S704


def _outside_tags(html: str, change: Callable[[str], str]) -> str:
    """The same with every run of text changed, and no tag."""
    return "".join(part if part.startswith("<") else change(part) for part in re.split(r"(<[^>]*>)", html))
