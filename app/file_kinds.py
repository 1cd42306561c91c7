"""Which kinds of file are read, as far as a file's name tells: for who has the name and not yet the bytes.

What a file is, its content says first (`ingest/extractors/kinds.py`), so a name is no promise.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath

# Media types of text by the ending of the name.
TEXT_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("md", "markdown", "mdx"), "text/markdown"),
    **dict.fromkeys(("html", "htm", "xhtml"), "text/html"),
    "csv": "text/csv",
    **dict.fromkeys(("tsv", "tab"), "text/tab-separated-values"),
    "eml": "message/rfc822",
    **dict.fromkeys(("txt", "text", "log", "rst", "org", "adoc", "asciidoc", ""), "text/plain"),
}
BINARY_ENDINGS: Mapping[str, str] = {
    "pdf": "PDF", "docx": "Word", "docm": "Word", "pptx": "PowerPoint", "pptm": "PowerPoint", "xlsx": "Excel",
    "xlsm": "Excel",
}  # fmt: skip
OLD_KINDS: Mapping[str, str] = {
    "doc": "an old Word file: save it as .docx", "dot": "an old Word file: save it as .docx",
    "xls": "an old Excel file: save it as .xlsx", "ppt": "an old PowerPoint file: save it as .pptx",
    "msg": "an Outlook message: save it as .eml",
}  # fmt: skip
UNSUPPORTED = (
    "This kind of file is not supported: upload it as PDF, DOCX, PPTX, XLSX, HTML, Markdown, CSV, EML or text."
)


def ending_of(name: str) -> str:
    """The ending of a file's name or path, in lower case and without its dot."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")


def named_as(ending: str) -> str:
    """Why a file of one of the old kinds is not read."""
    return f"The file is named as {OLD_KINDS[ending]} and upload that."


def objection(name: str) -> str | None:
    """Why a file of this name is not read unless its content is of another kind than it says; None: it is read."""
    ending = ending_of(name)
    if ending in OLD_KINDS:
        return named_as(ending)
    return None if ending in TEXT_TYPES or ending in BINARY_ENDINGS else UNSUPPORTED
