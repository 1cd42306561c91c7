"""Checkpoints: what they say, whose they are, and how one key hands over to the next."""

import pytest

from app.evidence.checkpoint import Checkpoint, follow_key_change, key_change_text
from app.evidence.merkle import Head, encode, leaf_hash
from app.evidence.signed_note import BadNote, SignedNote, SigningKey
from tests.support.log_keys import COSIGNED, LOG_KEY, NEXT_KEY, WITNESS_KEY

HEAD = Head(7, leaf_hash("x"))


def test_the_published_checkpoint_is_read() -> None:
    found = Checkpoint.parse(COSIGNED)
    assert (found.origin, found.head.size) == ("example.com/behind-the-sofa", 20852163)
    assert encode(found.head.root) == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert str(found) == COSIGNED


def test_a_checkpoint_is_signed_and_read_back() -> None:
    signed = Checkpoint.sign(HEAD, [LOG_KEY])
    assert str(signed).split("\n")[:3] == [LOG_KEY.name, "7", encode(HEAD.root)]
    assert Checkpoint.parse(str(signed)) == signed
    assert signed.log_signers([LOG_KEY.verifier]) == [LOG_KEY.verifier]
    assert signed.witnesses([WITNESS_KEY.verifier]) == ()


def test_extensions_are_read_over() -> None:
    text = str(Checkpoint.sign(HEAD, [LOG_KEY]).note.text) + "extension\n"
    assert Checkpoint.parse(str(SignedNote(text, (LOG_KEY.sign(text),)))).head == HEAD


def test_a_key_counts_for_its_own_log_and_use() -> None:
    """Whoever runs two logs must not pass one for the other; a witness is no log."""
    other = SigningKey("other.example/audit", "log", LOG_KEY.seed)
    text = Checkpoint.sign(HEAD, [LOG_KEY]).note.text
    by_other = Checkpoint.parse(str(SignedNote(text, (other.sign(text), WITNESS_KEY.sign(text, moment=5)))))
    with pytest.raises(BadNote, match="none of the keys"):
        by_other.log_signers([other.verifier, WITNESS_KEY.verifier, LOG_KEY.verifier])
    assert by_other.witnesses([WITNESS_KEY.verifier, other.verifier]) == [WITNESS_KEY.verifier]


@pytest.mark.parametrize(
    "lines",
    [
        *(
            ["log", "7"],
            ["log", "07", encode(HEAD.root)],
            ["log", "-7", encode(HEAD.root)],
            ["", "7", encode(HEAD.root)],
        ),
        *(
            ["log", "٧", encode(HEAD.root)],
            ["log", "7", "AAAA"],
            ["log", "7", "?"],
            ["log", "9" * 20, encode(HEAD.root)],
        ),
    ],
)
def test_what_is_no_checkpoint_is_refused(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    with pytest.raises(BadNote):
        Checkpoint.parse(str(SignedNote(text, (LOG_KEY.sign(text),))))


def change(key: SigningKey, previous: SigningKey, signer: SigningKey) -> dict[str, object]:
    endorsement = signer.sign(key_change_text(previous.verifier, key.verifier)).signature
    return {"key": str(key.verifier), "previous": str(previous.verifier), "endorsement": encode(endorsement)}


def test_a_key_is_followed_to_the_one_that_it_signed_for() -> None:
    assert follow_key_change([LOG_KEY.verifier], change(NEXT_KEY, LOG_KEY, LOG_KEY)) == NEXT_KEY.verifier


def test_no_other_change_of_keys_is_followed() -> None:
    good = change(NEXT_KEY, LOG_KEY, LOG_KEY)
    elsewhere = SigningKey("other.example", "log", NEXT_KEY.seed)
    for record in (
        change(NEXT_KEY, LOG_KEY, NEXT_KEY),  # signed by the new key itself
        change(elsewhere, LOG_KEY, LOG_KEY),  # of another log
        change(SigningKey(LOG_KEY.name, "witness", NEXT_KEY.seed), LOG_KEY, LOG_KEY),
        good | {"key": str(LOG_KEY.verifier)},
        good | {"previous": None, "endorsement": None},
        good | {"endorsement": 5},
        good | {"endorsement": "?"},
        {},
    ):
        assert follow_key_change([LOG_KEY.verifier], record) is None, record
    assert follow_key_change([NEXT_KEY.verifier], good) is None, "the old key is not trusted"
    assert follow_key_change([], good) is None


def test_the_signature_for_a_key_is_no_checkpoint() -> None:
    text = key_change_text(LOG_KEY.verifier, NEXT_KEY.verifier)
    with pytest.raises(BadNote):
        Checkpoint.parse(str(SignedNote(text, (LOG_KEY.sign(text),))))
