"""Revocation holds from commit: no request that begins after it sees the document, on any surface, by any way of losing
it. Raced against a real server; and services that keep what they should look up again are found by the same race.
"""

import http.client
import json
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.answer import conversation_store as conversations
from app.answer.replies import reply
from app.oidc.provider import Provider
from app.settings import AnswerSettings, SignInSettings
from app.sign_in.sessions import Browser, Proof, start_session
from app.web.http.credentials import csrf_token
from tests.laws.worlds.caching_mutants import (
    KEPT,
    TEXT,
    KeptCallers,
    KeptScopes,
    every_scope,
    resolving,
    unlock,
    warmed,
)
from tests.laws.worlds.revocation_race import LATER, Readers, Revocation, Score, Surface, judge, race
from tests.laws.worlds.revocation_scenarios import AGAIN, MARKS, QUESTION, Track, echoing, laid_out, session_again
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company, found
from tests.support.environment import LAW_FACTOR, Report
from tests.support.questions import events, spoken
from tests.support.service import client_of, parts_of, serve
from tests.support.token_issuer import TokenIssuer

pytestmark = pytest.mark.alone

PAIRS = 800 * LAW_FACTOR
READERS = 8
FEW = AnswerSettings(passages=2, history_tokens=500)


@pytest.fixture(scope="module")
def raced(cluster: Cluster) -> Iterator[Company]:
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


@pytest.fixture
def track(cluster: Cluster, raced: Company) -> Iterator[Track]:
    with copied(cluster, raced.db.name) as db:
        company = replace(raced, db=db)
        with client_of(parts_of(db, chat=echoing(), answer=FEW)) as client, laid_out(company, client) as made:
            yield made


def run(
    track: Track,
    revocations: Sequence[Revocation],
    *,
    pairs: int,
    surfaces: Sequence[Surface] | None = None,
    headers: dict[str, str] | None = None,
    unlocked: Sequence[str] = (),
    providers: Sequence[Provider] = (),
) -> Score:
    """One race on a server of its own. `unlocked` tables lose row-level security when it has started: its probe would
    refuse to start without.
    """
    # A reader's thread must not keep the writer from noting the moment of its commit.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        with serve(parts_of(track.company.db, chat=echoing(), answer=FEW, providers=providers)) as url:
            unlock(track.company, unlocked)
            readers = Readers(url, headers or track.headers, surfaces or track.surfaces(), count=READERS)
            with readers.running() as reading:
                changes = race(reading, revocations, rounds=max(len(revocations), -(-pairs // (READERS * LATER))))
    finally:
        sys.setswitchinterval(interval)
    return judge(changes, readers.looks)


def ways(track: Track, *names: str) -> list[Revocation]:
    """Some of the ways to lose the document, by the words in their names; all of them without names."""
    return [r for r in track.revocations() if not names or any(name in r.name for name in names)]


# --- The law.


@pytest.mark.timeout(900)
def test_no_later_request_sees_it(track: Track, report: Report) -> None:
    """Every surface, every way to lose it; and no answer begun later was made from it, the log says."""
    started = time.monotonic()
    score = run(track, track.revocations(), pairs=PAIRS)
    report(f"revocation race: {score}; {time.monotonic() - started:.0f} s")
    assert not score.late, score.late[:5]
    assert not score.missed, score.missed[:5]
    assert score.pairs >= PAIRS
    assert score.across > score.revocations, "else they did not race"
    surfaces, lost = track.surfaces(), track.revocations()
    assert {name for name, times in score.seen.items() if times} == {s.name for s in surfaces}
    if PAIRS >= 3000:  # else there are not enough for each way on each surface
        assert set(score.after) == {(r.name, s.name) for r in lost for s in surfaces}
    refuse_later_records(track, score)


def refuse_later_records(track: Track, score: Score) -> None:
    """What was committed to the log of answers begun after a revocation names no passage of the document."""
    opened = {r["trail"]: r for r in track.company.records("answer.opened")}
    chunks = track.chunks()
    assert any(chunks & {p["chunk"] for p in r["passages"]} for r in opened.values()), "else nothing was tried"
    for trail in score.trails:
        assert not chunks & {p["chunk"] for p in opened[trail]["passages"]}, trail
    assert len(score.trails) > score.pairs / 10


def test_no_later_export_of_the_log(track: Track, report: Report) -> None:
    """An auditor's reading and export of the log end with the capability, the key and the person, from the commit."""
    root = track.company.headers("root")
    with client_of(parts_of(track.company.db)) as client:
        key = client.post(
            "/api/v1/keys", json={"user": "audrey", "capabilities": ["audit", "export"]}, headers=root
        ).json()
    audrey = f"where id = '{track.ids['audrey']}'"
    update = track.update
    revocations = [
        update("the capability", f"app_user set capabilities = '{{}}' {audrey}",
               f"app_user set capabilities = '{{audit,export}}' {audrey}"),
        track.key_revoked("the key", uuid.UUID(key["id"])),
        track.deactivated("the person", track.ids["audrey"], AGAIN.format(key=key["id"])),
    ]  # fmt: skip

    def opened(status: int, _content: bytes) -> bool:
        return status == 200

    paths = {"export": "export?kind=key.made", "csv": "export?format=csv&kind=key.made", "events": "events?limit=5"}
    surfaces = [Surface(name, "GET", f"/api/v1/audit/{path}", None, opened) for name, path in paths.items()]
    headers = {"Authorization": f"Bearer {key['secret']}"}
    score = run(track, revocations, pairs=240, surfaces=surfaces, headers=headers)
    report(f"revocation race on the log: {score}")
    assert not score.late, score.late[:5]
    assert not score.missed, score.missed[:5]
    assert set(score.after) == {(r.name, s.name) for r in revocations for s in surfaces}


def test_sessions_and_tokens(track: Track, report: Report) -> None:
    """Whoever is switched off is out on every surface from the commit, in a browser and with a provider's token too."""
    okta = TokenIssuer()
    subject = "insert into sign_in_identity (issuer, subject, user_id) values (:issuer, 's-ada', :ada)"
    assert track.library.run("owner", subject, issuer=okta.issuer, ada=track.ids["ada"]) == 1
    session = start_session(track.database, SignInSettings(), track.ids["ada"], Proof("link"), Browser(None, ""))
    page = {"Cookie": f"clearance={session.secret}", "Sec-Fetch-Site": "same-origin"}
    page["X-CSRF-Token"] = csrf_token(session.secret)
    off = track.deactivated("the person is deactivated", track.ids["ada"], session_again(session.prefix))
    token = {"Authorization": f"Bearer {okta.access_token('s-ada', exp=int(time.time()) + 3_600)}"}
    raced: list[tuple[dict[str, str], list[Revocation]]] = [
        (page, [off, track.session_ended("the session is ended", session.prefix)]),
        (token, [off]),
    ]
    every = {s.name for s in track.surfaces()}
    for headers, revocations in raced:
        seen: set[str] = set()
        # Seldom a race ends before each surface has shown it once: then it is run again.
        for _ in range(12):
            score = run(track, revocations, pairs=PAIRS // 4, headers=headers, providers=[okta.provider()])
            report(f"revocation race by {'session' if headers is page else 'token'}: {score}")
            assert not score.late, score.late[:5]
            assert not score.missed, score.missed[:5]
            seen |= {name for name, times in score.seen.items() if times}
            if seen == every:
                break
        assert seen == every


def test_a_stream_begun_before_may_finish(track: Track) -> None:
    """Its text comes to its end; what was kept of it is withheld, and the next turn is not shown it."""
    chat = echoing(delay=0.2)
    [leave] = ways(track, "role is left")
    body = {"question": QUESTION, "mode": "generate", "conversation": track.talk, "stream": True}
    with (
        serve(parts_of(track.company.db, chat=chat, answer=FEW)) as url,
        closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as line,
    ):

        def send(method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
            headers = {**track.headers, "Content-Type": "application/json"}
            line.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            return line.getresponse()

        answer = send("POST", "/ask", body)
        head = answer.readline() + answer.readline() + answer.readline()
        assert head.startswith(b"event: opened")
        leave.revoke()
        rest = answer.read()
        assert MARKS[2] in spoken(events((head + rest).decode()))
        assert MARKS[2] in "".join(m.content for m in chat.prompts[-1])
        turns = json.loads(send("GET", f"/conversations/{track.talk}").read())["turns"]
        assert [(t["withheld"], t["notice"], t["answer"]) for t in turns] == [(True, reply("withheld", "en"), "")] * 2
        again = send(
            "POST", "/ask", body | {"question": "How many weeks of parental leave does an employee get?"}
        ).read()
    assert not [mark for mark in (*MARKS, str(track.document)) if mark in again.decode()]
    assert len(chat.prompts) == 2
    assert not [mark for mark in MARKS if mark in "".join(m.content for m in chat.prompts[-1])]


# --- Each filter alone holds the race; a cache holds it if it looks at the policy epoch.


def test_the_scope_filter_alone(track: Track, report: Report) -> None:
    score = run(track, track.revocations(), pairs=120, unlocked=TEXT)
    report(f"without row-level security: {score}")
    assert not score.late, score.late[:5]


def test_row_level_security_alone(track: Track, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    resolving(monkeypatch, every_scope)
    score = run(track, track.revocations(), pairs=120)
    report(f"with all scopes in every query: {score}")
    assert not score.late, score.late[:5]


def test_scopes_kept_under_the_policy_epoch(track: Track, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Every way to lose the document raises the epoch, moves it out of the kept scopes, or is told by `valid_until`."""
    kept = KeptScopes(checked=True)
    resolving(monkeypatch, kept)
    score = run(track, track.revocations(), pairs=120, unlocked=TEXT)
    report(f"scopes kept under the policy epoch: {score}")
    assert kept.kept
    assert not score.late, score.late[:5]
    assert not score.missed, score.missed[:5]


# --- Tests of the test: what is kept without being checked is seen late.


def test_scopes_kept_without_the_epoch(track: Track, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """The epoch check removed: late on every surface, by each way that leaves the subject as it is."""
    kept = KeptScopes(checked=False)
    resolving(monkeypatch, kept)
    lost = ways(track, "folder denies", "collection is re-granted")
    missing = {"search", "quote", "answer", "stream", "open", "documents"}
    for _ in range(6):  # each surface by chance: one that takes longer is seen late less often
        score = run(track, warmed(lost, kept.kept), pairs=120, unlocked=TEXT)
        report(f"mutation, epoch check removed: {score}")
        missing -= {surface for surface, *_ in score.late}
        if not missing:
            break
    assert not missing


def test_row_level_security_holds_where_scopes_are_kept(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same mutant under row-level security shows nothing late."""
    kept = KeptScopes(checked=False)
    resolving(monkeypatch, kept)
    score = run(track, warmed(ways(track, "folder denies", "document moves"), kept.kept), pairs=80)
    assert not score.late, score.late[:5]
    assert score.seen.total()


def test_callers_kept(track: Track, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """A key looked up once and kept for seconds opens after it was revoked, whatever both filters say."""
    kept = KeptCallers()
    monkeypatch.setattr("app.sign_in.callers.identify", kept)
    score = run(track, warmed(ways(track, "key is revoked"), kept.kept), pairs=64)
    report(f"mutation, callers kept: {score}")
    assert len(score.late) > score.pairs / 4


def test_answers_not_checked_again(track: Track, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """A stored answer is read back without looking at what it was made from: history is late, and the next prompt."""
    real = conversations._turns
    every = tuple(row["id"] for row in track.company.rows("select id from scope"))
    monkeypatch.setattr(conversations, "_turns", lambda s, v, c: real(s, replace(v, scope_ids=every), c))
    seen = [s for s in track.surfaces() if s.name in {"history", "next turn", "search", "open"}]
    lost = ways(track, "role is left", "folder denies", "label rises")
    score = run(track, lost, pairs=240, surfaces=seen, unlocked=KEPT)
    report(f"mutation, answers not checked again: {score}")
    assert {surface for surface, *_ in score.late} == {"history", "next turn"}
