"""The one door to `unstructured`: office files, HTML, Markdown and text to elements, offline.

Two things are switched off. Telemetry: the library reports each call to its makers unless told not to. And its guess
whether a paragraph "is narrative", which takes a tagger for English, nine tenths of the time (75 against 7 ms for a
handbook page) and a model that it downloads: our blocks come from real structure, so nothing asks for that guess. The
tagger's library is not loaded either: with PyTorch, which it brings along where that is installed, it takes half of
the memory of a parser and half of its start. All of this needs names that are not public, so the version is pinned and
a test holds that no socket is opened.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

os.environ.update(SCARF_NO_ANALYTICS="1", DO_NOT_TRACK="1", UNSTRUCTURED_DISABLE_NOTICE="1")
os.environ["UNSTRUCTURED_TITLE_MAX_WORD_LENGTH"] = "0"  # no title by guess: only real headings are headings


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    """Importing `name` gives an empty module meanwhile; whoever imports it later gets the real one."""
    loaded = sys.modules.get(name)
    sys.modules[name] = ModuleType(name)
    yield
    del sys.modules[name]
    if loaded is not None:
        sys.modules[name] = loaded


# The environment must be set before the first of these imports, which reads it.
with _without("spacy"):
    import unstructured.nlp.tokenize  # noqa: F401  # all others find it imported
from unstructured.documents.elements import (
    CodeSnippet,
    Element,
    Footer,
    Header,
    ListItem,
    PageBreak,
    Table,
    Text,
    Title,
)
from unstructured.errors import UnprocessableEntityError
from unstructured.partition import text_type
from unstructured.partition.docx import partition_docx
from unstructured.partition.html import parser, partition_html
from unstructured.partition.pptx import partition_pptx
from unstructured.partition.text import partition_text
from unstructured.partition.xlsx import partition_xlsx

from ingest.extractors.outline import Outline
from ingest.extractors.tables import parse, readable


def _not_narrative(text: str, threshold: float = 0.5) -> bool:  # noqa: ARG001  # the signature of what it replaces
    """Stands in for `exceeds_cap_ratio`: "not narrative", said before the tagger is asked."""
    return True


def _item_or_text(text: str) -> type[Text]:
    """Stands in for `derive_element_type_from_text`, which drops a paragraph of one character, as "7" may be."""
    return ListItem if text_type.is_bulleted_text(text) else Text


text_type.exceeds_cap_ratio = _not_narrative
parser.derive_element_type_from_text = _item_or_text


__all__ = [
    "Element", "UnprocessableEntityError", "add_elements", "docx_elements", "html_elements",
    "pptx_elements", "text_elements", "xlsx_elements",
]  # fmt: skip

NO_LANGUAGE = [""]  # skips the detection of languages, which we do not use


def html_elements(markup: str) -> list[Element]:
    return _list(partition_html, text=markup) if markup.strip() else []


def docx_elements(content: bytes) -> list[Element]:
    """Elements of a Word document; page numbers where Word stored its page breaks."""
    return _list(partition_docx, file=io.BytesIO(content))


def pptx_elements(content: bytes) -> list[Element]:
    """Elements of a presentation without its speaker notes; the page is the slide."""
    return _list(partition_pptx, file=io.BytesIO(content), include_slide_notes=False)


def xlsx_elements(content: bytes) -> list[Element]:
    """One table a sheet: the library's own search for tables in a sheet repeats cells that stand side by side."""
    return _list(partition_xlsx, file=io.BytesIO(content), find_subtable=False)


def text_elements(text: str) -> list[Element]:
    """Paragraphs and list items of plain text."""
    return _list(partition_text, text=text)


def _list(partition: Callable[..., list[Element]], **arguments: Any) -> list[Element]:
    return partition(languages=NO_LANGUAGE, **arguments)


def add_elements(outline: Outline, elements: Iterable[Element], *, level: Callable[[Element], int]) -> None:
    """Put `elements` into `outline`; `level` gives the level of a `Title`.

    Nesting is rebuilt from heading levels: the library's `parent_id` is lost after code and tables.
    """
    margins: set[str] = set()
    for element in elements:
        page = element.metadata.page_number
        if isinstance(element, PageBreak):
            continue
        if isinstance(element, Header | Footer):
            if element.text not in margins:  # once for each text, not for each section of the file
                margins.add(element.text)
                outline.add("paragraph", element.text, page=page)
        elif isinstance(element, Title):
            outline.heading(element.text, level=level(element), page=page)
        elif isinstance(element, ListItem):
            outline.item(element.text, depth=element.metadata.category_depth or 0, page=page)
        elif isinstance(element, Table):
            markup = element.metadata.text_as_html
            outline.add("table", readable(*parse(markup)) if markup else element.text, page=page)
        else:
            outline.add("code" if isinstance(element, CodeSnippet) else "paragraph", element.text, page=page)
