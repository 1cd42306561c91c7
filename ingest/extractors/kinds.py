"""Which kind of file this is, by its content first and its name second, and cheap refusals before any parser runs."""

import io
import re
import zipfile
from enum import StrEnum

from app.file_kinds import BINARY_ENDINGS, OLD_KINDS, TEXT_TYPES, ending_of, named_as
from ingest.extractors.errors import Empty, Encrypted, FileTooLarge, Malformed, Unsupported

ZIP_MEMBERS = 10_000
ZIP_BYTES = 512 * 2**20
ZIP_RATIO = 200  # real office files stay below 30; a deflate bomb reaches 1,000
ZIP_RATIO_FROM = 16 * 2**20  # small files may be mostly white space


class Kind(StrEnum):
    """The supported kinds; the value is the media type."""

    MARKDOWN = "text/markdown"
    HTML = "text/html"
    CSV = "text/csv"
    TSV = "text/tab-separated-values"
    EML = "message/rfc822"
    TEXT = "text/plain"
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


TEXT_KINDS = {ending: Kind(media_type) for ending, media_type in TEXT_TYPES.items()}
OOXML_MAIN = {
    b"wordprocessingml.document.main+xml": Kind.DOCX, b"word.document.macroEnabled.main+xml": Kind.DOCX,
    b"wordprocessingml.template.main+xml": Kind.DOCX,
    b"presentationml.presentation.main+xml": Kind.PPTX, b"presentationml.slideshow.main+xml": Kind.PPTX,
    b"powerpoint.presentation.macroEnabled.main+xml": Kind.PPTX,
    b"spreadsheetml.sheet.main+xml": Kind.XLSX, b"excel.sheet.macroEnabled.main+xml": Kind.XLSX,
}  # fmt: skip
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # of UTF-16 and UTF-32


def kind_of(content: bytes, *, filename: str) -> Kind:
    """The kind of file. Raises `Empty`, `Encrypted`, `Malformed`, `TooLarge` or `Unsupported`."""
    extension = ending_of(filename)
    if not content.strip(b"\0 \t\r\n\f"):
        raise Empty
    if content.startswith(OLE_MAGIC):
        raise _ole(content, extension)
    if content.startswith(b"PK\x03\x04"):
        return _zip(content, extension)
    if b"%PDF-" in content[:1024]:
        return Kind.PDF
    return _plain(content, extension)


def _ole(content: bytes, extension: str) -> Exception:
    """An OLE container is an encrypted office file or one of the old formats; neither is read."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        return Encrypted()
    advice = OLD_KINDS.get(extension, "in an old binary format: save it as .docx, .xlsx or .pptx")
    return Unsupported(f"The file is {advice} and upload that.")


def _zip(content: bytes, extension: str) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive)
            kind = _ooxml_kind(archive)
            if kind is None:
                raise _not_ooxml(archive, extension)
            _refuse_entities(archive)
            return kind
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]  # zipfile re-exports zlib, untyped
        raise Malformed from error


def _check_members(archive: zipfile.ZipFile) -> None:
    """Refuse a bomb by its declared sizes; zipfile never inflates a member beyond what it declares."""
    members = archive.infolist()
    if any(member.flag_bits & 0x1 for member in members):
        raise Encrypted
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members) or 1
    if len(members) > ZIP_MEMBERS or total > ZIP_BYTES or (total > ZIP_RATIO_FROM and total / packed > ZIP_RATIO):
        raise FileTooLarge("The file unpacks to far more than its size: save it again in its own program, or split it.")


def _ooxml_kind(archive: zipfile.ZipFile) -> Kind | None:
    try:
        types = archive.read("[Content_Types].xml")
    except KeyError:
        return None
    for mark, kind in OOXML_MAIN.items():
        if mark in types:
            return kind
    return None


def _not_ooxml(archive: zipfile.ZipFile, extension: str) -> Exception:
    if extension in BINARY_ENDINGS:
        return Malformed(f"The file is not a {BINARY_ENDINGS[extension]} file, or it is damaged: save it again.")
    if "mimetype" in archive.namelist():
        return Unsupported("OpenDocument and EPUB files are not supported: save it as .docx, .xlsx, .pptx or PDF.")
    return Unsupported("The file is an archive: unpack it and upload the files in it.")


def _refuse_entities(archive: zipfile.ZipFile) -> None:
    """No office program writes a DTD; one that is there wants to expand entities or to read other files."""
    for member in archive.infolist():
        if member.filename.lower().endswith((".xml", ".rels", ".vml")):
            with archive.open(member) as part:
                head = part.read(8192).replace(b"\0", b"")  # without NULs a UTF-16 part reads as ASCII
            if re.search(rb"<!(DOCTYPE|ENTITY)", head):
                raise Malformed("The file declares XML entities, which no office program does: it is refused.")


def _plain(content: bytes, extension: str) -> Kind:
    if content.startswith(b"{\\rtf"):
        raise Unsupported("The file is in Rich Text Format: save it as .docx and upload that.")
    if extension in BINARY_ENDINGS:
        raise Malformed(f"The file is not a {BINARY_ENDINGS[extension]} file, or it is damaged: save it again.")
    if extension in OLD_KINDS:
        raise Unsupported(named_as(extension))
    if extension not in TEXT_KINDS:
        raise Unsupported
    if not content.startswith(WIDE_MARKS) and _looks_binary(content[:65536]):
        raise Unsupported("The file is named as text but holds binary data: upload the document itself.")
    if extension == "" and re.match(rb"\s*(<!doctype html|<html)", content[:512], re.IGNORECASE):
        return Kind.HTML
    return TEXT_KINDS[extension]


def _looks_binary(head: bytes) -> bool:
    """Text has hardly any control characters; UTF-16 without a mark has a NUL in every other byte, and is text."""
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    nuls = max(head[0::2].count(0), head[1::2].count(0))
    if nuls > len(head) * 0.35:
        return controls > nuls * 1.1
    return controls > max(8, len(head) * 0.02)
