"""API keys: their shape, and what is kept of them."""

import hashlib

import pytest

from app.identity.api_keys import hash_key, looks_like_key, looks_like_token, make_key, make_token


def test_a_key_has_its_shape_and_hash() -> None:
    made = [make_key() for _ in range(200)]
    for key in made:
        assert looks_like_key(key.secret)
        assert key.secret.startswith(f"{key.prefix}_")
        assert len(key.prefix) == 12
        assert len(key.secret) == 56
        assert key.hash == hash_key(key.secret) == hashlib.sha256(key.secret.encode()).digest()
    assert len({key.secret for key in made}) == len({key.prefix for key in made}) == 200


def test_secrets_use_all_their_bits() -> None:
    """At each of the 43 places many characters occur."""
    secrets = [make_key().secret[13:] for _ in range(300)]
    assert all(len({s[place] for s in secrets}) > 20 for place in range(42))
    assert len({s[42] for s in secrets}) > 10, "the last character holds four bits"


def test_the_secret_does_not_show() -> None:
    key = make_key()
    for shown in (repr(key), str(key), f"{key}"):
        assert key.prefix in shown
        assert key.secret not in shown
        assert key.secret[13:] not in shown
        assert key.hash.hex() not in shown
        assert repr(key.hash) not in shown


GOOD = "clr_" + "a" * 8 + "_" + "b" * 43


@pytest.mark.parametrize(
    "text",
    ["", "clr_", GOOD[:-1], GOOD + "b", f" {GOOD}", f"{GOOD}\n", GOOD.upper(), GOOD.replace("clr", "key"),
     "clr_" + "a" * 7 + "__" + "b" * 43, "clr_" + "é" * 8 + "_" + "b" * 43, GOOD[:-1] + "=", "٣" * 56, GOOD + "\0"],
)  # fmt: skip
def test_other_texts_are_no_key(text: str) -> None:
    assert looks_like_key(GOOD)
    assert not looks_like_key(text)


def test_a_token_is_no_key_and_a_key_no_token() -> None:
    key, token = make_key(), make_token()
    assert (looks_like_key(key.secret), looks_like_token(key.secret)) == (True, False)
    assert (looks_like_key(token.secret), looks_like_token(token.secret)) == (False, True)
    assert token.secret.startswith(f"{token.prefix}_")
    assert len(token.secret) == 56
    assert token.hash == hashlib.sha256(token.secret.encode()).digest()
    for wrong in ("", token.secret[:-1], token.secret + "b", f"{token.secret}\n", token.secret.upper()):
        assert not looks_like_token(wrong)
