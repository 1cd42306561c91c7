"""HTML and Markdown."""

import re
from collections import Counter
from typing import Any

from lxml import etree, html  # type: ignore[import-untyped]  # ships no types
from markdown_it import MarkdownIt

from ingest.extractors import partition, tables
from ingest.extractors.contents_list import HEADINGS, drop_contents_lists
from ingest.extractors.encoding import decode
from ingest.extractors.errors import FileTooLarge
from ingest.extractors.front_matter import FrontMatter, split_front_matter
from ingest.extractors.outline import Outline
from ingest.extractors.page_source import clean_source
from ingest.extractors.partition import Element
from ingest.extractors.plain import one_line
from ingest.extractors.templates import strip_templates
from ingest.extractors.unseen import is_styled, is_unseen
from ingest.extractors.verbatim import element_spans

# The library drops these with all their text; the text of an FAQ often lives in <details>.
KEPT_AS = {
    "details": "div", "summary": "p", "figure": "div", "figcaption": "p", "form": "div", "fieldset": "div",
    "legend": "p", "label": "span", "dialog": "div",
}  # fmt: skip
MAX_DEPTH = 200
DECLARED = re.compile(
    rb"<(?:meta\b[^>]{0,200}\bcharset|\?xml\b[^>]{0,200}\bencoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE
)
# The first of an HTML page that a generator reads.
TEMPLATE_START = re.compile(
    r"\s*(?:\{%-?\s*(?:extends|load|include|block|import|from|layout|assign|set|comment)\b|\{\{[<%!])"
)

# CommonMark with tables: the library's own converter takes a list without a blank line before it for a paragraph,
# flattens lists indented by two spaces and loses fenced code inside lists.
_commonmark = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def read_html(content: bytes) -> tuple[str | None, Outline]:
    """Title (first h1, else <title>) and outline of an HTML page."""
    match = DECLARED.search(content[:4096])
    text = re.sub(r"\r\n?", "\n", decode(content, declared=match[1].decode("ascii") if match else None))
    front = split_front_matter(text)
    if front is None and not TEMPLATE_START.match(text):
        return read_markup(text)
    text, hidden = strip_templates(front.rest if front else text, element_spans, templated=True)
    title, outline = read_markup(text)
    outline.hidden += hidden
    return _headed(title, outline, front)


def read_markup(markup: str) -> tuple[str | None, Outline]:
    outline = Outline()
    tree = _parse(markup)
    if tree is None:
        return None, outline
    title = one_line(tree.findtext(".//title") or "")
    outline.hidden += _prepare(tree)
    partition.add_elements(outline, partition.html_elements(html.tostring(tree, encoding="unicode")), level=_level)
    first = next((block.heading_path[-1] for block in outline.blocks if len(block.heading_path) == 1), "")
    has_h1 = next(iter(tree.iter("h1")), None) is not None
    return (first if has_h1 and first else title) or None, outline


def read_markdown(content: bytes) -> tuple[str | None, Outline]:
    """Title (front matter, else first heading of level 1) and outline of a Markdown page."""
    text = re.sub(r"\r\n?", "\n", decode(content))
    front = split_front_matter(text)
    text, hidden = clean_source(front.rest if front else text, templated=front is not None)
    title, outline = read_markup(_commonmark.render(text))
    outline.hidden += hidden
    return _headed(title, outline, front)


def _headed(title: str | None, outline: Outline, front: FrontMatter | None) -> tuple[str | None, Outline]:
    """With the title of the front matter, and with what it tells a reader before the text."""
    if front is None:
        return title, outline
    if front.lines:
        shown = Outline()
        shown.add("paragraph", "\n".join(front.lines))
        outline.put_first(shown.blocks)
    return front.title or title, outline


def _level(element: Element) -> int:
    return (element.metadata.category_depth or 0) + 1


def _parse(markup: str) -> html.HtmlElement | None:
    parser = html.HTMLParser(encoding="utf-8", remove_pis=True, huge_tree=True)
    try:
        tree: html.HtmlElement = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing but comments and white space
        return None
    _refuse_depth(tree)
    return tree


def _refuse_depth(tree: html.HtmlElement) -> None:
    """Raise `TooLarge` for nesting beyond which the library would drop the rest of the page without a word."""
    depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise FileTooLarge(
                f"The page nests its elements more than {MAX_DEPTH} deep: simplify it, or save it as PDF."
            )


def _prepare(tree: html.HtmlElement) -> Counter[str]:
    """Take out what is hidden and lists of contents, and make explicit what the library would lose: numbers of lists,
    spans of tables, dropped elements. Gives what was hidden, by kind.
    """
    hidden: Counter[str] = Counter()
    for comment in list(tree.iter(etree.Comment)):
        hidden["comments"] += bool((comment.text or "").strip())
        if comment.getparent() is not None:
            comment.drop_tree()
    styled = is_styled(tree)
    for element in list(tree.iter(etree.Element)):
        # What the reader of the page does not see is no text of it, and the usual place for planted instructions.
        if element.tag == "template" or "hidden" in element.attrib or is_unseen(element, styled=styled):
            hidden["elements"] += _drop(element)
        elif element.tag in KEPT_AS:
            element.tag = KEPT_AS[element.tag]
    for button in tree.iter("button"):
        if next(button.iterancestors(*HEADINGS), None) is not None:
            button.tag = "span"  # of an accordion: its text is the heading
    for image in list(tree.iter("img")):
        _show_alternative(image)
    drop_contents_lists(tree)
    _raise_bold_questions(tree)
    _make_explicit(tree)
    return hidden


def _raise_bold_questions(tree: html.HtmlElement) -> None:
    """Make headings of the bold questions that FAQs have between their answers, one level below the section's."""
    level = 1
    for element in list(tree.iter("p", *HEADINGS)):
        if element.tag in HEADINGS:
            level = int(element.tag[1])
            continue
        bold = [child for child in element if child.tag in ("strong", "b")]
        text = "".join(element.itertext()).strip()
        alone = len(bold) == len(element) == 1 and "".join(bold[0].itertext()).strip() == text
        after = element.getnext()
        answered = after is not None and after.tag not in HEADINGS
        if alone and text.endswith(("?", "？")) and answered and element.getparent().tag not in ("li", "td", "th"):
            element.tag = f"h{min(level + 1, 6)}"


def _make_explicit(tree: html.HtmlElement) -> None:
    """Write out numbers of lists and spans of tables."""
    for ordered in tree.iter("ol"):
        _number(ordered)
    for table in list(tree.iter("table")):
        if table.find(".//table") is None:
            _square(table)


def _drop(element: Any) -> bool:
    """Take out an element; whether it held text. Inside one that is gone already there is nothing more to count."""
    if element.getparent() is None or element.tag in ("html", "body"):
        return False
    inside = next(element.iterancestors("html"), None) is not None
    element.drop_tree()
    return inside and bool("".join(element.itertext()).strip())


def _show_alternative(image: Any) -> None:
    """Put the text that stands for an image in its place: the library cuts the sentence around it in three."""
    parent = image.getparent()
    if parent is not None and (image.getprevious() is not None or image.getnext() is not None or _has_text(parent)):
        image.tail = f"{one_line(image.get('alt', ''))}{image.tail or ''}"
        image.drop_tree()


def _has_text(element: Any) -> bool:
    return any(text.strip() for text in (element.text or "", *(child.tail or "" for child in element)))


def _number(ordered: Any) -> None:
    """Write the number of each item into its text, so that "step 3" can be asked for."""
    start = ordered.get("start", "1")
    number = int(start) if re.fullmatch(r"\d{1,6}", start) else 1
    for item in ordered.iterchildren("li"):
        target = item
        while not (target.text or "").strip() and len(target) and target[0].tag in ("p", "div", "span"):
            target = target[0]
        target.text = f"{number}. {(target.text or '').lstrip()}"
        number += 1


def _square(table: Any) -> None:
    """Write spanned cells out, since the library forgets the spans and shifts the columns."""
    rows = list(table.iter("tr"))
    if not any(cell.get("rowspan") or cell.get("colspan") for row in rows for cell in row.iterchildren("th", "td")):
        return
    for row, texts in zip(rows, tables.expand_spans(rows), strict=True):
        tags = {cell.tag for cell in row.iterchildren("th", "td")}
        tag = "th" if tags == {"th"} else "td"
        tail = row.tail
        row.clear()
        row.tail = tail
        for text in texts:
            etree.SubElement(row, tag).text = text
