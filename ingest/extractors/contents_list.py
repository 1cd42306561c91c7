"""Finds lists of contents: links to the sections of the page itself, which say nothing that the sections do not."""

import re
from collections.abc import Iterator
from typing import Any

# What stands above such a list, and is left with nothing below it.
TITLES = re.compile(
    r"(?:table of contents|contents|toc|on this page|in this (?:article|page|document|section|guide)|jump to"
    r"|page contents|quick links|inhalt|inhaltsverzeichnis|auf dieser seite|sommaire|table des matières|sur cette page"
    r"|índice|contenido|en esta página|tabla de contenidos|indice|sumário|inhoud|innehåll|indhold|innhold|sisältö)\W*",
    re.IGNORECASE,
)
MIN_ENTRIES = 2
# So many of the entries must stand elsewhere on the page: sections are renamed, and the list forgotten.
MIN_REPEATED = 0.8
# Of so many of the page's headings a list must speak, below a paragraph that does not announce it.
MIN_COVERED = 0.6
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def drop_contents_lists(tree: Any) -> None:
    """Take out the lists whose items are links to places of the same page, with a title that holds nothing else.

    A list below "The pillars are:" or below a section's heading is what the section says, and stays.
    """
    candidates = [element for element in tree.iter("ul", "ol") if _is_outermost(element) and _entries(element)]
    if not candidates:
        return
    listed = {inner for element in candidates for inner in element.iter()}
    texts = (t for e in tree.iter() if e not in listed and isinstance(e.tag, str) for t in _own_text(e))
    elsewhere = _letters(" ".join(texts))
    headings = [_letters("".join(heading.itertext())) for heading in tree.iter(*HEADINGS)]
    for element in candidates:
        entries = _entries(element)
        repeated = sum(_letters(entry) in elsewhere for entry in entries)
        enough = len(entries) >= MIN_ENTRIES and repeated >= MIN_REPEATED * len(entries)
        if enough and _is_of_the_page(element, entries, headings):
            _drop(element)


def _is_of_the_page(element: Any, entries: list[str], headings: list[str]) -> bool:
    """Whether a list stands where the contents of a page stand: first, below its title or below a title of its own."""
    above = element.getprevious()
    text = "" if above is None else " ".join("".join(above.itertext()).split())
    if above is None or TITLES.fullmatch(text):
        return True
    if above.tag in HEADINGS:
        return _letters(text) == headings[0]
    covered = len(set(headings[1:]) & set(map(_letters, entries)))
    return not text.endswith(":") and covered >= MIN_COVERED * len(headings[1:])


def _is_outermost(element: Any) -> bool:
    return next(element.iterancestors("ul", "ol"), None) is None


def _entries(element: Any) -> list[str]:
    """The entries of a list, those of inner lists too; none if anything in it is more than a link within the page."""
    entries = []
    for item in element.iter("li"):
        links = [link for link in _within(item) if link.tag == "a"]
        own = "".join(text for inner in (item, *_within(item)) for text in _own_text(inner))
        linked = "".join("".join(link.itertext()) for link in links)
        if not links or any(not link.get("href", "").startswith("#") for link in links):
            return []
        if _letters(own) != _letters(linked):
            return []
        entries.append(linked)
    return entries


def _within(item: Any) -> Iterator[Any]:
    """The elements of an item, without those of inner lists."""
    for child in item:
        if isinstance(child.tag, str) and child.tag not in ("ul", "ol"):
            yield child
            yield from _within(child)


def _own_text(element: Any) -> Iterator[str]:
    """The text between the tags of an element itself."""
    yield element.text or ""
    for child in element:
        yield child.tail or ""


def _letters(text: str) -> str:
    return "".join(re.findall(r"\w+", text.casefold()))


def _drop(element: Any) -> None:
    title = element.getprevious()
    after = element.getnext()
    element.drop_tree()
    if title is None or not TITLES.fullmatch("".join(title.itertext()).strip()):
        return
    if title.tag == "p" or (title.tag in HEADINGS and (after is None or after.tag in HEADINGS)):
        title.drop_tree()
