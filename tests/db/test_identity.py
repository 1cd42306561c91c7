"""The identity behind row-level security: `user|expiry|mac`, for one transaction. Any other value sees zero rows."""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.engine import ask_directly, connect
from app.db.rls_probe import CANARY
from app.db.session import SETTINGS, Database, Signer, select_settings, transaction_of
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.identities import Made, by_hand, changed, good, signed, soon
from tests.support.library_db import LibraryDb, allow, counts
from tests.support.sealing import SEALER

NONE = {"chunk": 0, "document": 0}


@dataclass(frozen=True)
class Two:
    """Two people with a passage each."""

    library: LibraryDb
    ada: uuid.UUID
    ben: uuid.UUID

    def sees(self, identity: Made) -> dict[str, int]:
        """What raw SQL as the API's database role sees with this value."""
        with self.library.session("app") as session:
            ask_directly(session.connection(), select_settings(SETTINGS), (identity(transaction_of(session)), "10000"))
            return counts(session, ["chunk", "document"])


def _mac(payload: str) -> str:
    return hmac.new(bytes.fromhex(IDENTITY_KEY), payload.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def two(library: LibraryDb) -> Two:
    people = [library.person(name) for name in ("ada", "ben")]
    for person, texts in zip(people, (["one"], ["two", "three"]), strict=True):
        library.document(library.collection(f"of-{person}", allow("user", person)), "a.md", *texts)
    return Two(library, *people)


def test_forged_and_malformed_identities_see_nothing(two: Two) -> None:
    """Each kind of wrong value, among them another's id under one's own good mac."""
    user, expiry = two.ada, soon()

    def parted(change: Callable[[str, str, str], str]) -> Made:
        return changed(good(user), lambda identity: change(*identity.split("|")))

    def cut(n: int) -> Made:
        return parted(lambda u, e, m: f"{u}|{e}|{m[:n]}{'0' if m[n] != '0' else '1'}{m[n + 1 :]}")

    plain = {
        "two parts": f"{user}|{expiry}",
        "no mac": f"{user}|{expiry}|",
        "no key": f"{user}|{expiry}|{hashlib.sha256(f'{user}|{expiry}'.encode()).hexdigest()}",
        "only bars": "||",
        "null": "null",
        "percent": "%|%|%",
        "quote": "' or true --",
        "long": "x" * 1_000_000,
    }
    wrong: dict[str, Made] = {what: lambda _, text=text: text for what, text in plain.items()} | {
        "another's id": parted(lambda _, e, m: f"{two.ben}|{e}|{m}"),
        "a longer time": parted(lambda u, e, m: f"{u}|{int(e) + 1}|{m}"),
        "expired": signed(user, int(time.time()) - 1),
        "expired just now": signed(user, int(time.time())),
        "expired long ago": signed(user, 0),
        "another key": signed(user, expiry, "aa" * 32),
        "the empty key": signed(user, expiry, "00" * 32),
        "unknown user": signed(uuid.uuid4(), expiry),
        "zero user": signed(uuid.UUID(int=0), expiry),
        "a name": signed("ada", expiry),
        "no user": signed("", expiry),
        "a user in capitals": signed(str(user).upper(), expiry),
        "a user in braces": signed(f"{{{user}}}", expiry),
        "no time": signed(user, ""),
        "a time that is none": signed(user, "later"),
        "a time below zero": signed(user, -5),
        "endless time": signed(user, "infinity"),
        "too large a time": signed(user, "9" * 13),
        "a time with space": signed(user, f" {expiry}"),
        "a time in hex": signed(user, hex(expiry)),
        "arabic digits": signed(user, str(expiry).translate({ord("0") + n: 0x660 + n for n in range(10)})),
        "mac in capitals": parted(lambda u, e, m: f"{u}|{e}|{m.upper()}"),
        "mac cut": changed(good(user), lambda identity: identity[:-1]),
        "mac doubled": parted(lambda u, e, m: f"{u}|{e}|{m}{m}"),
        "four parts": changed(good(user), "{}|x".format),
        "line after": changed(good(user), "{}\n".format),
        "line before": changed(good(user), "\n{}".format),
        "space after": changed(good(user), "{} ".format),
        "twice": changed(good(user), "{0}\n{0}".format),
        "of no transaction": lambda _: by_hand(user, expiry, ""),
        "without its transaction": lambda _: f"{user}|{expiry}|{_mac(f'{user}|{expiry}')}",
        "of another backend": lambda t: by_hand(user, expiry, f"{int(t.split('|')[0]) + 1}|{t.split('|')[1]}"),
        "of another moment": lambda t: by_hand(user, expiry, f"{t.split('|')[0]}|{float(t.split('|')[1]) + 1:.6f}"),
    }
    assert two.sees(good(two.ben)) == {"chunk": 2, "document": 1}
    assert two.sees(good(user)) == two.sees(signed(user, expiry)) == {"chunk": 1, "document": 1}, "as we say it is made"
    for what, identity in wrong.items():
        assert two.sees(identity) == NONE, what
    for n in range(64):
        assert two.sees(cut(n)) == NONE


def test_an_identity_of_an_earlier_transaction_sees_nothing(two: Two) -> None:
    """Read out of a session, a moment ago, on the same backend and on another one: it is good no more."""
    with two.library.session("app") as session:
        stolen = good(two.ada)(transaction_of(session))
        ask_directly(session.connection(), select_settings(SETTINGS), (stolen, "10000"))
        assert counts(session, ["chunk", "document"]) != NONE
    for _ in range(3):
        assert two.sees(lambda _: stolen) == NONE
    with two.library.session("app") as session, two.library.session("app") as beside:
        stolen = good(two.ada)(transaction_of(session))
        for each, seen in ((session, {"chunk": 1, "document": 1}), (beside, NONE)):
            ask_directly(each.connection(), select_settings(SETTINGS), (stolen, "10000"))
            assert counts(each, ["chunk", "document"]) == seen


def test_any_text_sees_nothing(two: Two) -> None:
    """Hypothesis tries texts, and good identities with a piece changed; each is zero rows and never an error."""
    plain = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
    # 36 of a user, 10 of a time, 64 of a mac, two bars.
    spliced = st.tuples(st.integers(0, 112), st.integers(0, 112), st.text("0123456789abcdef|-' \n", max_size=8))

    with two.library.engine("app").connect() as connection:

        @settings(max_examples=200, database=None, suppress_health_check=list(HealthCheck))
        @given(plain | spliced)
        def law(change: str | tuple[int, int, str]) -> None:
            with connection.begin():
                right = good(two.ada)(transaction_of(connection))
                identity = change if isinstance(change, str) else _spliced(right, *change)
                if identity == right:
                    return
                ask_directly(connection, select_settings(SETTINGS), (identity, "10000"))
                assert connection.scalar(text("select count(*) from chunk")) == 0
                assert connection.scalar(text("select clearance.caller()")) is None

        law()


def _spliced(text: str, start: int, end: int, new: str) -> str:
    return text[: min(start, end)] + new + text[max(start, end) :]


def test_a_lost_key_shows_nothing(two: Two) -> None:
    """Without a key in the database, with two keys never, after a change of key only the new one."""
    with two.library.session("owner") as session:
        session.execute(SET_KEY, {"k": "77" * 32})
    assert two.sees(good(two.ada)) == NONE
    assert two.sees(good(two.ada, "77" * 32)) != NONE
    two.library.run("admin", "delete from clearance.identity_key")
    assert two.sees(good(two.ada)) == NONE


SET_KEY = text("select clearance.set_identity_key(decode(:k, 'hex'))")


def test_a_key_has_32_bytes(library: LibraryDb) -> None:
    for key in ("", "1f", "1f" * 31, "1f" * 33, "1f" * 65):
        with pytest.raises(ValueError, match="32 bytes"):
            Signer(key, seconds=60)
        with pytest.raises(DBAPIError), library.session("owner") as session:
            session.execute(SET_KEY, {"k": key})
            pytest.fail(f"a key of {len(key) // 2} bytes")


def test_the_mac_of_the_database_is_hmac(library: LibraryDb) -> None:
    """It is built there from sha256() alone; Python's hmac signs the same."""
    for key in ("00" * 32, "ff" * 32, "1f" * 32, bytes(range(32)).hex()):
        with library.session("owner") as session:
            session.execute(SET_KEY, {"k": key})
            identity = by_hand(CANARY, soon(), transaction_of(session), key)
            ask_directly(session.connection(), select_settings(SETTINGS), (identity, "0"))
            assert session.scalar(text("select clearance.caller()")) == CANARY, key


def test_the_identity_ends_with_the_transaction(db: Db, two: Two) -> None:
    """On one pooled connection: after a commit, an error, a rollback and a cancel, the next caller is nobody."""
    engine = connect(db.url("app"), pool_size=1)
    database = Database(engine, Signer(IDENTITY_KEY, seconds=60), statement_timeout_ms=200, sealer=SEALER)
    backends, left = set(), []

    def next_caller() -> None:
        with engine.connect() as connection:
            backends.add(connection.scalar(text("select pg_backend_pid()")))
            left.append(connection.scalar(text("select current_setting('clearance.identity', true)")))
            assert connection.scalar(text("select count(*) from chunk")) == 0

    with database.reading(two.ada) as session:
        assert counts(session)["chunk"] == 1
    next_caller()
    with pytest.raises(DBAPIError), database.writing(two.ada) as writing:
        writing.execute(text("select 1 / 0"))
    next_caller()
    with pytest.raises(RuntimeError), database.writing(two.ada):
        raise RuntimeError
    next_caller()
    with pytest.raises(Exception, match=r"timeout|does not answer"), database.reading(two.ada) as session:
        session.execute(text("select pg_sleep(5)"))
    next_caller()
    with database.anonymous() as nobody:
        assert counts(nobody)["chunk"] == 0
    assert len(backends) == 1
    assert set(left) <= {None, ""}
    engine.dispose()
