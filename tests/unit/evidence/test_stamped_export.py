"""Exports with time stamps: what they show of a log, also where its operator wrote all of it anew."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.audit.events.log_reading import ExportFormat
from app.evidence.checkpoint import Checkpoint
from app.evidence.report import VerifyReport
from app.evidence.stamps import StampedHead, read_stamps
from app.evidence.timestamp import read_roots
from app.evidence.verify import verify
from tests.support.exported_log import entry, head_of, rehash, write
from tests.support.log_keys import LOG_KEY
from tests.support.manifested_files import content_of, manifest_of_file, verify_content
from tests.support.stand_alone import stand_alone
from tests.support.time_stamping import TimestampAuthority

BEGIN = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=40)
DAY = dt.timedelta(days=1)
# One record a day.
ENTRIES = [entry(n, f"question {n}", BEGIN + n * DAY) for n in range(11)]
KEY = LOG_KEY.verifier


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority.make(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def stamps(authority: TimestampAuthority) -> list[dict[str, str]]:
    """Of the first four, seven and eleven entries, each an hour after the last of them."""
    return [stamp(authority, ENTRIES[:size], BEGIN + (size - 1) * DAY + dt.timedelta(hours=1)) for size in (4, 7, 11)]


def stamp(authority: TimestampAuthority, entries: Sequence[Any], at: dt.datetime | None = None) -> dict[str, str]:
    checkpoint = Checkpoint.sign(head_of(entries), [LOG_KEY])
    return StampedHead(checkpoint, authority.stamp(checkpoint.note.text, at)).to_json()


def check(folder: Path, authority: TimestampAuthority, stamped: object, entries: Sequence[Any] = ENTRIES,
          **options: Any) -> VerifyReport:  # fmt: skip
    note = str(Checkpoint.sign(head_of(entries), [LOG_KEY]))
    path = write(folder / "log.jsonl", entries, note=note, stamps=stamped)
    return verify(path, trusted=[KEY], authorities=read_roots(authority.roots.read_bytes()), **options)


def kinds(report: VerifyReport) -> set[str]:
    return {finding.kind for finding in report.findings}


def test_stamps_say_when_all_existed_and_how_long_a_record_waited(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    for given in (stamps, stamps[::-1]):
        report = check(tmp_path, authority, given)
        assert report.ok
        assert report.stamps is not None
        assert (report.stamps.size, report.stamps.at) == (11, BEGIN + 10 * DAY + dt.timedelta(hours=1))
        # The fifth to the seventh entry, and the eighth to the eleventh: the eighth waited longest.
        assert (report.stamps.longest, report.stamps.slowest) == (3 * DAY + dt.timedelta(hours=1), 7)
        assert report.lines[-3].startswith("  time-stamped: the first 11 entries existed at 20")
        assert "at most 3 d 1 h after the time that it claims (entry 7" in report.lines[-2]


def test_a_later_stamp_covers_what_no_good_one_covered_before(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    other = TimestampAuthority.make(tmp_path / "other")
    report = check(tmp_path, authority, [stamps[0], stamp(other, ENTRIES[:7]), stamps[2]])
    assert report.ok
    assert report.stamps is not None
    assert (report.stamps.longest, report.stamps.slowest) == (6 * DAY + dt.timedelta(hours=1), 4)
    assert "  1 of its time stamps are by no authority that you trust" in report.lines


def test_the_earliest_stamp_above_a_record_counts(tmp_path: Path, authority: TimestampAuthority) -> None:
    """The one of a smaller head may have come later, as from an authority that was out of reach."""
    late, early = stamp(authority, ENTRIES[:4], BEGIN + 30 * DAY), stamp(authority, ENTRIES, BEGIN + 10 * DAY)
    report = check(tmp_path, authority, [late, early])
    assert report.stamps is not None
    assert (report.stamps.longest, report.stamps.slowest) == (10 * DAY, 0)


def test_what_shows_nothing_is_named(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    assert kinds(check(tmp_path, authority, None)) == {"timestamp"}
    assert kinds(check(tmp_path, authority, [])) == {"timestamp"}
    other = TimestampAuthority.make(tmp_path / "other")
    assert kinds(check(tmp_path, other, stamps)) == {"timestamp"}
    # The token of one head under another.
    assert kinds(check(tmp_path, authority, [{**stamps[0], "token": stamps[1]["token"]}])) == {"timestamp"}
    path = write(tmp_path / "some.jsonl", ENTRIES, complete=False)
    assert kinds(verify(path, authorities=read_roots(authority.roots.read_bytes()))) == {"selection"}


@pytest.mark.parametrize("bad", ["x", [1], [{}], [{"checkpoint": "x", "token": ""}], {"checkpoint": "x"}])
def test_what_is_no_list_of_time_stamps_is_no_export(tmp_path: Path, bad: object) -> None:
    path = write(tmp_path / "log.jsonl", ENTRIES, stamps=bad)
    assert kinds(verify(path)) == {"format"}
    assert stand_alone(path) == {"format"}


def test_what_stands_beside_a_time_stamp_is_no_export(tmp_path: Path, stamps: list[dict[str, str]]) -> None:
    path = write(tmp_path / "log.jsonl", ENTRIES, stamps=[{**stamps[0], "note": "FORGED"}])
    assert kinds(verify(path)) == {"format"}
    assert stand_alone(path) == {"format"}


def test_a_file_that_ends_before_a_stamped_head_is_cut(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    assert kinds(check(tmp_path, authority, stamps, ENTRIES[:10])) == {"truncation"}
    assert stand_alone(tmp_path / "log.jsonl") == {"truncation"}


def rewritten() -> list[dict[str, Any]]:
    """Another log, with all hashes made to fit, of which each record keeps its time."""
    return [rehash({**e, "record": e["record"].replace("ck_ada", "ck_eve")}) for e in ENTRIES]


def test_an_operator_who_wrote_all_anew_is_found_by_any_stamp_that_is_left(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    """With the key of the log, and no witness: without time stamps nothing shows it."""
    log = rewritten()
    path = write(tmp_path / "log.jsonl", log, note=str(Checkpoint.sign(head_of(log), [LOG_KEY])))
    assert verify(path, trusted=[KEY]).ok
    assert stand_alone(path, "--key", str(KEY)) == set()
    for left in (stamps, stamps[:1], stamps[-1:]):
        assert kinds(check(tmp_path, authority, left, log)) == {"rewrite"}
        assert stand_alone(tmp_path / "log.jsonl", "--key", str(KEY)) == {"rewrite"}


def test_an_operator_who_has_the_new_log_stamped_shows_how_late_that_was(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    """It passes: an authority stamps whatever it is given. But the clock of the authority tells."""
    log = rewritten()
    report = check(tmp_path, authority, [stamp(authority, log)], log)
    assert report.ok
    assert report.stamps is not None
    assert report.stamps.slowest == 0
    assert report.stamps.longest >= 40 * DAY
    assert "at most 40 d" in report.lines[-2]


def test_an_operator_who_keeps_earlier_stamps_can_write_only_what_is_later_anew(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    log = [*ENTRIES[:7], *rewritten()[7:]]
    report = check(tmp_path, authority, [*stamps[:2], stamp(authority, log)], log)
    assert report.ok
    assert report.stamps is not None
    assert report.stamps.slowest == 7
    assert report.stamps.longest >= 33 * DAY
    assert kinds(check(tmp_path, authority, stamps, log)) == {"rewrite"}


def test_a_kept_head_finds_it_and_its_stamp_shows_since_when_it_is_one(
    tmp_path: Path, authority: TimestampAuthority
) -> None:
    kept = head_of(ENTRIES[:7])
    assert kinds(check(tmp_path, authority, [stamp(authority, rewritten())], rewritten(), head=kept)) == {"rewrite"}


@pytest.mark.parametrize("change", [('"at":"20', '"at":"?0'), ('00Z"', '00"')], ids=["no time", "no zone"])
def test_a_time_that_a_record_does_not_say_counts_for_nothing(
    tmp_path: Path, authority: TimestampAuthority, change: tuple[str, str]
) -> None:
    odd = [rehash({**e, "record": e["record"].replace(*change, 1)}) for e in ENTRIES]
    assert [e["record"] for e in odd] != [e["record"] for e in ENTRIES]
    report = check(tmp_path, authority, [stamp(authority, odd)], odd)
    assert report.ok
    assert report.stamps is not None
    assert report.stamps.longest == dt.timedelta()


@pytest.mark.parametrize("format", ["parquet", "ocsf"])
def test_a_manifest_carries_them_for_a_file_that_has_no_room(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]], format: ExportFormat
) -> None:
    roots = read_roots(authority.roots.read_bytes())

    def found(entries: Sequence[Any], given: Sequence[dict[str, str]]) -> VerifyReport:
        content = content_of(format, entries)
        manifest = manifest_of_file(format, content, head_of(entries), len(entries), stamps=read_stamps(given))
        return verify_content(tmp_path, content, manifest, authorities=roots)

    report = found(ENTRIES, stamps)
    assert report.ok, report.lines
    assert report.stamps is not None
    assert (report.stamps.size, report.stamps.slowest) == (11, 7)
    assert kinds(found(ENTRIES, [])) == {"timestamp"}
    assert kinds(found(rewritten(), stamps)) == {"rewrite"}


def test_stamps_are_not_held_to_a_file_without_records(
    tmp_path: Path, authority: TimestampAuthority, stamps: list[dict[str, str]]
) -> None:
    content = content_of("csv", ENTRIES)
    manifest = manifest_of_file("csv", content, head_of(ENTRIES), len(ENTRIES), stamps=read_stamps(stamps))
    roots = read_roots(authority.roots.read_bytes())
    assert verify_content(tmp_path, content, manifest).ok
    assert kinds(verify_content(tmp_path, content, manifest, authorities=roots)) == {"selection"}
