"""The law of the stream for active content: whatever the cutting, what is released is a prefix of the whole made inert.

And what is released is inert: neither a renderer of Markdown nor one of HTML makes an image, a script or a link of it,
but to an address that is allowed, and making it inert once more changes nothing that matters.
"""

import itertools
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.guardrail.active_content import ActiveContentFilter, Addresses, make_inert

HELD = ("https://wiki.example/leave", "https://wiki.example/leave/2026?x=1", "www.example.org/a_(b)")
ALLOWED = Addresses.of(f"See {address}, or ask." for address in HELD)
PARTS = (
    "![", "[", "]", "](", "]: ", "(", ")", "!", "<", ">", "</", "<!--", "-->", "<img src=x>", "<script>", "alert(1)",
    "<List<String>>", "List<String>", "a<b", " ", "\n", "\n\n", "    ", "\t", "`", "```", "~~~", "\\", "&#60;", "&lt;",
    "x", "http", "https", ":", "//", "://", "www", "w", ".", "evil.example", "/?q=secret", "javascript:", "data:",
    "HTTPS://EVIL.example", "\u200b", "\uff1cimg", "[a]: ", "[x][a]", "- ", "> ", "#", "*", "'", '"', ",", *HELD,
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=16).map("".join)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Every tag that a renderer may make of plain text, and `a` for what is allowed.
WRITTEN = {
    "p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "br",
    "s", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
TAG = re.compile(r"<([A-Za-z][^\s/>]*)([^>]*)>")


def active(text: str) -> list[str]:
    """The tags in the rendered text that may do something: with a name that no text gives, or with attributes."""
    found = []
    for name, attributes in TAG.findall(MARKDOWN.render(text)):
        plain = re.sub(r' (?:start="\d+"|style="text-align:\w+"|class="language-[^"]*"|/)', "", attributes).strip(" /")
        address = re.fullmatch(r'href="([^"]*)"', plain)
        if name == "a" and address and address[1].replace("&amp;", "&") in HELD:
            continue
        if plain or name.lower() in ("a", "img", "script", "style", "iframe", "svg", "object"):
            found.append(f"<{name}{attributes}>")
    return found


@given(TEXTS, st.lists(st.integers(0, 200), max_size=8) | st.just(list(range(200))))
@example("https://wiki.example/leave.", [26])
@example("see www.example.org/a_(b))x", [3, 4, 5])
@settings(max_examples=400)
def test_any_cutting_gives_the_same_text(text: str, cuts: list[int]) -> None:
    whole = make_inert(text, ALLOWED)
    content = ActiveContentFilter(ALLOWED)
    released = ""
    marks = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    for start, end in itertools.pairwise(marks):
        released += content.feed(text[start:end])
        assert whole.startswith(released)
    assert released + content.flush() == whole


@given(TEXTS)
@example("![a](https://wiki.example/leave)")
@example("[a]: https://evil.example\n\n[a]")
@example("List<String>\n```\n<img src=x>")
@settings(max_examples=600)
def test_no_renderer_makes_anything_of_it(text: str) -> None:
    shown = make_inert(text, ALLOWED)
    assert active(shown) == []
    assert "<img" not in MARKDOWN.render(shown)


@given(st.text(alphabet=st.characters(exclude_characters="<\uff1c\ufe64!]:wW"), max_size=60))
@settings(max_examples=100)
def test_text_without_any_beginning_stays_as_it_is(text: str) -> None:
    assert make_inert(text) == text
