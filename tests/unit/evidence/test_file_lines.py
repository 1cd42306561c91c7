"""However a file is read, in one go or in parts by several processes, the same is found of it, in the same order."""

import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest

from app.evidence import file_lines, merkle, records
from app.evidence.checkpoint import Checkpoint
from app.evidence.file_lines import Line, lines_between, lines_of
from app.evidence.report import VerifyReport
from app.evidence.sound_entry import SoundEntry, sound_entry
from app.evidence.stamps import StampedHead
from app.evidence.timestamp import read_roots
from app.evidence.verify import verify
from tests.laws.tampered_files import KINDS, World, entries
from tests.support.exported_log import entry, head_of, key_change, pruned, rehash, write
from tests.support.json_parts import PARTS
from tests.support.log_keys import LOG_KEY, NEXT_KEY
from tests.support.tampered_logs import CORPUS, EXTRA, HEAD, LOG, PLACES, REWRITES, Entries, Tampering, bare
from tests.support.time_stamping import TimestampAuthority

# So small that parts end inside lines, and lines go over several parts.
CUTS = (61, 1_500, 1 << 20)


class Here:
    """A pool of no processes; counts what it was given to do."""

    def __init__(self) -> None:
        self.given = 0

    def submit(self, work: Any, *arguments: Any) -> Future[Any]:
        self.given += 1
        done = Future[Any]()
        done.set_result(work(*arguments))
        return done


def as_they_stand(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        yield from file


def in_parts(path: Path) -> Iterator[Line]:
    return file_lines._in_order(Here(), path, path.stat().st_size, ahead=3)  # type: ignore[arg-type]


def line_by_line(path: Path, **options: Any) -> VerifyReport:
    """What is found where each line is looked at as a whole, in its turn, by the standard library."""
    with (
        patch("app.evidence.verify.lines_of", as_they_stand),
        patch.object(records, "parse", merkle.parse_by_standard_library),
    ):
        return verify(path, **options)


def check(path: Path, **options: Any) -> VerifyReport:
    """Verify it in every way, and hold each to what is found line by line."""
    expected = line_by_line(path, **options)
    assert verify(path, **options) == expected
    for size in CUTS:
        with patch.object(file_lines, "PART_BYTES", size), patch("app.evidence.verify.lines_of", in_parts):
            assert verify(path, **options) == expected
    return expected


def compact(path: Path, log: Entries, **options: Any) -> Path:
    """The file as the service writes it: without spaces, and without what is opened."""
    write(path, [{name: each[name] for name in each if name != "opened"} for each in log], **options)
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in path.read_text().splitlines()]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize("places", PLACES, ids=str)
@pytest.mark.parametrize("tampering", [*CORPUS, *REWRITES], ids=lambda tampering: tampering.name)
def test_every_tampering_is_found_alike(tmp_path: Path, tampering: Tampering, places: tuple[int, int]) -> None:
    log = tampering.do(LOG, *places)
    for head in (HEAD, None) if tampering in REWRITES else (HEAD,):
        check(write(tmp_path / "log.jsonl", log, head=head), head=HEAD)
        check(compact(tmp_path / "log.jsonl", log, head=head), head=HEAD)


@pytest.mark.parametrize("where", EXTRA)
def test_what_no_export_writes_is_found_alike(tmp_path: Path, where: str) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    path.write_text(path.read_text().replace(*EXTRA[where](4), 1))
    assert not check(path).ok


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("receipt")])
def test_what_was_signed_is_found_alike(tmp_path: Path, kind: str) -> None:
    file = KINDS[kind](World(tmp_path, random.Random(7), entries()))
    assert not check(file.path, head=file.head, trusted=file.keys).ok


def test_damage_anywhere_is_found_alike(tmp_path: Path) -> None:
    """Bytes, parts of JSON, lines that are gone, come again or stand elsewhere."""
    chance, path = random.Random(11), tmp_path / "log.jsonl"
    for number in range(120):
        whole = compact(path, LOG) if number % 2 else write(path, LOG)
        data = whole.read_bytes()
        for _ in range(chance.randint(1, 3)):
            here = chance.randrange(len(data))
            new = chance.choice([bytes([chance.randrange(256)]), chance.choice(PARTS).encode(errors="surrogatepass")])
            data = data[:here] + new + data[here + chance.randint(0, 2) :]
        lines = data.splitlines(keepends=True)
        if number % 3 == 0:
            chance.shuffle(lines)
        if number % 5 == 0:
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
        path.write_bytes(b"".join(lines))
        check(path, head=HEAD)


def test_a_change_of_the_key_is_followed_alike(tmp_path: Path) -> None:
    log = [*LOG[:5], key_change(5, NEXT_KEY, LOG_KEY, LOG_KEY), *(entry(n, f"question {n}") for n in range(6, 11))]
    path = write(tmp_path / "log.jsonl", log, note=str(Checkpoint.sign(head_of(log), [NEXT_KEY])))
    report = check(path, trusted=[LOG_KEY.verifier])
    assert report.ok
    assert report.signers == (NEXT_KEY.name,)


def test_what_was_pruned_is_followed_alike(tmp_path: Path) -> None:
    log = [*map(bare, LOG[:5]), LOG[5], pruned(6, (0, 3))]
    report = check(write(tmp_path / "log.jsonl", log))
    assert [(each.kind, each.seq) for each in report.findings] == [("drop", 4)]
    assert report.pruned == 5


def test_stamps_are_followed_alike(tmp_path: Path) -> None:
    authority = TimestampAuthority.make(tmp_path / "tsa")
    heads = [Checkpoint.sign(head_of(LOG[:size]), [LOG_KEY]) for size in (4, 8)]
    stamps = [StampedHead(head, authority.stamp(head.note.text)).to_json() for head in heads]
    path = write(tmp_path / "log.jsonl", LOG, note=str(heads[-1]), stamps=stamps)
    report = check(path, trusted=[LOG_KEY.verifier], authorities=read_roots(authority.roots.read_bytes()))
    assert report.ok
    assert report.stamps is not None
    assert report.stamps.longest.total_seconds() > 0


def test_a_line_that_is_right_is_not_looked_at_twice(tmp_path: Path) -> None:
    for path in (write(tmp_path / "open.jsonl", LOG), compact(tmp_path / "log.jsonl", LOG)):
        lines = list(lines_of(path))
        assert [type(line) for line in lines] == [bytes, *[SoundEntry] * len(LOG), bytes]


def test_what_is_gone_is_counted_alike(tmp_path: Path) -> None:
    erased = [
        {**each, "opened": {"query": {why: True}}} for each, why in zip(LOG, ["erased", "unreadable"], strict=False)
    ]
    report = check(write(tmp_path / "log.jsonl", [*erased, *LOG[2:]]))
    assert (report.opened, report.erased) == (len(LOG) - 2, 2)


def test_what_is_added_meanwhile_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    with patch.object(file_lines, "PART_BYTES", 1_500):
        lines = list(file_lines._in_order(Here(), path, path.stat().st_size // 2, ahead=3))  # type: ignore[arg-type]
    assert len(lines) == len(LOG) + 2


def test_what_is_wrong_by_itself_is_no_sound_entry() -> None:
    right = LOG[3]
    body = json.loads(right["record"])
    wrong: list[Any] = [
        {**right, "leaf_hash": LOG[4]["leaf_hash"]},
        {**right, "seq": True},
        {**right, "seq": -1},
        {**right, "note": ""},
        {**right, "record": None},
        {**right, "opened": []},
        {**right, "opened": {"query": {**right["opened"]["query"], "text": "another"}}},
        rehash({**right, "record": right["record"].replace(",", ", ")}),
        rehash({**right, "record": merkle.canonical({**body, "id": "?"})}),
        key_change(3, NEXT_KEY, LOG_KEY, LOG_KEY),
        pruned(3, (0, 1)),
        {"head": {}},
        [],
    ]
    assert sound_entry(json.dumps(right).encode()) is not None
    assert [sound_entry(json.dumps(each).encode()) for each in wrong] == [None] * len(wrong)


def test_no_more_is_read_ahead_than_is_said(tmp_path: Path) -> None:
    path, pool = write(tmp_path / "log.jsonl", LOG), Here()
    with patch.object(file_lines, "PART_BYTES", 100):
        next(file_lines._in_order(pool, path, path.stat().st_size, ahead=3))  # type: ignore[arg-type]
    assert pool.given == 4


def test_a_line_without_an_end_is_not_read_by_each_part(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"x" * 10_000)
    with patch.object(file_lines, "PART_BYTES", 100), path.open("rb") as file:
        assert file_lines._next_line(file, 100, 200) < 300
    assert [list(lines_between(path, begin, begin + 100)) for begin in (100, 9_900)] == [[], []]


def with_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lines, "PARALLEL_BYTES", 0)
    monkeypatch.setattr(file_lines, "PART_BYTES", 2_000)
    monkeypatch.setattr(file_lines, "_processors", lambda: 2)


def test_processes_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CORPUS[0].do(LOG, 4, 5)
    path = write(tmp_path / "log.jsonl", [*log, entry(11, "one more")], head=HEAD)
    expected = line_by_line(path, head=HEAD)
    with_processes(monkeypatch)
    assert verify(path, head=HEAD) == expected
    assert {finding.kind for finding in expected.findings} == {"edit", "addition"}


def die(*_: object) -> NoReturn:
    os._exit(3)


@pytest.mark.slow
def test_a_process_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    with_processes(monkeypatch)
    monkeypatch.setattr(file_lines, "_part", die)
    with pytest.raises(OSError, match="a process that read a part of it ended") as raised:
        verify(path)
    assert raised.value.filename == str(path)
