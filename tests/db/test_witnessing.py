"""The sequencer and `clearance witness` as processes: both sign a log that grows, one a rewritten log."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit.beside import NotGiven
from app.audit.signing import LogSigner
from app.audit.witnessing import Cosigning, WitnessAddress, cosign_until
from app.db.engine import connect
from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import Frontier, Head, merkle_root
from app.evidence.signed_note import BadKey, SigningKey, VerifierKey
from app.evidence.witness import Witness, WitnessRequest
from tests.db.audit_db import AuditDb
from tests.db.audit_passes import passes
from tests.support.cluster import Db
from tests.support.environment import free_port
from tests.support.http_stub import http_stub, status
from tests.support.log_keys import LOG_KEY
from tests.support.processes import Process, process
from tests.support.waiting import wait_for

PUBLISH = "select clearance.publish_checkpoint(:size, :note)"


@pytest.fixture
def world(db: Db) -> Iterator[AuditDb]:
    with contextlib.closing(AuditDb(db)) as made:
        yield made


class Running:
    """A witness as its own operator runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.state = folder / "state"

    @contextlib.contextmanager
    def started(self) -> Iterator[Process]:
        options = ["--log", str(LOG_KEY.verifier), "--state", str(self.state), "--name", "witness.example/w1"]
        with process(self.folder, ["app.cli", "witness", *options, "--port", str(self.port)], {}) as running:
            wait_for(self.answers, seconds=20)
            yield running

    def answers(self) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/add-checkpoint", trust_env=False).status_code == 405
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> WitnessAddress:
        return WitnessAddress(self.url, SigningKey.parse((self.state / "witness.key").read_text()).verifier)


@contextlib.contextmanager
def cosigning(world: AuditDb, address: WitnessAddress) -> Iterator[Cosigning]:
    """What brings checkpoints to a witness, of which each step is made by hand."""
    engine = connect(world.db.url("sequencer"), pool_size=1)
    with httpx2.Client(trust_env=False, timeout=5) as client:
        yield Cosigning(engine, client, address)
    engine.dispose()


def kept(world: AuditDb) -> Checkpoint:
    """The newest checkpoint with all signatures."""
    with world.session("owner") as session:
        query = "select note || coalesce(string_agg(line, ''), '') from audit_checkpoint left join audit_cosignature"
        query += " using (size) group by size, note order by size desc limit 1"
        return Checkpoint.parse(session.scalars(text(query)).one())


@pytest.mark.alone
def test_a_growing_log_is_signed_by_both_through_restarts_of_either(world: AuditDb, tmp_path: Path) -> None:
    witness = Running(tmp_path)
    with passes(world, LogSigner(LOG_KEY, entries=1)) as made:
        with witness.started(), cosigning(world, witness.address) as brings:
            assert not brings.step(), "nothing to sign yet"
            for leaves in (1, 3, 300):
                made.add(leaves)
                assert brings.step()
                assert not brings.step(), "once is enough"
                assert kept(world).witnesses([witness.address.key]), leaves
        made.add(2)
        with witness.started(), cosigning(world, witness.address) as after:
            assert after.step()
            assert kept(world).head == world.check_order(307)
            assert kept(world).witnesses([witness.address.key])
            assert kept(world).log_signers([LOG_KEY.verifier])


@pytest.mark.alone
def test_a_rewritten_log_gets_no_signature(world: AuditDb, tmp_path: Path) -> None:
    """By whoever has the database and the log's own key: all hashes fit, and only the witness remembers."""
    witness = Running(tmp_path)
    with witness.started() as running, passes(world, LogSigner(LOG_KEY, entries=1)) as made:
        made.add(300)
        with cosigning(world, witness.address) as brings:
            assert brings.step()
        signed = made.sizes()
        rewrite(world)
        made.add(1)
        assert made.sizes() == signed, "the sequencer remembers what it signed"
        with passes(world, LogSigner(LOG_KEY, entries=1)) as anew:
            anew.add(1)
            assert anew.sizes() == signed, "and one that starts anew reads it from its own signature"
        forged = Checkpoint.sign(world.check_order(303), [LOG_KEY])
        world.run("sequencer", PUBLISH, size=303, note=str(forged))
        with cosigning(world, witness.address) as brings, pytest.raises(NotGiven, match="422"):
            brings.step()
        assert kept(world).log_signers([LOG_KEY.verifier]), "whoever has the key signs it"
        assert not kept(world).witnesses([witness.address.key])
        wait_for(lambda: "witness.refused" in running.said)


def test_a_running_sequencer_remembers_what_the_database_forgot(world: AuditDb) -> None:
    with passes(world, LogSigner(LOG_KEY, entries=1)) as made:
        made.add(3)
        assert made.sizes() == [4]
        rewrite(world)
        with world.session("admin") as session:
            session.execute(text("set local session_replication_role = replica"))
            session.execute(text("alter table audit_checkpoint disable trigger append_only"))
            session.execute(text("delete from audit_checkpoint"))
        made.add(1)
        assert made.sizes() == []


@pytest.mark.alone
def test_a_log_that_lost_its_end_is_told_so(world: AuditDb, tmp_path: Path) -> None:
    witness = Running(tmp_path)
    with witness.started(), passes(world, LogSigner(LOG_KEY, entries=1)) as made:
        made.add(3)
        ahead = Witness(
            witness.state, SigningKey.parse((witness.state / "witness.key").read_text()), [LOG_KEY.verifier]
        )
        more = Checkpoint.sign(Head(9, bytes(32)), [LOG_KEY])
        ahead.add(WitnessRequest(0, (), more), moment=1)
        with cosigning(world, witness.address) as brings, pytest.raises(NotGiven, match=r"9 entries.*has 4.*gone"):
            brings.step()


def rewrite(world: AuditDb) -> None:
    """Change the first record, and all hashes above it, as somebody could who controls the database."""
    with world.session("admin") as session:
        session.execute(text("set local session_replication_role = replica"))
        for table in ("audit_leaf", "audit_entry", "audit_head", "audit_node"):
            session.execute(text(f"alter table {table} disable trigger append_only"))
        for name in ("body", "leaf_hash", "record"):
            session.execute(text(f"alter table audit_leaf drop constraint audit_leaf_{name}_check"))
        session.execute(text("update audit_leaf set body = replace(body, 'unknown', 'expired') where id ="
                             " (select leaf_id from audit_entry where seq = 0)"))  # fmt: skip
        session.execute(text(
            "update audit_leaf set leaf_hash = sha256('\\x00'::bytea || convert_to(body, 'UTF8'))"))  # fmt: skip
        session.execute(
            text("update audit_entry e set leaf_hash = l.leaf_hash from audit_leaf l where l.id = e.leaf_id")
        )
        leaves = [bytes(leaf) for leaf in session.scalars(text("select leaf_hash from audit_entry order by seq"))]
        rebuild(session, leaves)


def rebuild(session: Session, leaves: list[bytes]) -> None:
    """The newest head and the kept nodes over these leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    session.execute(
        text("update audit_head set root = :root, frontier = :nodes where size = :size"),
        {"root": frontier.root(), "nodes": frontier.nodes, "size": len(leaves)},
    )
    for level, place in session.execute(text("select level, place from audit_node")).all():
        width = 1 << level
        session.execute(
            text("update audit_node set hash = :hash where level = :level and place = :place"),
            {"hash": merkle_root(leaves[place * width : (place + 1) * width]), "level": level, "place": place},
        )


ANSWERS = {
    "nothing": (200, b""),
    "no signature": (200, b"fine\n"),
    "another key": (200, str(SigningKey("w.example", "witness", bytes(32)).sign("text\n", moment=1)).encode()),
    "a long answer": (200, b"x" * 20_000),
    "a size that helps nothing": (409, b"0\n"),
    "a size that is none": (409, b"many\n"),
    "an error": (500, b"broken\n"),
    "a way to somewhere else": (307, b""),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_nothing_but_its_own_signature_is_kept(world: AuditDb, answer: tuple[int, bytes]) -> None:
    code, body = answer
    key = SigningKey("witness.example/w1", "witness", bytes([7]) * 32).verifier
    with (
        passes(world, LogSigner(LOG_KEY)) as made,
        http_stub(status(code, body, location="http://127.0.0.1:1/")) as url,
    ):
        made.add(1)
        with cosigning(world, WitnessAddress(url, key)) as brings, pytest.raises(NotGiven):
            brings.step()
    assert world.value("owner", "select count(*) from audit_cosignature") == 0


def test_a_forged_signature_is_not_kept(world: AuditDb) -> None:
    key = SigningKey("witness.example/w1", "witness", bytes([7]) * 32)
    with passes(world, LogSigner(LOG_KEY)) as made:
        made.add(1)
        forged = status(200, str(key.sign("another text\n", moment=1)).encode())
        with (
            http_stub(forged) as url,
            cosigning(world, WitnessAddress(url, key.verifier)) as brings,
            pytest.raises(NotGiven, match="does not belong"),
        ):
            brings.step()


@pytest.mark.alone
def test_a_witness_that_is_gone_is_waited_for(world: AuditDb, tmp_path: Path) -> None:
    """In threads of their own: heads are signed meanwhile, and the next checkpoint gets its signature."""
    witness = Running(tmp_path)
    with witness.started():
        address = witness.address
    stop = threading.Event()
    cosign_until(stop, world.db.url("sequencer"), [address])
    try:
        with passes(world, LogSigner(LOG_KEY, entries=1)) as made:
            made.add(1)
            made.add(1)
            assert made.sizes() == [2, 3]
            with witness.started():
                wait_for(lambda: bool(kept(world).witnesses([address.key])), seconds=30)
    finally:
        stop.set()


def test_addresses_are_read() -> None:
    key = str(SigningKey("w.example", "witness", bytes(32)).verifier)
    both = WitnessAddress.parse_all(f"https://a.example/w {key}, http://127.0.0.1:8720/ {key},")
    assert [each.url for each in both] == ["https://a.example/w", "http://127.0.0.1:8720"]
    assert both[0].key == VerifierKey.parse(key)
    assert WitnessAddress.parse_all(" ") == []
    for bad in ("https://a.example", f"http://a.example {key}", f"{key} https://a.example",
                f"https://a.example {LOG_KEY.verifier}"):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            WitnessAddress.parse_all(bad)
    with pytest.raises(BadKey):
        WitnessAddress.parse_all("https://a.example key")
