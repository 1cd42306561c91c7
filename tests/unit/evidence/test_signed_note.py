"""Signed notes, held to the vectors that the Go implementation and the specifications publish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evidence.signed_note import BadKey, BadNote, NoteSignature, SignedNote, SigningKey, VerifierKey
from tests.support.log_keys import COSIGNED, LOG_KEY, PETER, PETERS_SECRET, SIGNED, TEXT, WITNESS_KEY


def test_the_published_note_is_read_and_written() -> None:
    note = SignedNote.parse(SIGNED)
    assert note.text == TEXT
    assert note.signers([VerifierKey.parse(PETER)]) == [VerifierKey.parse(PETER)]
    secret = SigningKey.parse(PETERS_SECRET)
    assert (str(secret.verifier), secret.secret()) == (PETER, PETERS_SECRET)
    assert str(SignedNote(TEXT, (secret.sign(TEXT),))) == SIGNED
    assert str(note) == SIGNED


def test_the_published_cosignature_is_read() -> None:
    note = SignedNote.parse(COSIGNED)
    assert [signature.name for signature in note.signatures] == [
        "example.com/behind-the-sofa",
        "witness.example.com/w1",
    ]
    assert note.signatures[1].moment == 1679315147
    assert str(note) == COSIGNED


def test_a_witness_signs_the_moment_too() -> None:
    text = "log.example\n1\nroot\n"
    line = WITNESS_KEY.sign(text, moment=1679315147)
    assert line.moment == 1679315147
    assert WITNESS_KEY.verifier.signed(text, line.signature)
    other_moment = (1679315148).to_bytes(8) + line.signature[8:]
    assert not WITNESS_KEY.verifier.signed(text, other_moment)
    # The same bytes under a key of the same seed, but for a log, are no signature of it.
    assert not SigningKey(WITNESS_KEY.name, "log", WITNESS_KEY.seed).verifier.signed(text, line.signature[8:])


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a+b", "a+b+c", PETER + "A", PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("+AR", "+AA")),
        *(PETER.replace("PeterNeumann", name) for name in ("", "Peter Neumann", "Peter\u2003Neumann", "P" * 256)),
        *(PETERS_SECRET, PETER.replace("+AR", "+Ar")),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        VerifierKey.parse(text)


def test_a_bad_secret_is_not_repeated() -> None:
    for text in (PETER, PETERS_SECRET[:-4], PETERS_SECRET.replace("c74f20a3", "c74f20a4"), "PRIVATE+KEY+x"):
        with pytest.raises(BadKey) as caught:
            SigningKey.parse(text)
        assert "AYEKFALVF" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert "AYEK" not in repr(SigningKey.parse(PETERS_SECRET))


NOTES = {
    "nothing": "",
    "no signature": TEXT,
    "no signature behind an empty line": TEXT + "\n",
    "no newline at the end": SIGNED[:-1],
    "a tab": SIGNED.replace("think ", "think\t"),
    "a carriage return": SIGNED.replace("problem,\n", "problem,\r\n"),
    "another dash": SIGNED.replace("—", "-"),
    "no name": SIGNED.replace("— PeterNeumann ", "— "),
    "a line that is none": SIGNED + "more\n",
    "no base64": SIGNED.replace("x08g", "*08g"),
    "base64 in another form": SIGNED.replace("nAM=", "nAN="),
    "nothing behind the id": SIGNED[: SIGNED.index("x08go")] + "x08gow==\n",
    "too many signatures": SIGNED + SIGNED.rpartition("\n\n")[2] * 64,
    "too long": "a" * 20_000 + SIGNED,
}


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        SignedNote.parse(text)


def test_signatures_of_others_are_ignored_and_forged_ones_refuse_the_note() -> None:
    stranger = SigningKey("stranger.example", "log", bytes([2]) * 32)
    note = SignedNote(TEXT, (stranger.sign(TEXT), LOG_KEY.sign(TEXT)))
    assert note.signers([LOG_KEY.verifier]) == [LOG_KEY.verifier]
    with pytest.raises(BadNote, match="none of the keys"):
        note.signers([WITNESS_KEY.verifier])
    with pytest.raises(BadNote, match="none of the keys"):
        note.signers([])
    forged = NoteSignature(LOG_KEY.name, LOG_KEY.verifier.id, stranger.sign(TEXT).signature)
    with pytest.raises(BadNote, match=r"the signature of log\.example/audit"):
        SignedNote(TEXT, (LOG_KEY.sign(TEXT), forged)).signers([LOG_KEY.verifier])


@given(st.integers(0, len(SIGNED) - 1), st.characters(exclude_characters="\n"))
def test_no_character_can_be_changed(at: int, character: str) -> None:
    changed = SIGNED[:at] + character + SIGNED[at + 1 :]
    if changed == SIGNED:
        return
    with pytest.raises(BadNote):
        SignedNote.parse(changed).signers([VerifierKey.parse(PETER)])
