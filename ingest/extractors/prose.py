"""Plain text: paragraphs, lists, and only those headings that nobody could mistake."""

import re

from ingest.extractors import partition
from ingest.extractors.encoding import decode
from ingest.extractors.outline import Outline

# "CHAPTER IV", "Section 3", "2.1 Scope", "§ 7 Leave"
NUMBERED = re.compile(
    r"(?:(?:chapter|section|part|article|appendix|annex)\s+[\dA-Z]+\b|§+\s*\d|\d+(?:\.\d+)+\.?\s)", re.I
)
UNDERLINE = re.compile(r"^(?P<text>\S[^\n]{0,120})\n(?P<line>=|-|~){3,}[ \t]*$", re.MULTILINE)
ORG_HEADING = re.compile(r"^(?P<marks>\*{1,6}|={2,6}) (?P<text>\S[^\n]{0,200})$", re.MULTILINE)
MARK = "\ue000"  # private use: carries a level through the library; removed from input first


def read_text(content: bytes, *, extension: str) -> tuple[str | None, Outline]:
    """Outline of plain text; the title is its first heading, if it has one."""
    text = re.sub(r"\r\n?", "\n", decode(content)).replace(MARK, "").replace("\0", "")
    text = UNDERLINE.sub(lambda m: f"\n\n{MARK}{'=-~'.index(m['line']) + 1}{m['text']}\n\n", text)
    if extension in ("org", "adoc", "asciidoc"):
        text = ORG_HEADING.sub(lambda m: f"\n\n{MARK}{len(m['marks'])}{m['text']}\n\n", text)
    outline = Outline()
    for element in partition.text_elements(text):
        words = element.text.strip()
        if words.startswith(MARK):
            outline.heading(words[2:], level=int(words[1]))
        elif is_heading(words):
            outline.heading(words, level=_level(words))
        else:
            partition.add_elements(outline, [element], level=lambda _: 1)
    return None, outline


def is_heading(text: str) -> bool:
    """True for a short line, without a full stop, that is numbered like a heading or all in capitals."""
    if len(text) > 100 or "\n" in text or text[-1:] in ".,;:?!" or len(text.split()) > 12:
        return False
    letters = [character for character in text if character.isalpha()]
    return NUMBERED.match(text) is not None or (len(letters) > 3 and text.isupper())


def _level(text: str) -> int:
    number = re.match(r"\d+(?:\.\d+)*", text)
    return number[0].count(".") + 1 if number else 1
