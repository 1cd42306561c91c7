"""A witness signs a log that only grows, remembers what it signed, and refuses everything else as the protocol says."""

import hashlib
import threading
from pathlib import Path

import pytest

from app.evidence.checkpoint import Checkpoint
from app.evidence.consistency import consistency_ranges
from app.evidence.merkle import EMPTY_ROOT, Head, merkle_root
from app.evidence.signed_note import BadNote, SigningKey
from app.evidence.witness import Witness, WitnessRefused, WitnessRequest
from tests.support.log_keys import COSIGNED, LOG_KEY, WITNESS_KEY

HONEST = [hashlib.sha256(bytes([n])).digest() for n in range(60)]
# The same up to the twentieth, and rewritten from there on.
FORKED = [*HONEST[:20], *(hashlib.sha256(leaf).digest() for leaf in HONEST[20:])]


def asked(old: int, size: int, leaves: list[bytes] = HONEST, key: SigningKey = LOG_KEY) -> WitnessRequest:
    head = Head(size, merkle_root(leaves[:size]) if size else EMPTY_ROOT)
    path = [merkle_root(leaves[first:end]) for first, end in consistency_ranges(old, size)] if old else []
    return WitnessRequest(old, tuple(path), Checkpoint.sign(head, [key]))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "state", WITNESS_KEY, [LOG_KEY.verifier])


def refused(witness: Witness, request: WitnessRequest) -> tuple[int, int | None]:
    with pytest.raises(WitnessRefused) as caught:
        witness.add(request, moment=1)
    return caught.value.status, caught.value.size


def test_a_log_that_grows_is_signed(witness: Witness) -> None:
    for old, size in ((0, 5), (5, 5), (5, 6), (6, 40), (40, 60)):
        request = asked(old, size)
        signature = witness.add(request, moment=1679315147)
        assert WITNESS_KEY.verifier.signed(request.checkpoint.note.text, signature.signature)
        assert signature.moment == 1679315147
        assert witness.last(LOG_KEY.name) == request.checkpoint.head


def test_an_empty_log_may_begin(witness: Witness) -> None:
    witness.add(asked(0, 0), moment=1)
    witness.add(asked(0, 3), moment=1)


def test_what_was_signed_is_remembered_by_the_next_process(witness: Witness, tmp_path: Path) -> None:
    witness.add(asked(0, 30), moment=1)
    again = Witness(tmp_path / "state", WITNESS_KEY, [LOG_KEY.verifier])
    assert refused(again, asked(0, 40)) == (409, 30)
    assert refused(again, asked(20, 40, FORKED)) == (409, 30)
    again.add(asked(30, 40), moment=1)


def test_a_rewritten_log_is_refused(witness: Witness) -> None:
    witness.add(asked(0, 30), moment=1)
    assert refused(witness, asked(30, 30, FORKED)) == (409, 30)
    assert refused(witness, asked(30, 40, FORKED)) == (422, None)
    assert refused(witness, asked(20, 20)) == (409, 30), "an earlier head is no continuation"
    assert refused(witness, asked(0, 40)) == (409, 30), "as if it had seen nothing"
    honest, forged = asked(30, 40), asked(30, 40, FORKED)
    assert refused(witness, WitnessRequest(30, honest.path, forged.checkpoint)) == (422, None)
    assert refused(witness, WitnessRequest(41, honest.path, honest.checkpoint)) == (400, None)
    assert witness.last(LOG_KEY.name).size == 30
    witness.add(honest, moment=1)


def test_only_known_logs_and_their_keys_are_signed(witness: Witness) -> None:
    assert refused(witness, asked(0, 5, key=SigningKey("other.example", "log", LOG_KEY.seed))) == (404, None)
    assert refused(witness, asked(0, 5, key=SigningKey(LOG_KEY.name, "log", bytes([8]) * 32))) == (403, None)
    assert witness.last(LOG_KEY.name).size == 0


def test_a_proof_from_nothing_is_empty(witness: Witness) -> None:
    assert refused(witness, WitnessRequest(0, (bytes(32),), asked(0, 5).checkpoint)) == (422, None)


def test_logs_do_not_know_of_one_another(tmp_path: Path) -> None:
    other = SigningKey("other.example", "log", bytes([5]) * 32)
    witness = Witness(tmp_path, WITNESS_KEY, [LOG_KEY.verifier, other.verifier])
    witness.add(asked(0, 30), moment=1)
    witness.add(asked(0, 40, FORKED, other), moment=1)
    assert (witness.last(LOG_KEY.name).size, witness.last(other.name).size) == (30, 40)


def test_two_that_ask_at_once_never_roll_back(tmp_path: Path) -> None:
    """Two processes with one folder: of requests from the same size one wins, and the record never shrinks."""
    both = [Witness(tmp_path, WITNESS_KEY, [LOG_KEY.verifier]) for _ in range(2)]
    start = threading.Barrier(8)
    signed: list[int] = []
    statuses: list[int] = []

    def ask(number: int) -> None:
        start.wait()
        size = 10 + number
        try:
            both[number % 2].add(asked(0, size), moment=1)
        except WitnessRefused as error:
            statuses.append(error.status)
        else:
            signed.append(size)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 1
    assert statuses == [409] * 7
    assert both[0].last(LOG_KEY.name).size == signed[0]


def test_a_damaged_memory_is_not_taken_for_none(witness: Witness, tmp_path: Path) -> None:
    witness.add(asked(0, 30), moment=1)
    [path] = (tmp_path / "state").glob("*.checkpoint")
    for damage in ("", "x", path.read_text()[:-40]):
        path.write_text(damage)
        with pytest.raises(BadNote):
            witness.add(asked(0, 40), moment=1)


def test_keys_have_their_use(tmp_path: Path) -> None:
    for key, log in ((LOG_KEY, LOG_KEY), (WITNESS_KEY, WITNESS_KEY)):
        with pytest.raises(ValueError, match="key of a witness"):
            Witness(tmp_path, key, [log.verifier])


def test_requests_are_read_and_written() -> None:
    request = asked(5, 40)
    assert WitnessRequest.parse(str(request)) == request
    published = WitnessRequest.parse(
        "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\n"
        + COSIGNED
    )
    assert (published.old, len(published.path)) == (20852014, 2)
    good = str(request)
    for bad in (
        *("", good[4:], good.replace("old 5", "old 05"), good.replace("old 5", "old -5"), good.replace("old 5", "old")),
        good.replace("\n\n", "\n?\n\n", 1),
        "old 5\n" + "A" * 43 + "=\n" + good,
        str(WitnessRequest(5, (bytes(32),) * 64, request.checkpoint)),
        good.partition("\n\n")[0],
    ):
        with pytest.raises(BadNote):
            WitnessRequest.parse(bad)
