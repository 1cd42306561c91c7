"""A folder's list held against a collection: what counts as moved, gone, or not ours to say."""

import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.acl.manifest import Comparison, StoredDocument, compare, parse_manifest
from app.errors import InvalidInput

A, B = (hashlib.sha256(text).digest() for text in (b"a", b"b"))


def stands(path: str, sha256: bytes | None = A) -> StoredDocument:
    return StoredDocument(0, uuid.uuid4(), uuid.uuid4(), path, 1, sha256)


def moves(found: Comparison) -> list[tuple[str, str]]:
    return [(document.path, to) for document, to in found.moved]


def gone(found: Comparison) -> list[str]:
    return [document.path for document in found.gone]


def test_a_manifest_is_what_sha256sum_writes() -> None:
    lines = [f"{A.hex()}  b/a.md\n".encode(), f"{B.hex()} *bin\r\n".encode(), "-  bu\u0308ro".encode()]
    assert parse_manifest(lines) == {"b/a.md": A, "bin": B, "büro": None}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "Line 2 "),
        (b"a.md", "Line 2 "),
        (f"{A.hex().upper()}  a".encode(), "Line 2 "),
        (f"{A.hex()}  ../a".encode(), "Line 2 .*'..'"),
        (f"{A.hex()}  a\xff".encode("latin-1"), "Line 2 "),
        (f"{A.hex()}  first ".encode(), "Line 2 .*'first' stands in it before"),
        (f"{A.hex()}  ".encode() + b"a" * 30_000, "Line 2 "),
    ],
)
def test_a_line_that_is_none_is_named(line: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse_manifest([f"{A.hex()}  first\n".encode(), line])


def test_what_is_new_changed_unchanged_moved_and_gone() -> None:
    documents = [stands("same.md"), stands("other.md", B), stands("old/m.md", b"m"), stands("gone.md", b"g")]
    found = compare({"same.md": A, "other.md": A, "new/m.md": b"m", "fresh.md": b"f"}, documents)
    assert (found.new, found.changed, found.unchanged) == (("fresh.md",), ("other.md",), ("same.md",))
    assert (moves(found), gone(found)) == ([("old/m.md", "new/m.md")], ["gone.md"])


def test_what_cannot_be_compared_is_neither_unchanged_nor_moved() -> None:
    """A hash that the caller may not compare is not there for him: his guess at the content is not confirmed."""
    found = compare({"same.md": A, "new.md": A}, [stands("same.md", None), stands("old.md", None)])
    assert (found.changed, found.new, gone(found)) == (("same.md",), ("new.md",), ["old.md"])


def test_copies_move_only_where_it_is_plain_which_is_which() -> None:
    """Two documents of one content may stand under two rules: a guess would open one of them."""
    documents = [stands("hr/a.md"), stands("all/a.md"), stands("x/one.md", B), stands("x/two.md", B)]
    found = compare({"new/a.md": A, "y/one.md": B, "y/two.md": B}, documents)
    assert moves(found) == [("x/one.md", "y/one.md"), ("x/two.md", "y/two.md")]
    assert (gone(found), found.new) == (["all/a.md", "hr/a.md"], ("new/a.md",))


def test_a_file_that_is_named_as_another_kind_did_not_move() -> None:
    found = compare({"a.csv": A}, [stands("a.md")])
    assert (moves(found), gone(found), found.new) == ([], ["a.md"], ("a.csv",))


def test_what_stands_there_unread_keeps_all_below_it() -> None:
    """A link, a hidden or unreadable file: nothing at its place or below it is gone."""
    documents = [stands("link/a.md"), stands("locked.md"), stands("link2/a.md")]
    found = compare({"link": None, "locked.md": None}, documents)
    assert (found.kept, gone(found), found.changed) == (("link/a.md", "locked.md"), ["link2/a.md"], ())


CONTENTS = st.sampled_from([b"1", b"2", b"3"])
PLACES = st.sampled_from([f"{folder}/{name}.md" for folder in "abc" for name in "xy"] + ["a", "b"])


@given(st.dictionaries(PLACES, st.one_of(st.none(), CONTENTS)), st.dictionaries(PLACES, st.one_of(st.none(), CONTENTS)))
def test_each_document_and_each_file_has_one_fate(
    listed: dict[str, bytes | None], held: dict[str, bytes | None]
) -> None:
    """And a move is one of equal, comparable content from a path that is gone to one that is free."""
    found = compare(listed, [stands(path, sha256) for path, sha256 in held.items()])
    fates = [*found.changed, *found.unchanged, *found.kept, *gone(found), *(old for old, _ in moves(found))]
    assert sorted(fates) == sorted(held)
    targets = [to for _, to in moves(found)]
    files = [*found.new, *found.changed, *found.unchanged, *targets]
    assert sorted(files) == sorted(p for p, sha in listed.items() if sha is not None and p not in found.kept)
    for old, to in moves(found):
        assert held[old] == listed[to] is not None
        assert old not in listed
        assert to not in held
