"""Bytes of a file to its text and structure. Run it through `ingest.sandbox`: parsers meet hostile files."""

from pathlib import PurePosixPath

from ingest.document import Block, Extracted
from ingest.extractors import mail, office, pdf, prose, web
from ingest.extractors.errors import Empty, ExtractionError, FileTooLarge, Malformed
from ingest.extractors.kinds import Kind, kind_of
from ingest.extractors.outline import Outline
from ingest.extractors.partition import UnprocessableEntityError
from ingest.extractors.plain import one_line

MAX_CHARACTERS = 20_000_000
MAX_TITLE = 200


def extract(content: bytes, *, filename: str) -> Extracted:
    """The text of a file. Any failure is an `ExtractionError` whose reason tells a person what to do."""
    kind = kind_of(content, filename=filename)
    try:
        title, outline = _read(kind, content, filename)
        blocks = outline.blocks
    except ExtractionError:
        raise
    except MemoryError as error:
        raise FileTooLarge from error
    except UnprocessableEntityError as error:
        # The library says so for too many cells and for files that are not what they seem.
        raise (FileTooLarge if "maximum" in str(error) else Malformed)() from error
    except Exception as error:
        # Parsers raise anything at all on damaged files, and all of it means: damaged.
        raise Malformed from error
    if not blocks:
        raise Empty("All text of the file is hidden: nothing of it is indexed." if +outline.hidden else "")
    if sum(len(block.text) for block in blocks) > MAX_CHARACTERS:
        raise FileTooLarge(f"The file holds more than {MAX_CHARACTERS:,} characters: split it and upload the parts.")
    return Extracted(
        title=_title(title, blocks, filename), blocks=blocks, media_type=kind.value, hidden=dict(+outline.hidden)
    )


def _read(kind: Kind, content: bytes, filename: str) -> tuple[str | None, Outline]:  # noqa: PLR0911  # one kind a line
    match kind:
        case Kind.MARKDOWN:
            return web.read_markdown(content)
        case Kind.HTML:
            return web.read_html(content)
        case Kind.DOCX:
            return office.read_docx(content)
        case Kind.PPTX:
            return office.read_pptx(content)
        case Kind.XLSX:
            return office.read_xlsx(content)
        case Kind.CSV | Kind.TSV:
            return office.read_delimited(content, tabs=kind is Kind.TSV)
        case Kind.EML:
            return mail.read_mail(content)
        case Kind.TEXT:
            return prose.read_text(content, extension=PurePosixPath(filename).suffix.lower().lstrip("."))
        case Kind.PDF:
            return pdf.read_pdf(content)


def _title(found: str | None, blocks: tuple[Block, ...], filename: str) -> str:
    """The title that was found, else the first heading, else the file's name without its ending."""
    heading = next((block.text for block in blocks if block.kind == "heading"), "")
    name = PurePosixPath(filename.replace("\\", "/"))
    if name.suffix.lower() in (".csv", ".tsv", ".xlsx", ".xlsm"):
        heading = ""  # the name of the first sheet says less than that of the file
    return one_line(found or heading or name.stem or filename)[:MAX_TITLE] or "Untitled"
