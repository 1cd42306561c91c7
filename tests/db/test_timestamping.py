"""The sequencer and time stamping authorities: what is sent, what is kept, and what an export then shows."""

import contextlib
import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.audit import beside, checkpoints
from app.audit.beside import NotGiven
from app.audit.checkpoints import list_checkpoints, list_stamps
from app.audit.export import export_log
from app.audit.export_forms.forms import FORMS
from app.audit.signing import LogSigner
from app.audit.timestamping import AuthorityAddress, Timestamping, timestamp_until
from app.db.engine import connect
from app.db.paging import Page
from app.evidence.checkpoint import Checkpoint
from app.evidence.timestamp import MAX_TOKEN_BYTES, TimestampQuery, read_roots
from app.evidence.verify import verify
from app.identity.subject import Capability
from tests.db.audit_db import AuditDb
from tests.db.audit_passes import passes
from tests.support.cluster import Db
from tests.support.http_stub import Answer, Request, http_stub, status
from tests.support.log_keys import LOG_KEY
from tests.support.processes import sequencer
from tests.support.time_stamping import REPLY, TimestampAuthority, replying
from tests.support.waiting import wait_for

KEEP = "select clearance.keep_timestamp(:size, :authority, :token)"
COUNT = "select count(*) from audit_timestamp"
EACH = LogSigner(LOG_KEY, entries=1)


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority.make(tmp_path_factory.mktemp("tsa") / "one")


@contextlib.contextmanager
def stamping(world: AuditDb, url: str, authority: TimestampAuthority, *, seconds: float = 60) -> Iterator[Timestamping]:
    """What brings checkpoints to an authority, of which each step is made by hand."""
    engine = connect(world.db.url("sequencer"), pool_size=1)
    with httpx2.Client(trust_env=False, timeout=seconds) as client:
        yield Timestamping(engine, client, AuthorityAddress(url, read_roots(authority.roots.read_bytes())))
    engine.dispose()


def exported(world: AuditDb, path: Path) -> Path:
    auditor = world.person("au", may=[Capability.AUDIT])
    path.write_bytes(b"".join(export_log(lambda: world.as_user(auditor), FORMS["jsonl"])))
    return path


def test_each_new_head_is_stamped_once_and_the_export_shows_it(
    world: AuditDb, authority: TimestampAuthority, tmp_path: Path
) -> None:
    roots = read_roots(authority.roots.read_bytes())
    with passes(world, EACH) as made, http_stub(authority.answer) as url:
        with stamping(world, url, authority) as stamps:
            assert not stamps.step(), "nothing to stamp yet"
            for leaves in (1, 2):
                made.add(leaves)
                assert stamps.step()
                assert not stamps.step(), "once is enough"
        with stamping(world, url, authority) as after:
            assert not after.step(), "nor after a restart"
        made.add(1)
    report = verify(exported(world, tmp_path / "log.jsonl"), trusted=[LOG_KEY.verifier], authorities=roots)
    assert report.ok, report.lines
    assert report.stamps is not None
    assert report.stamps.size == 4, "the newest that was stamped, under a head that is newer"
    assert abs(report.stamps.at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    with world.as_user(world.person("auditor", may=[Capability.AUDIT])) as session:
        newest, stamped, _ = list_checkpoints(session, Page(limit=5))
        assert (newest.size, dict(newest.timestamps)) == (5, {})
        assert list(stamped.timestamps) == [url]


def wrong_question(authority: TimestampAuthority) -> Answer:
    return replying(authority.reply(TimestampQuery.over("another\n").body))


def of_another_hash(authority: TimestampAuthority) -> Answer:
    """The nonce is right, what is stamped is not."""

    def answer(request: Request) -> None:
        place = request.body.index(b"\x04\x20") + 2
        replying(authority.reply(request.body[:place] + bytes(32) + request.body[place + 32 :]))(request)

    return answer


def dated(authority: TimestampAuthority, hours: int) -> Answer:
    def answer(request: Request) -> None:
        replying(authority.reply(request.body, dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)))(request)

    return answer


ANSWERS: dict[str, tuple[Callable[[TimestampAuthority], Answer], str]] = {
    "to another question": (wrong_question, "Nonce"),
    "over another hash": (of_another_hash, "messages"),
    "of an hour ago": (lambda tsa: dated(tsa, -1), "clock"),
    "of the next hour": (lambda tsa: dated(tsa, 1), "clock"),
    "too long": (lambda _: replying(bytes(MAX_TOKEN_BYTES + 1)), "too long"),
    "no answer": (lambda _: replying(b"fine"), "no answer of a time stamping"),
    "a page": (lambda _: status(200, b"<html>", **{"Content-Type": "text/html"}), "text/html"),
    "an error": (lambda _: status(503, b""), "503"),
    "a way to somewhere else": (lambda _: status(307, b"", location="http://127.0.0.1:1/"), "307"),
}


@pytest.mark.parametrize("made", ANSWERS.values(), ids=ANSWERS)
def test_nothing_but_a_right_answer_is_kept(
    world: AuditDb, authority: TimestampAuthority, made: tuple[Callable[[TimestampAuthority], Answer], str]
) -> None:
    answer, says = made
    with passes(world, EACH) as log, http_stub(answer(authority)) as url:
        log.add(1)
        with stamping(world, url, authority) as stamps, pytest.raises(NotGiven, match=says):
            stamps.step()
    assert world.value("owner", COUNT) == 0


def test_an_answer_under_another_root_is_not_kept(
    world: AuditDb, authority: TimestampAuthority, tmp_path: Path
) -> None:
    other = TimestampAuthority.make(tmp_path / "other")
    with passes(world, EACH) as log, http_stub(other.answer) as url:
        log.add(1)
        with stamping(world, url, authority) as stamps, pytest.raises(NotGiven, match="issuer"):
            stamps.step()
    assert world.value("owner", COUNT) == 0


def test_an_authority_that_hangs_or_drips_is_given_up(
    world: AuditDb, authority: TimestampAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "MAX_SECONDS", 0.5)
    gone = threading.Event()

    def hangs(request: Request) -> None:
        gone.wait(20)

    def drips(request: Request) -> None:
        status(200, b"", **{"Content-Type": REPLY})(request)
        while not gone.wait(0.05):
            request.wfile.write(b"x")

    with passes(world, EACH) as log:
        log.add(1)
        for answer, says in ((hangs, "Timeout"), (drips, "too long|takes")):
            with (
                http_stub(answer) as url,
                stamping(world, url, authority, seconds=1) as stamps,
                pytest.raises(NotGiven, match=says),
            ):
                stamps.step()
    gone.set()


@pytest.mark.alone
def test_an_authority_that_hangs_delays_neither_the_log_nor_another_authority(
    world: AuditDb, authority: TimestampAuthority
) -> None:
    gone, stop = threading.Event(), threading.Event()
    roots = read_roots(authority.roots.read_bytes())

    def hangs(request: Request) -> None:
        gone.wait(60)

    with http_stub(hangs) as dead, http_stub(authority.answer) as alive:
        timestamp_until(stop, world.db.url("sequencer"), [AuthorityAddress(url, roots) for url in (dead, alive)])
        try:
            with passes(world, EACH) as made:
                made.add(1)
                made.add(1)
                assert made.sizes() == [2, 3]
                wait_for(lambda: world.value("owner", COUNT) == 1, seconds=30)
        finally:
            stop.set()
            gone.set()


@pytest.mark.alone
def test_the_process_stamps_and_refuses_to_start_without_certificates(
    world: AuditDb, authority: TimestampAuthority, tmp_path: Path
) -> None:
    settings = {"CLEARANCE_AUDIT__SIGNING_KEY": LOG_KEY.secret(), "CLEARANCE_AUDIT__CHECKPOINT_ENTRIES": "1"}
    with http_stub(authority.answer) as url:
        given = settings | {"CLEARANCE_AUDIT__TIMESTAMPS": f"{url} {authority.roots}"}
        with sequencer(tmp_path, world.db, close_after=600, **given), passes(world, None) as made:
            made.add(1)
            wait_for(lambda: world.value("owner", COUNT) == 1, seconds=30)
        for bad in (url, f"{url} {tmp_path / 'nothing.pem'}"):
            given = settings | {"CLEARANCE_AUDIT__TIMESTAMPS": bad}
            with sequencer(tmp_path, world.db, close_after=600, **given) as started:
                wait_for(lambda: "CLEARANCE_AUDIT__…SIGNING_KEY" in started.said, seconds=30)
                assert "sequencer_started" not in started.said


def test_the_database_takes_stamps_of_its_own_signed_heads_and_not_without_end(
    world: AuditDb, authority: TimestampAuthority
) -> None:
    with passes(world, EACH) as made:
        made.add(1)
        [signed] = made.signed()
    token, of_another = authority.stamp(signed.note.text), authority.stamp("another\n")
    world.check_refused("no signed head", "sequencer", KEEP, size=2, authority="a", token=of_another)
    world.check_refused("no signed head", "sequencer", KEEP, size=1, authority="a", token=token)
    world.check_refused("token_check", "sequencer", KEEP, size=2, authority="a", token=token + bytes(MAX_TOKEN_BYTES))
    world.check_refused("permission denied", "app", KEEP, size=2, authority="a", token=token)
    for number in range(9):
        world.run("sequencer", KEEP, size=2, authority=f"https://tsa.example/{number}", token=token)
    world.run("sequencer", KEEP, size=2, authority="https://tsa.example/0", token=token + b"x")
    assert world.value("owner", COUNT) == 8
    assert (
        world.value("owner", "select count(*) from audit_timestamp where octet_length(token) > :n", n=len(token)) == 0
    )


def test_an_export_carries_stamps_from_all_of_the_logs_life(world: AuditDb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each authority as many as fit, evenly, with the newest; and none of a head that is beyond the export."""
    monkeypatch.setattr(checkpoints, "STAMPS_EACH", each := 8)
    count = 3 * each
    with passes(world, EACH) as made:
        for _ in range(count):
            made.add(1)
        sizes = made.sizes()
        for number, checkpoint in enumerate(made.signed()):
            for name in ("often", "seldom") if number % 4 == 0 else ("often",):
                world.run("sequencer", KEEP, size=checkpoint.head.size, authority=name, token=text_hash(checkpoint))
    with world.as_user(world.person("au", may=[Capability.AUDIT])) as session:
        found = [stamp.checkpoint.head.size for stamp in list_stamps(session, at_most=sizes[-1])]
        assert found == sorted([*sizes[2::3], *sizes[::4]])
        earlier = [stamp.checkpoint.head.size for stamp in list_stamps(session, at_most=sizes[6])]
        assert earlier == sorted([*sizes[:7], *sizes[:7:4]])
        monkeypatch.setattr(checkpoints, "MAX_STAMPS", 3)
        assert [stamp.checkpoint.head.size for stamp in list_stamps(session, at_most=sizes[-1])] == found[-3:]


def text_hash(checkpoint: Checkpoint) -> bytes:
    return hashlib.sha256(checkpoint.note.text.encode()).digest()


def test_addresses_are_read(authority: TimestampAuthority, tmp_path: Path) -> None:
    given = f"http://tsa.example {authority.roots}, https://other.example/tsr  {authority.roots},"
    both = AuthorityAddress.parse_all(given)
    assert [each.url for each in both] == ["http://tsa.example", "https://other.example/tsr"]
    assert [len(each.roots) for each in both] == [1, 1]
    assert AuthorityAddress.parse_all(" ") == []
    (tmp_path / "empty.pem").write_text("")
    for bad in ("https://tsa.example", f"ftp://tsa.example {authority.roots}", f"{authority.roots} https://tsa.example",
                f"https://tsa.example {tmp_path / 'none.pem'}", f"https://tsa.example {tmp_path / 'empty.pem'}",
                f"https://me:secret@tsa.example {authority.roots}"):  # fmt: skip
        with pytest.raises(ValueError, match=r"tsa\.example|root\.pem"):
            AuthorityAddress.parse_all(bad)
    with pytest.raises(ValueError, match="name the PEM file"):
        AuthorityAddress.parse_all("https://tsa.example")
