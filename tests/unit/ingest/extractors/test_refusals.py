"""What is refused, as which error, and that nothing asks the network."""

import io
import socket
import sys
import zipfile

import pytest
from fpdf.enums import AccessPermission

from ingest.extract import extract
from ingest.extractors import pdf as pdf_module
from ingest.extractors.errors import (
    BY_CODE,
    Empty,
    Encrypted,
    ExtractionError,
    FileTooLarge,
    Malformed,
    TooManyPages,
    Unsupported,
)
from ingest.extractors.kinds import Kind
from ingest.preload import samples
from tests.unit.ingest.extractors.files import blank_page

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
WORD_TYPES = (
    b"<Types><Override ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/>"
    b"</Types>"
)


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def flagged_encrypted(content: bytes) -> bytes:
    """The archive with the encryption bit of its members set."""
    data = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 4)
    return bytes(data)


def pdf(*, text: str = "", password: str = "") -> bytes:
    document = blank_page()
    document.cell(0, 10, text)
    if password:
        document.set_encryption(owner_password="owner", user_password=password, permissions=AccessPermission.none())
    return bytes(document.output())


REFUSED = [
    ("empty.txt", b"", Empty),
    ("blank.md", b" \n\t\n", Empty),
    ("comment.html", b"<!-- nothing -->", Empty),
    ("scan.pdf", pdf(), Empty),
    ("secret.docx", OLE + "EncryptedPackage".encode("utf-16-le"), Encrypted),
    ("secret.pdf", pdf(text="hidden", password="pw"), Encrypted),
    ("secret.xlsx", flagged_encrypted(archive(a=b"x")), Encrypted),
    ("old.doc", OLE, Unsupported),
    ("old.docx", OLE, Unsupported),
    ("mail.msg", OLE, Unsupported),
    ("note.rtf", b"{\\rtf1 hello}", Unsupported),
    ("pack.zip", archive(a=b"x"), Unsupported),
    ("text.odt", archive(mimetype=b"application/vnd.oasis.opendocument.text"), Unsupported),
    ("data.bin", b"hello", Unsupported),
    ("image.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, Unsupported),
    ("fake.docx", b"only text", Malformed),
    ("fake.pdf", b"only text", Malformed),
    ("broken.pdf", b"%PDF-1.7\nnothing follows", Malformed),
    ("broken.docx", archive(**{"[Content_Types].xml": WORD_TYPES}), Malformed),
    ("cut.docx", samples()["a.docx"][:3000], Malformed),
    ("words.eml", b"just words\n\nno headers", Malformed),
    ("many.docx", archive(**{f"m{n}": b"" for n in range(10_001)}), FileTooLarge),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "error"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_refusal_has_its_kind_and_says_what_to_do(name: str, content: bytes, error: type[ExtractionError]) -> None:
    with pytest.raises(ExtractionError) as caught:
        extract(content, filename=name)
    assert type(caught.value) is error
    assert caught.value.reason[0].isupper()
    assert caught.value.reason.endswith(".")


def test_a_bomb_is_refused_by_its_declared_size() -> None:
    bomb = archive(**{"[Content_Types].xml": WORD_TYPES, "word/document.xml": b"\0" * (32 * 2**20)})
    assert len(bomb) < 100_000
    with pytest.raises(FileTooLarge):
        extract(bomb, filename="bomb.docx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entity_declarations_are_refused_before_any_parser(encoding: str) -> None:
    evil = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document>&x;</w:document>'
    content = archive(**{"[Content_Types].xml": WORD_TYPES, "word/document.xml": evil.encode(encoding)})
    with pytest.raises(Malformed, match="entities"):
        extract(content, filename="xxe.docx")


def test_a_pdf_of_another_name_is_read_as_what_it_is() -> None:
    found = extract(pdf(text="Still a PDF"), filename="report.docx")
    assert (found.media_type, found.blocks[0].text) == ("application/pdf", "Still a PDF")


def test_too_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "PAGES", 0)
    with pytest.raises(TooManyPages):
        extract(pdf(text="x"), filename="a.pdf")


def test_every_error_can_cross_a_process_by_its_name() -> None:
    def below(kind: type[ExtractionError]) -> set[type[ExtractionError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    assert set(BY_CODE.values()) == below(ExtractionError) - {ExtractionError}


def test_reading_opens_no_socket_and_loads_no_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def trap(*args: object, **_: object) -> None:
        asked.append(args)
        raise OSError("no network in this test")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, trap)
    tagger = sys.modules["unstructured.nlp.tokenize"]
    monkeypatch.setattr(tagger, "_load_spacy_model", trap)
    for cached in ("_get_nlp", "_process_cached", "_tokenize_for_cache", "pos_tag"):
        getattr(tagger, cached).cache_clear()
    kinds = {extract(content, filename=name).media_type for name, content in samples().items()}
    assert kinds == set(Kind)
    assert asked == []
    assert not hasattr(vars(tagger)["spacy"], "load")
