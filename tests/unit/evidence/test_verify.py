"""A corpus of tampered exports: each must be found and named for what it is."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from app.evidence import merkle
from app.evidence.report import LogFindingKind
from app.evidence.verify import read_head, verify
from tests.support.environment import REPOSITORY
from tests.support.exported_log import entry, head_of, rehash, write

Entries = list[dict[str, Any]]
LOG: Entries = [entry(n, f"question {n}") for n in range(11)]
HEAD = head_of(LOG)


def kinds(path: Path, *, head: merkle.Head | None = None) -> set[tuple[str, int | None]]:
    return {(f.kind, f.seq) for f in verify(path, head=head).findings}


def edited(e: dict[str, Any]) -> dict[str, Any]:
    record = json.loads(e["record"])
    record["actor"]["name"] = "Eve"
    return {**e, "record": merkle.canonical(record)}


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
    assert verify(write(tmp_path / "log.jsonl", []), head=head_of([])).ok


WORDS = LOG[4]["opened"]["query"]


def opening(words: object, name: str = "query") -> Callable[[Entries], Entries]:
    """The fifth entry, with these words opened."""
    return lambda log: [*log[:4], {**log[4], "opened": {name: words}}, *log[5:]]


def respelled(log: Entries) -> Entries:
    return [*log[:4], rehash({**log[4], "record": log[4]["record"].replace(",", ", ")}), *log[5:]]


CORPUS: list[tuple[str, Callable[[Entries], Entries], set[tuple[str, int | None]]]] = [
    ("edit a record", lambda g: [*g[:4], edited(g[4]), *g[5:]], {("edit", 4)}),
    ("edit a leaf hash", lambda g: [*g[:4], {**g[4], "leaf_hash": g[5]["leaf_hash"]}, *g[5:]], {("edit", 4)}),
    ("break a leaf hash", lambda g: [*g[:4], {**g[4], "leaf_hash": "?"}, *g[5:]], {("edit", 4)}),
    ("edit both", lambda g: [*g[:4], rehash(edited(g[4])), *g[5:]], {("rewrite", None)}),
    ("drop one", lambda g: [*g[:4], *g[5:]], {("drop", 4)}),
    ("drop the first", lambda g: g[1:], {("drop", 0)}),
    ("drop three", lambda g: [*g[:4], *g[7:]], {("drop", 4)}),
    ("drop two apart", lambda g: [*g[:2], *g[3:8], *g[9:]], {("drop", 2), ("drop", 8)}),
    ("truncate", lambda g: g[:7], {("truncation", 7)}),
    ("swap two lines", lambda g: [*g[:4], g[5], g[4], *g[6:]], {("reorder", 4)}),
    ("move one to the end", lambda g: [*g[:4], *g[5:], g[4]], {("reorder", 4)}),
    (
        "swap two records, not their numbers",
        lambda g: [*g[:4], {**g[5], "seq": 4}, {**g[4], "seq": 5}, *g[6:]],
        {("rewrite", None)},
    ),
    ("repeat a line", lambda g: [*g[:5], g[4], *g[5:]], {("duplicate", 4)}),
    (
        "repeat a record under the next number",
        lambda g: [*g[:5], {**g[4], "seq": 5}, *g[6:]],
        {("duplicate", 5), ("rewrite", None)},
    ),
    ("add one", lambda g: [*g, entry(11, "never asked")], {("addition", 11)}),
    ("edit an opened text", opening({**WORDS, "text": "another question"}), {("opened", 4)}),
    ("edit an opened salt", opening({**WORDS, "salt": LOG[5]["opened"]["query"]["salt"]}), {("opened", 4)}),
    ("open what was not recorded", opening(WORDS, "answer"), {("opened", 4)}),
    # Whatever key they stand under: the record itself and all hashes are as they were.
    ("open words under another key", opening({"salt": "AAAA", "Text": "FORGED"}), {("opened", 4)}),
    ("open words beside the right ones", opening({**WORDS, "Text": "FORGED"}), {("opened", 4)}),
    ("open words beside erased ones", opening({"erased": True, "note": "FORGED"}), {("opened", 4)}),
    ("open words beside unreadable ones", opening({"unreadable": True, "text": "FORGED"}), {("opened", 4)}),
    ("open a salt alone where the text was kept", opening({"salt": WORDS["salt"]}), {("opened", 4)}),
    ("open a salt of what was never recorded", opening({"salt": WORDS["salt"]}, "prompt"), {("opened", 4)}),
    ("erase words that were never recorded", opening({"erased": True}, "prompt"), {("opened", 4)}),
    ("open words that are no object", opening("FORGED"), {("opened", 4)}),
    ("respell a record", respelled, {("canonical", 4), ("opened", 4), ("rewrite", None)}),
    ("write beside a record", lambda g: [*g[:4], {**g[4], "note": 1}, *g[5:]], {("format", 4)}),
    ("renumber with a string", lambda g: [*g[:4], {**g[4], "seq": "4"}, *g[5:]], {("format", None), ("drop", 4)}),
]


@pytest.mark.parametrize(("tamper", "expected"), [c[1:] for c in CORPUS], ids=[c[0] for c in CORPUS])
def test_tampering_is_named(tmp_path: Path, tamper: Callable[[Entries], Entries], expected: set[Any]) -> None:
    path = write(tmp_path / "log.jsonl", tamper(list(LOG)), head=HEAD)
    assert kinds(path, head=HEAD) == expected
    assert kinds(path) == expected  # the file's own head was left: it is enough to find these


EXTRA = {
    "the header": ('"version": 1,', '"version": 1, "note": "FORGED",'),
    "the header's range": ('"first": 0,', '"first": 0, "note": "FORGED",'),
    "an entry": ('"seq": 4,', '"seq": 4, "note": "FORGED",'),
    "the head": ('"head": {', '"head": {"note": "FORGED", '),
    "the head's line": ('{"head":', '{"note": "FORGED", "head":'),
    "a filter that is no text": ('"filters": {}', '"filters": {"kind": ["FORGED"]}'),
    "a selection that says it is whole": ('"filters": {}', '"filters": {"kind": "search.done"}'),
    "a key that stands twice": ('"text": "question 4"', '"text": "FORGED", "text": "question 4"'),
}


@pytest.mark.parametrize("where", EXTRA)
def test_what_no_export_writes_is_found(tmp_path: Path, where: str) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    old, new = EXTRA[where]
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


REWRITES: list[tuple[str, Callable[[Entries], Entries], set[tuple[str, int | None]]]] = [
    ("edit and hash anew", lambda g: [*g[:4], rehash(edited(g[4])), *g[5:]], {("rewrite", None)}),
    ("drop and renumber", lambda g: [*g[:4], *({**e, "seq": e["seq"] - 1} for e in g[5:])], {("truncation", 10)}),
    ("truncate", lambda g: g[:7], {("truncation", 7)}),
    ("empty", lambda g: [], {("truncation", 0)}),
    ("replace all", lambda g: [entry(n, "all new") for n in range(15)], {("rewrite", None)}),
]


@pytest.mark.parametrize(("tamper", "expected"), [c[1:] for c in REWRITES], ids=[c[0] for c in REWRITES])
def test_rewriting_with_a_new_head_is_found_by_the_head_kept(
    tmp_path: Path, tamper: Callable[[Entries], Entries], expected: set[Any]
) -> None:
    path = write(tmp_path / "log.jsonl", tamper(list(LOG)))
    assert verify(path).ok  # consistent in itself: the report says that this alone proves nothing
    assert "no earlier head was given" in verify(path).lines[-1]
    assert kinds(path, head=HEAD) == expected


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
