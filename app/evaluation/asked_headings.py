"""Takes out of a page the headings that its questions are made of, or searching for them would be trivial. Pure.

A question and its heading differ in case, marks, numbers and ids, so letters and digits are compared alone. Only what
asks goes: a sentence that repeats a question, in the text, stays.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_MARKER = r"(?:[-*+]|\d+[.)])\s+"
# Headings of Markdown and HTML, lines that are bold as a whole, and entries of a list of contents.
_WHOLE_LINES = (
    re.compile(r"\s*#+(?P<words>.*)"),
    re.compile(r"\s*<h[1-6]\b[^>]*>(?P<words>.*)</h[1-6]>\s*", re.IGNORECASE),
    re.compile(rf"\s*(?:{_MARKER})?(?P<mark>\*\*|__)(?P<words>.+)(?P=mark)\W*"),
    re.compile(rf"\s*{_MARKER}\[(?P<words>.+)\]\(#[^)]*\)\s*"),
)
# A bold question with its answer behind it.
_RUN_IN = re.compile(rf"(?P<before>\s*(?:{_MARKER})?)(?P<mark>\*\*|__)(?P<words>.+?)(?P=mark)(?P<answer>.*)")
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-+)\s*")

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"<[^>]*>|\{[#:%{][^}]*\}+")
_NUMBERING = re.compile(
    r"\W*(?:Q(?:uestion)?\s*\d*\s*[.:)]|\(?\d+(?:\.\d+)*[.:)](?!\d)|\d+(?:\.\d+)+(?=\s))\s*", re.IGNORECASE
)


def remove_questions(text: str, questions: Iterable[str]) -> str:
    """The Markdown page without the lines that ask one of these questions; all else stays as it is."""
    asked = {bare for question in questions if (bare := _bare(question))}
    return "\n".join(_kept(text.split("\n"), asked)) if asked else text


def _kept(lines: list[str], asked: set[str]) -> Iterator[str]:
    skip = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if skip:
            skip = False
        elif any((found := form.fullmatch(line)) and _bare(found["words"]) in asked for form in _WHOLE_LINES):
            pass
        elif _UNDERLINE.fullmatch(following) and _bare(line) in asked:
            skip = True
        elif (found := _RUN_IN.fullmatch(line)) and _bare(found["words"]) in asked:
            yield f"{found['before']}{found['answer'].lstrip()}"
        else:
            yield line


def _bare(text: str) -> str:
    """Letters and digits, in lower case, without numbering, link targets, tags and ids; empty if there are none."""
    words = _MARKUP.sub(" ", _LINK.sub(r"\1", text))
    words = _NUMBERING.sub("", words, count=1) if _NUMBERING.match(words) else words
    return "".join(c for c in unicodedata.normalize("NFKC", words).casefold() if c.isalnum())
