"""A corpus of tampered exports: each must be found and named for what it is."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from app.evidence import merkle
from app.evidence.kept_head import read_head
from app.evidence.report import LogFindingKind
from app.evidence.verify import verify
from tests.support.environment import REPOSITORY
from tests.support.exported_log import entry, head_of, rehash, write
from tests.support.tampered_logs import CORPUS, EXTRA, HEAD, LOG, PLACES, REWRITES, Tampering, edited


def kinds(path: Path, *, head: merkle.Head | None = None) -> set[tuple[str, int | None]]:
    return {(f.kind, f.seq) for f in verify(path, head=head).findings}


def test_untouched_log_verifies(tmp_path: Path) -> None:
    report = verify(write(tmp_path / "log.jsonl", LOG), head=HEAD)
    assert report.ok
    assert report.findings == []
    assert (report.entries, report.opened, report.head) == (11, 11, HEAD)
    assert report.lines[0].endswith(": OK")


def test_log_that_grew_verifies_against_an_earlier_head(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    for size in range(12):
        assert verify(path, head=head_of(LOG[:size])).ok


def test_empty_log_verifies(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [])
    assert verify(path, head=head_of([])).ok
    assert kinds(path, head=merkle.Head(0, bytes(32))) == {("rewrite", None)}


@pytest.mark.parametrize("places", PLACES, ids=str)
@pytest.mark.parametrize("tampering", CORPUS, ids=lambda tampering: tampering.name)
def test_tampering_is_named(tmp_path: Path, tampering: Tampering, places: tuple[int, int]) -> None:
    path = write(tmp_path / "log.jsonl", tampering.do(LOG, *places), head=HEAD)
    expected = tampering.expected(*places, len(LOG))
    assert kinds(path, head=HEAD) == expected
    assert kinds(path) == expected  # the file's own head was left: it is enough to find these


@pytest.mark.parametrize("where", EXTRA)
def test_what_no_export_writes_is_found(tmp_path: Path, where: str) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    old, new = EXTRA[where](4)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert {kind for kind, _ in kinds(path)} >= {"format"}


def test_remarks_do_not_hide_what_is_wrong(tmp_path: Path) -> None:
    """A record that was written in no form of ours is named, and breaks nothing; a hundred of them hide no finding."""
    strange = [rehash({"seq": n, "leaf_hash": "", "record": "[" * 900 + "]" * 900 + str(n)}) for n in range(100)]
    path = write(tmp_path / "log.jsonl", strange)
    report = verify(path)
    assert report.ok
    assert len(report.findings) == 100
    assert report.lines[0].endswith("OK, 100 of its records were written in no form of ours")
    write(path, [*strange[:-1], {**strange[-1], "leaf_hash": strange[0]["leaf_hash"]}])
    assert verify(path).lines[1].startswith("  edit")


@pytest.mark.parametrize("places", PLACES, ids=str)
@pytest.mark.parametrize("tampering", REWRITES, ids=lambda tampering: tampering.name)
def test_rewriting_with_a_new_head_is_found_by_the_head_kept(
    tmp_path: Path, tampering: Tampering, places: tuple[int, int]
) -> None:
    path = write(tmp_path / "log.jsonl", tampering.do(LOG, *places))
    assert verify(path).ok  # consistent in itself: the report says that this alone proves nothing
    assert "no earlier head and no key was given" in verify(path).lines[-1]
    assert kinds(path, head=HEAD) == tampering.expected(*places, len(LOG))


def test_rewriting_behind_an_earlier_head_needs_a_later_one(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [*LOG[:8], entry(8, "new"), *LOG[9:]])
    assert verify(path, head=head_of(LOG[:8])).ok
    assert kinds(path, head=head_of(LOG[:9])) == {("rewrite", None)}


def test_lines_that_are_no_export(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    assert ("format", None) in kinds(path)
    path.write_text("".join(lines)[:-30])
    assert {kind for kind, _ in kinds(path)} == {"format", "truncation"}
    path.write_text("".join([*lines, lines[3]]))
    assert kinds(path) == {("addition", None)}
    path.write_bytes(b"\xff\xfe")
    assert not verify(path).ok
    path.write_text("")
    assert not verify(path).ok


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    path.write_text(path.read_text().replace('{"seq": 4,', '{"record": "another truth", "seq": 4,'))
    assert kinds(path) == {("format", None), ("drop", 4)}


def test_a_selection_says_so_and_is_not_compared(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [LOG[2], LOG[5]], head=HEAD, complete=False)
    report = verify(path)
    assert report.ok
    assert not report.complete
    assert "not the whole log" in report.lines[-1]
    assert kinds(path, head=HEAD) == {("selection", None)}
    write(path, [LOG[2], edited(LOG[5])], head=HEAD, complete=False)
    assert kinds(path) == {("edit", 5)}


@pytest.mark.parametrize("state", ["erased", "unreadable"])
def test_erased_words_do_not_break_the_log(tmp_path: Path, state: str) -> None:
    log = [*LOG[:4], {**LOG[4], "opened": {"query": {state: True}}}, *LOG[5:]]
    report = verify(write(tmp_path / "log.jsonl", log), head=HEAD)
    assert report.ok
    assert (report.opened, report.erased) == (10, 1)


def test_heads_are_read_from_text_head_file_and_earlier_export(tmp_path: Path) -> None:
    export = write(tmp_path / "log.jsonl", LOG)
    plain, line = tmp_path / "plain", tmp_path / "line"
    plain.write_text(f"{HEAD}\n")
    line.write_text(json.dumps({"size": HEAD.size, "root": merkle.encode(HEAD.root)}))
    assert {read_head(given) for given in (str(HEAD), str(plain), str(line), str(export))} == {HEAD}
    line.write_text("{}")
    with pytest.raises(ValueError, match="no head"):
        read_head(str(line))


def test_docs_list_the_findings() -> None:
    docs = (REPOSITORY / "docs" / "audit.md").read_text()
    table = docs.partition("| Finding | Meaning |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", table, flags=re.MULTILINE)) == set(get_args(LogFindingKind))
