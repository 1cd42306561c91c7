"""The sample company's Office and PDF files follow from their sources, and rebuilding changes nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pypdfium2
import pytest

from sample import build

pytestmark = pytest.mark.slow

SOURCES = list(build.sources())


@pytest.mark.parametrize(("source", "target", "builder"), SOURCES, ids=[target.name for _, target, _ in SOURCES])
def test_built_file_follows_from_its_source(source: Path, target: Path, builder: Callable[[str], bytes]) -> None:
    assert build.same_content(builder(source.read_text(encoding="utf-8")), target.read_bytes()), (
        "run `python -m sample.build`"
    )


@pytest.mark.parametrize(("builder", "source"), {builder: source for source, _, builder in SOURCES}.items())
def test_equal_texts_and_no_others_are_built_alike(builder: Callable[[str], bytes], source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    content = builder(text)
    assert content == builder(text)
    last_word = re.findall(r"\w{4,}", text)[-1]
    assert not build.same_content(builder(text.replace(last_word, "otherwise")), content)


def test_every_office_and_pdf_file_has_a_source() -> None:
    built = {target for _, target, _ in SOURCES}
    assert built == {path for suffix in ("docx", "pdf", "xlsx") for path in build.COMPANY.rglob(f"*.{suffix}")}


def test_unknown_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.pptx.md").write_text("# Notes", encoding="utf-8")
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    monkeypatch.setattr(build, "SAMPLE", tmp_path)
    with pytest.raises(ValueError, match=r"no builder for notes\.pptx\.md"):
        list(build.sources())


def test_check_names_a_file_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "SAMPLE", tmp_path)
    monkeypatch.setattr(build, "SOURCES", tmp_path / "sources")
    monkeypatch.setattr(build, "COMPANY", tmp_path / "company")
    source = tmp_path / "sources" / "legal" / "terms.pdf.md"
    source.parent.mkdir(parents=True)
    source.write_text("# Terms\n\nPay in May.\n", encoding="utf-8")
    assert build.main(["--check"]) == 1
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0
    source.write_text("# Terms\n\nPay in June.\n", encoding="utf-8")
    capsys.readouterr()
    assert build.main(["--check"]) == 1
    assert capsys.readouterr().err == "differs from its source: company/legal/terms.pdf\n"


def test_built_files_have_the_fixed_date_and_the_structure_that_parsers_look_for() -> None:
    for path in build.COMPANY.rglob("*.docx"):
        document = docx.Document(str(path))
        assert document.core_properties.created == document.core_properties.modified == build.BUILT_AT
        styles = {paragraph.style.name for paragraph in document.paragraphs if paragraph.style}
        assert {"Heading 1", "Heading 2"} <= styles
        assert document.tables
    for path in build.COMPANY.rglob("*.pdf"):
        pdf = pypdfium2.PdfDocument(path)
        assert len(pdf) >= 2
        assert len(list(pdf.get_toc())) >= 4
        pdf.close()
    for path in build.COMPANY.rglob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        assert book.properties.created == book.properties.modified == build.BUILT_AT.replace(tzinfo=None)
        assert len(book.worksheets) == 2
