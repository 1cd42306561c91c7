"""Takes out of an office file what its reader does not see, and counts it: hidden is not indexed.

What somebody hid, deleted or noted for himself would else be found and quoted by everybody who may read the file. The
parts of the file are changed before the parser sees them, so that no parser has to know about it.
"""

import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.extractors.errors import Malformed

OFF = {"0", "false", "off"}
ON = {"1", "true", "on"}
# A part without any of these words holds nothing to take out; a part in UTF-16 reads as ASCII without its zero bytes.
WORTH_PARSING = re.compile(
    rb"hidden|[hH]eight|\b(?:ht|width)=.0|<(?:\w+:)?(?:del|ins|moveFrom|moveTo|cellDel|vanish|specVanish|comments?|cmLst"
    rb"|threadedComment|notes|workbook|Relationships)\b|\bshow="
    rb"|[fF]{6}[\"']|<(?:\w+:)?sz\s[^>]{0,60}=.[0-3][\"']"
)
WORD_PARTS = {"document", "hdr", "ftr"}
COMMENTS = {"comments": "comment", "cmLst": "cm", "ThreadedComments": "threadedComment"}


@dataclass(frozen=True)
class VisibleFile:
    """A file without its hidden content: what was removed, by kind, and the names of hidden sheets."""

    content: bytes
    hidden: Counter[str] = field(default_factory=Counter)
    sheets: frozenset[str] = frozenset()


def visible_part(content: bytes) -> VisibleFile:
    """An office file as its reader sees it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: tree for name in archive.namelist() if (tree := _parsed(archive, name)) is not None}
        hidden: Counter[str] = Counter()
        sheets = _hidden_sheets(parts)
        hidden["sheets"] = len(sheets)
        unread = set(sheets.values())
        styles = _hidden_styles(parts)
        changed = {}
        for name, root in parts.items():
            gone = Counter[str]() if name in unread else _take_out(root, styles)
            hidden += gone
            inserted = _accept_insertions(root) if _local(root) in WORD_PARTS else False
            if inserted or set(gone) - {"notes", "comments"}:
                changed[name] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
        rewritten = _rewritten(archive, changed) if changed else content
    return VisibleFile(rewritten, +hidden, frozenset(sheets))


def _parsed(archive: zipfile.ZipFile, name: str) -> etree._Element | None:
    """The tree of a part that may hide something; None for any other."""
    if not name.lower().endswith((".xml", ".rels")):
        return None
    part = archive.read(name)
    if not WORTH_PARSING.search(part.replace(b"\0", b"")):
        return None
    try:
        return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError as error:
        raise Malformed from error


def _rewritten(archive: zipfile.ZipFile, changed: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as copy:
        for member in archive.infolist():
            copy.writestr(member.filename, changed.get(member.filename) or archive.read(member))
    return buffer.getvalue()


def _take_out(root: etree._Element, styles: frozenset[str]) -> Counter[str]:
    """Remove from a part what is hidden in it, and count that."""
    kind = _local(root)
    if kind in COMMENTS:
        return Counter({"comments": sum(1 for _ in _named(root, COMMENTS[kind]))})
    if kind == "notes":
        return Counter({"notes": int(_has_notes(root))})
    taker = _TAKEN_OUT.get(kind)
    return +taker(root, styles) if taker else Counter()


def _from_text(root: etree._Element, styles: frozenset[str]) -> Counter[str]:
    """Word: what a tracked change deleted or moved away, and text that is formatted as hidden."""
    gone: Counter[str] = Counter()
    for mark in list(_named(root, "del", "moveFrom", "cellDel")):
        parent = mark.getparent()
        holder = _local(parent)
        if holder == "trPr":
            gone["deletions"] += _remove(parent.getparent())
        elif holder == "tcPr":
            for text in _named(parent.getparent(), "t"):
                text.text = ""
            gone["deletions"] += 1
        elif holder not in ("rPr", "ctrlPr", "numPr"):
            gone["deletions"] += _remove(mark)
    plain_paper = next(_named(root, "background"), None) is None
    for run in list(_named(root, "r")):
        if _vanishes(run, styles) or (plain_paper and _is_unseen(run)):
            gone["hidden_text"] += _remove(run)
    return gone


def _accept_insertions(root: etree._Element) -> bool:
    """Word shows a tracked insertion as text; the library passes over it. Whether there was one."""
    found = [mark for mark in _named(root, "ins", "moveTo") if len(mark)]
    for mark in found:
        parent = mark.getparent()
        place = parent.index(mark)
        for offset, child in enumerate(list(mark)):
            parent.insert(place + offset, child)
        parent.remove(mark)
    return bool(found)


def _vanishes(run: etree._Element, styles: frozenset[str]) -> bool:
    """Whether a run is hidden: by itself, else by its style or that of its paragraph."""
    own = [mark for child in run if _local(child) == "rPr" for mark in child]
    for mark in own:
        if _local(mark) == "vanish":
            return _value(mark) not in OFF
    named = {_value(mark) for mark in own if _local(mark) == "rStyle"}
    paragraph = next((a for a in run.iterancestors() if _local(a) == "p"), None)
    if paragraph is not None:
        named |= {_value(mark) for child in paragraph if _local(child) == "pPr" for mark in _named(child, "pStyle")}
    return not styles.isdisjoint(named)


def _is_unseen(run: etree._Element) -> bool:
    """Whether a run of Word is white with nothing behind it, or of less than two points."""
    marks = {_local(mark): mark for child in run if _local(child) == "rPr" for mark in child}
    if "sz" in marks and re.fullmatch("[0-3]", _value(marks["sz"])):  # in half points
        return True
    if "color" not in marks or _value(marks["color"]).upper() != "FFFFFF" or {"shd", "highlight"} & marks.keys():
        return False
    # A table, a text box or a shading of the paragraph may lay a colour behind it.
    return not any(
        _local(above) in ("tbl", "txbxContent") or (_local(above) == "p" and any(_named(above, "shd")))
        for above in run.iterancestors()
    )


def _hidden_styles(parts: dict[str, etree._Element]) -> frozenset[str]:
    """Styles of Word that hide text, with those that are based on them."""
    hides: dict[str, bool | None] = {}
    based: dict[str, str] = {}
    for root in parts.values():
        for style in _named(root, "style") if _local(root) == "styles" else ():
            name = _attribute(style, "styleId")
            marks = [mark for child in style if _local(child) == "rPr" for mark in _named(child, "vanish")]
            hides[name] = _value(marks[0]) not in OFF if marks else None
            based[name] = next((_value(child) for child in style if _local(child) == "basedOn"), "")

    def hidden(name: str, depth: int = 0) -> bool:
        if depth > len(hides) or name not in hides:
            return False
        own = hides[name]
        return hidden(based[name], depth + 1) if own is None else own

    return frozenset(name for name in hides if hidden(name))


def _from_slide(root: etree._Element, _styles: frozenset[str]) -> Counter[str]:
    """PowerPoint: a hidden slide is emptied, so that the others keep their numbers; a hidden shape goes."""
    if _attribute(root, "show") in OFF:
        for tree in list(_named(root, "spTree")):
            for shape in list(tree):
                tree.remove(shape)
        return Counter({"slides": 1})
    shapes = [mark.getparent().getparent() for mark in _named(root, "cNvPr") if _attribute(mark, "hidden") in ON]
    return Counter({"shapes": sum(_remove(shape) for shape in shapes if _local(shape) != "cSld")})


def _has_notes(root: etree._Element) -> bool:
    """Whether speaker notes hold text, beside the picture and the number of the slide."""
    for shape in _named(root, "sp"):
        body = any(_attribute(mark, "type") == "body" for mark in _named(shape, "ph"))
        if body and any((text.text or "").strip() for text in _named(shape, "t")):
            return True
    return False


def _hidden_sheets(parts: dict[str, etree._Element]) -> dict[str, str]:
    """The names of hidden and very hidden sheets, with the parts that hold them."""
    found = {}
    for name, root in parts.items():
        if _local(root) != "workbook":
            continue
        folder, file = posixpath.split(name)
        links = parts.get(posixpath.join(folder, "_rels", f"{file}.rels"))
        targets = {} if links is None else {_attribute(r, "Id"): _attribute(r, "Target") for r in links}
        for sheet in _named(root, "sheet"):
            if _attribute(sheet, "state") in ("hidden", "veryHidden"):
                target = targets.get(_attribute(sheet, "id"), "")
                part = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
                found[_attribute(sheet, "name")] = part
    return found


def _from_sheet(root: etree._Element, _styles: frozenset[str]) -> Counter[str]:
    """Excel: hidden rows and columns, those of no height or width, and rows that a filter leaves out."""
    columns = [
        range(int(_attribute(c, "min") or 0), int(_attribute(c, "max") or 0) + 1)
        for c in _named(root, "col")
        if _attribute(c, "hidden") in ON or _is_zero(_attribute(c, "width"))
    ]
    no_height = any(_attribute(f, "zeroHeight") in ON for f in _named(root, "sheetFormatPr"))
    rows = 0
    emptied = set()
    for row in list(_named(root, "row")):
        height, own = _attribute(row, "ht"), _attribute(row, "hidden")
        if own in ON or _is_zero(height) or (no_height and not height and own not in OFF):
            rows += any(len(cell) for cell in row)
            _remove(row)
            continue
        for cell, column in list(_numbered(row)):
            if any(column in hidden for hidden in columns):
                emptied.update([column] if len(cell) else [])
                row.remove(cell)
    return Counter({"rows": rows, "columns": len(emptied)})


def _numbered(row: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    """The cells of a row with the numbers of their columns; a cell without a name stands behind the one before it."""
    column = 0
    for cell in row:
        letters = re.match(r"[A-Z]{1,3}", _attribute(cell, "r"))
        column += 1
        if letters:
            column = 0
            for letter in letters[0]:
                column = column * 26 + ord(letter) - 64
        yield cell, column


_TAKEN_OUT: dict[str, Callable[[etree._Element, frozenset[str]], Counter[str]]] = {
    "document": _from_text,
    "hdr": _from_text,
    "ftr": _from_text,
    "sld": _from_slide,
    "worksheet": _from_sheet,
}


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def _named(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Elements of these names, whatever their namespace."""
    found: Iterator[etree._Element] = root.iter(*(f"{{*}}{name}" for name in names))
    return found


def _attribute(element: etree._Element, name: str) -> str:
    return next((str(value) for key, value in element.items() if key.rpartition("}")[2] == name), "")


def _value(element: etree._Element) -> str:
    return _attribute(element, "val")


def _is_zero(number: str) -> bool:
    return bool(re.fullmatch(r"0+(\.0*)?", number))


def _remove(element: etree._Element) -> int:
    parent = element.getparent()
    if parent is None:
        return 0
    parent.remove(element)
    return 1
